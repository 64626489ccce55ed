"""Measures how far a drawn mouth is open, without anything learned: no network can have been trained to please it.

The renderer can show every pose of a held-out person twice more, with the mouth shut and wide open. The way from one
picture to the other is a direction in the space of pixels; how far along it a drawn picture lies is its opening. Knows
nothing of networks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOUTH_ROWS, MOUTH_COLUMNS = slice(54, 92), slice(20, 76)
"""The mouth in a crop of 96 pixels."""

MOST_LAG = 6
"""Frames that `best_lag` looks for either way."""


def openings(drawn: NDArray[np.uint8], shut: NDArray[np.uint8], wide: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far mouths are open.

    Args:
        drawn: (F, 96, 96, 3), what is measured.
        shut, wide: The same shape: the same poses with the mouth shut and wide open.

    Returns:
        (F,), about 0 for shut and 1 for wide open.
    """
    start, end = _mouths(shut), _mouths(wide)
    way = end - start
    along: NDArray[np.float64] = ((_mouths(drawn) - start) * way).sum(1) / (way**2).sum(1)
    return along


def correlation(measured: NDArray[np.float64], truth: NDArray[np.float64], lag: int = 0) -> float:
    """Pearson's r of two curves of F frames, `measured` moved to the left by `lag`; 0 where one does not move."""
    first = measured[max(0, lag) : len(measured) + min(0, lag)]
    second = truth[max(0, -lag) : len(truth) + min(0, -lag)]
    if first.std() < 1e-6 or second.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def best_lag(measured: NDArray[np.float64], truth: NDArray[np.float64]) -> int:
    """By how many frames `measured` comes late, -6..6: where the correlation is highest."""
    lags = range(-MOST_LAG, MOST_LAG + 1)
    return max(lags, key=lambda lag: correlation(measured, truth, lag))


def _mouths(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    return crops[:, MOUTH_ROWS, MOUTH_COLUMNS].reshape(len(crops), -1).astype(np.float64)
