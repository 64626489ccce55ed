"""How people move while they sit before a camera: head, blinks, gaze. Knows nothing of speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from heygem.demo.fields import smooth_noise
from heygem.demo.view import STILL, Pose

_BLINK = (0.35, 1.0, 1.0, 0.6, 0.2)
"""How far the lids are down in the frames of one blink at 25 fps."""
_MEAN_PAUSE = 70
"""Frames between blinks."""


@dataclass(frozen=True)
class Motion:
    """A stretch of idle movement at 25 fps.

    Attributes:
        poses: One per frame.
        blinks: (T,) 0 open, 1 shut.
        gazes: (T, 2) -1..1 to the right and down.
    """

    poses: list[Pose]
    blinks: NDArray[np.float32]
    gazes: NDArray[np.float32]

    @classmethod
    def of(cls, rng: np.random.Generator, length: int, *, calm: float = 1.0, centre: Pose = STILL) -> Self:
        """Movement of `length` frames.

        Args:
            rng: Chooses.
            length: Frames.
            calm: Larger is stiller; 1 is a presenter.
            centre: The pose that it moves around.
        """
        amplitudes = np.array([0.045, 0.025, 0.018, 0.012, 0.010]) / calm
        sigmas = (12, 10, 14, 16, 16)
        base = np.array([centre.yaw, centre.pitch, centre.roll, centre.x, centre.y])
        moves = np.stack([smooth_noise(rng, length, sigma) for sigma in sigmas], axis=1) * amplitudes + base
        return cls([Pose(*map(float, row)) for row in moves], _blinks(rng, length), _gazes(rng, length))


def _blinks(rng: np.random.Generator, length: int) -> NDArray[np.float32]:
    blinks = np.zeros(length + len(_BLINK), np.float32)
    start = int(rng.exponential(_MEAN_PAUSE)) + 15
    while start < length:
        blinks[start : start + len(_BLINK)] = _BLINK
        start += 15 + int(rng.exponential(_MEAN_PAUSE))
    return blinks[:length]


def _gazes(rng: np.random.Generator, length: int) -> NDArray[np.float32]:
    """Eyes rest on a point for a second, then jump."""
    gazes = np.zeros((length, 2), np.float32)
    start = 0
    while start < length:
        stay = int(rng.integers(15, 50))
        gazes[start : start + stay] = rng.normal(0, (0.22, 0.1))
        start += stay
    return np.clip(gazes, -1, 1)
