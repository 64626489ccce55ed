"""Stand-ins with the real contracts, for tests of what lies around the networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from heygem.arrays import Crops, Heard, Waveform
from heygem.faces.face import Face
from heygem.frame import Frame
from heygem.lipsync.base import Drawn
from heygem.speech import Tail

LEVELS = 100
"""Grey levels that `Parrot` can paint: what it heard, modulo this."""


def face_in_the_middle(width: int, height: int) -> Face:
    """A face of half the picture's size."""
    left, top, w, h = width / 4, height / 4, width / 2, height / 2
    points = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]
    return Face(
        np.array([left, top, left + w, top + h], np.float32),
        np.array([[left + x * w, top + y * h] for x, y in points], np.float32),
        1.0,
    )


class Spotter:
    """A detector that sees one face in the middle, except in the clip frames that `is_blind` names."""

    batch, at_once = 3, 1

    def __init__(self, is_blind: Callable[[int], bool] = lambda index: False, identity: str = "spotter") -> None:
        self.identity = identity
        self.frames_seen = 0
        self._is_blind = is_blind

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        found: list[list[Face]] = []
        for frame in frames:
            found.append([] if self._is_blind(self.frames_seen) else [face_in_the_middle(frame.width, frame.height)])
            self.frames_seen += 1
        return found


class FrameNumbers:
    """Audio windows that are their own frame number."""

    def __init__(self, fps: Fraction) -> None:
        self._fps = fps

    def at(self, times_s: Sequence[Fraction]) -> Tensor:
        return torch.tensor([float(time_s * self._fps) for time_s in times_s])[:, None]


class Parrot:
    """Lips that paint what they hear: window n gives the grey level n % LEVELS."""

    device = torch.device("cpu")
    crop_size = 32
    sample_rate_hz = 16_000

    def __init__(self, fps: Fraction = Fraction(25)) -> None:
        self._fps = fps
        self.batches: list[int] = []

    def listen(self, speech: Iterable[Waveform], *, tail: Tail) -> FrameNumbers:
        for _ in speech:
            pass
        return FrameNumbers(self._fps)

    def draw(self, faces: Crops, heard: Heard) -> Drawn:
        assert len(faces) == len(heard)
        self.batches.append(len(faces))
        grey = (heard[:, 0] % LEVELS) / LEVELS
        return Drawn(grey[:, None, None, None].expand(faces.shape).contiguous())


def heard_in(frame: Frame) -> float:
    """What `Parrot` painted on the mouth of `face_in_the_middle`."""
    luma = float(frame.y[int(frame.height * 0.64) : int(frame.height * 0.68), frame.width // 2].float().mean())
    return (luma - 16) / 219 * LEVELS
