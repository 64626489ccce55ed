"""Wav2Lip as a lip engine: official weights, or a file of the user's own in one of the official forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor, nn

from heygem.arrays import Crops, Heard, Waveform
from heygem.device import FP32_ON_CPU, Placement
from heygem.errors import Text
from heygem.lipsync.base import NETWORK_INPUTS, AudioWindows, Drawn, LipEngine, with_mouth_hidden
from heygem.nets.wav2lip import Wav2Lip
from heygem.speech import Tail
from heygem.speech.mel import mel_spectrogram
from heygem.speech.windows import MelWindows
from heygem.weights.load import build, load_network


class Wav2LipModel:
    """Wav2Lip with its weights on a device."""

    crop_size = 96
    sample_rate_hz = 16_000

    def __init__(self, net: nn.Module, placement: Placement) -> None:
        self._net = net
        self._precision = placement.precision
        self.device = placement.device

    def listen(self, speech: Iterable[Waveform], *, tail: Tail) -> AudioWindows:
        """Mel windows that start at the time of their frame, as Wav2Lip's inference takes them.

        Raises:
            MediaError: the recording is too short.
        """
        return MelWindows(mel_spectrogram(speech), lead_s=Fraction(0), tail=tail)

    @torch.inference_mode()
    def draw(self, faces: Crops, heard: Heard) -> Drawn:
        """Whole crops with new mouths.

        Args:
            faces: (N, 3, 96, 96) float32 RGB 0..1 on `device`.
            heard: (N, 1, 80, 16) float32.

        Raises:
            torch.OutOfMemoryError: N crops do not fit on the device.
        """
        face = with_mouth_hidden(faces.flip(1)).to(self._precision, memory_format=torch.channels_last)
        drawn = self._net(heard.to(self.device, self._precision), face)
        return Drawn(drawn.flip(1).float())


def load_wav2lip(path: Path, placement: Placement) -> Wav2LipModel:
    """Wav2Lip on a device.

    Raises:
        DeviceError: OpenVINO was to compute, and cannot.
        WeightsRefusedError: the file holds something else.
    """
    return Wav2LipModel(load_network(_make, path, NETWORK_INPUTS, placement), placement)


def _make(tensors: Mapping[str, Tensor]) -> Wav2Lip:
    net = build(Wav2Lip, tensors, FP32_ON_CPU)
    net.fold_batch_norms()
    return net


ENGINE = LipEngine(
    name="wav2lip",
    label=Text("Wav2Lip 口型模型", "Wav2Lip lip model"),
    checkpoint="wav2lip",
    bundled=None,
    note=Text(
        "Wav2Lip 权重仅限研究与个人使用，不得商用。",
        "The Wav2Lip weights are for research and personal use only.",
    ),
    default_batch={"cpu": 16, "cuda": 64},
    load=load_wav2lip,
)
