"""What a mouth does at one moment, as eight numbers. Knows nothing of sounds or pictures."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

CHANNELS = ("jaw", "wide", "round", "upper", "lower", "press", "tuck", "tongue")
"""jaw: dropped; wide: corners apart (negative: together); round: pursed; upper: upper lip raised; lower: lower lip
lowered; press: lips pressed together; tuck: lower lip under the upper teeth; tongue: raised to the teeth."""

FPS = 25
"""Frames per second of an `Articulation`."""

Articulation: TypeAlias = NDArray[np.float32]
"""A mouth over time: (T, 8) float32 at 25 fps, columns as in `CHANNELS`, 0 (rest) to 1 (fully), `wide` from -1."""

REST: Articulation = np.array([0, 0, 0, 0, 0, 0.1, 0, 0], dtype=np.float32)
"""(8,): a closed mouth that says nothing."""

WIDE_OPEN: Articulation = np.array([0.85, 0, 0, 0.25, 0.3, 0, 0, 0], dtype=np.float32)
"""(8,): a mouth as wide open as speech gets."""

_JAW_OPENING, _UPPER_OPENING, _LOWER_OPENING = 0.235, 0.042, 0.035
"""Distance between the lips, in head units, that a full jaw, upper and lower lip give on the average head."""


def lip_opening(articulation: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the lips are apart.

    Args:
        articulation: (..., 8).

    Returns:
        (...): in head units (half a head's height); 0.3 is wide open.
    """
    jaw, upper, lower = articulation[..., 0], articulation[..., 3], articulation[..., 4]
    opening: NDArray[np.float32] = _JAW_OPENING * 1.02 * jaw + _UPPER_OPENING * upper + _LOWER_OPENING * lower
    return opening
