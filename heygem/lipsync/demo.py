"""The embedded default: a small lip model that the project trained itself on faces that it rendered itself.

It answers with colour, opacity and flow, so skin and lips keep the clip's own resolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from heygem.arrays import Crops, Heard, Waveform
from heygem.device import FP32_ON_CPU, Placement
from heygem.errors import Text, WeightsRefusedError
from heygem.lipsync.base import NETWORK_INPUTS, AudioWindows, Drawn, LipEngine, with_mouth_hidden
from heygem.nets.blocks import Widths
from heygem.nets.warp_net import WarpNet, assembled
from heygem.settings import PROJECT_DIR
from heygem.speech import Tail
from heygem.speech.mel import mel_spectrogram
from heygem.speech.windows import MelWindows
from heygem.weights.load import build, load_network, read_metadata

_FORMAT = "heygem-warp-net-1"

_TRAINED_FPS = 25
"""Frame rate that the offset in the metadata is counted in."""


class WarpNetHeads(nn.Module):
    """What of a WarpNet is computed in the format that its placement says."""

    def __init__(self, net: WarpNet) -> None:
        super().__init__()
        self._net = net

    def forward(self, mel: Tensor, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `WarpNet.heads`."""
        return self._net.heads(mel, face)


class DemoModel:
    """WarpNet with its weights on a device."""

    crop_size = 96
    sample_rate_hz = 16_000

    def __init__(self, heads: nn.Module, placement: Placement, lead_s: Fraction) -> None:
        self._heads = heads
        self._precision = placement.precision
        self._lead_s = lead_s
        self.device = placement.device

    def listen(self, speech: Iterable[Waveform], *, tail: Tail) -> AudioWindows:
        """Mel windows with their frame in the middle, as the model was trained.

        Raises:
            MediaError: the recording is too short.
        """
        return MelWindows(mel_spectrogram(speech), lead_s=self._lead_s, tail=tail)

    @torch.inference_mode()
    def draw(self, faces: Crops, heard: Heard) -> Drawn:
        """New mouths as colour, opacity and flow.

        Args:
            faces: (N, 3, 96, 96) float32 RGB 0..1 on `device`.
            heard: (N, 1, 80, 16) float32.

        Raises:
            torch.OutOfMemoryError: N crops do not fit on the device.
        """
        face = with_mouth_hidden(faces).to(self._precision, memory_format=torch.channels_last)
        return Drawn(*assembled(*self._heads(heard.to(self.device, self._precision), face)))


def load_demo(path: Path, placement: Placement) -> DemoModel:
    """The embedded default on a device.

    Raises:
        DeviceError: OpenVINO was to compute, and cannot.
        WeightsRefusedError: the file holds something else.
    """
    facts = read_metadata(path)
    if facts.get("format") != _FORMAT:
        raise WeightsRefusedError(
            Text(
                f"{path.name} 不是内置口型模型的权重。", f"{path.name} does not hold weights of the embedded lip model."
            )
        )
    widths, lead_frames = Widths.from_json(facts["widths"]), -int(facts["mel_offset"])
    heads = load_network(partial(_make, widths), path, NETWORK_INPUTS, placement)
    return DemoModel(heads, placement, Fraction(lead_frames, _TRAINED_FPS))


def _make(widths: Widths, tensors: Mapping[str, Tensor]) -> WarpNetHeads:
    net = build(partial(WarpNet, widths), tensors, FP32_ON_CPU)
    net.fold_batch_norms()
    return WarpNetHeads(net)


ENGINE = LipEngine(
    name="demo",
    label=Text("内置口型模型", "embedded lip model"),
    checkpoint=None,
    bundled=PROJECT_DIR / "models" / "demo" / "lips.safetensors",
    note=Text(
        "内置模型只用渲染的人脸训练，为自带主播而做；真人视频请下载官方权重。",
        "The embedded model was trained on rendered faces only, for the bundled presenters; "
        "for real people download the official weights.",
    ),
    default_batch={"cpu": 16, "cuda": 64},
    load=load_demo,
)


def speaker_engine(name: str, lips: Path) -> LipEngine:
    """The same engine with the weights of one of the user's own speakers.

    Args:
        name: Of the speaker.
        lips: As `heygem.training.speaker` left them.
    """
    return replace(
        ENGINE,
        name=name,
        label=Text(f"说话人“{name}”的口型模型", f"lip model of speaker {name!r}"),
        bundled=lips,
        note=Text(
            f"口型由说话人“{name}”自己的模型绘制；别人的视频请用其他模型。",
            f"Lips drawn by the model of speaker {name!r}; for clips of other people choose another.",
        ),
    )
