"""The contract of a lip engine. To add one: a module in this package with an ``ENGINE`` constant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from heygem.arrays import Crops, Flow, Heard, Mask, Waveform
from heygem.device import Placement
from heygem.errors import Text
from heygem.runtime.network import Input
from heygem.speech import Tail

NETWORK_INPUTS = (
    Input(shape=(-1, 1, 80, 16), example=(1, 1, 80, 16)),
    Input(shape=(-1, 6, 96, 96), example=(1, 6, 96, 96)),
)
"""What generators of Wav2Lip's kind are called with: mel windows, and crops as `with_mouth_hidden` makes them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a lip engine drew for N crops.

    Attributes:
        colour: (N, 3, S, S) RGB 0..1: the new pixels.
        opacity: (N, 1, S, S) 0..1: how much of `colour` covers the frame's own pixels; None covers them wholly.
        flow: (N, 2, S, S): where under a partly covered pixel the frame's own pixels are fetched from, in crop pixels
            relative to it. Applied at the frame's own resolution. None leaves them in place.
    """

    colour: Crops
    opacity: Mask | None = None
    flow: Flow | None = None


def with_mouth_hidden(faces: Crops) -> Tensor:
    """What generators of Wav2Lip's kind see: the crop without its lower half, then the whole crop as a reference.

    Args:
        faces: (N, 3, S, S) 0..1, any order of colours; values outside are clamped.

    Returns:
        (N, 6, S, S) of the same format.
    """
    whole = faces.clamp(0, 1)
    hidden = whole.clone()
    hidden[:, :, faces.shape[2] // 2 :] = 0
    return torch.cat([hidden, whole], dim=1)


class AudioWindows(Protocol):
    """What an engine hears of a whole recording. Shared by all clips that it is put to."""

    def at(self, times_s: Sequence[Fraction]) -> Heard:
        """What is heard at these times from the start of the recording: (N, ...) float32 on the CPU.

        Times before the start are silence.
        """
        ...


class LipSyncModel(Protocol):
    """Redraws mouths so that they speak given sound. Weights stay on the device between calls."""

    @property
    def device(self) -> torch.device:
        """Where `draw` wants its crops."""
        ...

    @property
    def crop_size(self) -> int:
        """Side S of the crops that `draw` takes, in pixels. What is cut out is the face box and its pads, stretched."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the sound that `listen` wants."""
        ...

    def listen(self, speech: Iterable[Waveform], *, tail: Tail) -> AudioWindows:
        """Audio features of a recording.

        Args:
            speech: The recording in consecutive pieces of any length: (samples,) float32 mono at `sample_rate_hz`.
            tail: What windows that reach past the end hear.

        Raises:
            MediaError: the recording is too short.
        """
        ...

    def draw(self, faces: Crops, heard: Heard) -> Drawn:
        """New mouths.

        Args:
            faces: (N, 3, S, S) float32 RGB 0..1 on `device`, S is `crop_size`.
            heard: (N, ...) float32, what is heard at the times of the same frames.

        Raises:
            torch.OutOfMemoryError: N crops do not fit on the device.
        """
        ...


@dataclass(frozen=True, slots=True)
class LipEngine:
    """Entry of a lip engine in the list of engines: cheap to import, loads nothing.

    Attributes:
        name: What ``--lips`` takes.
        label: What people read.
        checkpoint: Official weights that it runs on, by their name in `weights.manifest`.
        bundled: Weights that come with the project and need no download.
        note: What users must know of its results; shown with every one.
        default_batch: Crops to draw at once, by kind of device.
        load: load(file of weights, placement) builds the model with its weights on the device.
    """

    name: str
    label: Text
    checkpoint: str | None
    bundled: Path | None
    note: Text
    default_batch: Mapping[str, int]
    load: Callable[[Path, Placement], LipSyncModel]
