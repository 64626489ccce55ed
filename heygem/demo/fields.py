"""Smooth functions over a surface or a picture: what shapes and paints are composed of."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.floating[Any]]
"""One value per vertex or pixel: (rows, columns), float32 where it is kept."""

Vectors: TypeAlias = NDArray[np.floating[Any]]
"""Three values per vertex or pixel (a position, a normal or a colour): (rows, columns, 3), float32 where it is kept."""


def bump(x: Field, y: Field, centre_x: float, centre_y: float, width: float, height: float) -> Field:
    """Gaussian hill of height 1; `width` and `height` are where it falls to 1/e."""
    return np.exp(-(((x - centre_x) / width) ** 2) - ((y - centre_y) / height) ** 2).astype(np.float32)


def ridge(x: Field, width: float, power: float = 2.0) -> Field:
    """Hill along the line x = 0: exp(-|x / width| ** power)."""
    result: Field = np.exp(-(np.abs(x / width) ** power)).astype(np.float32)
    return result


def step(low: float, high: float, x: Field) -> Field:
    """0 below `low`, 1 above `high`, a smooth cubic between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    result: Field = (t * t * (3 - 2 * t)).astype(np.float32)
    return result


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: float, octaves: int = 4, persistence: float = 0.5
) -> Field:
    """Random field of standard deviation 1.

    Args:
        rng: Where the randomness comes from.
        shape: Rows and columns.
        cells: Cells of the coarsest octave across the columns.
        octaves: How many, each twice as fine as the one before.
        persistence: Strength of an octave relative to the one before.
    """
    total = np.zeros(shape, np.float32)
    strength = 1.0
    for octave in range(octaves):
        across = max(2, int(cells * 2**octave))
        down = max(2, int(across * shape[0] / shape[1]))
        grid = rng.normal(size=(down, across)).astype(np.float32)
        total += strength * cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        strength *= persistence
    result: Field = (total / (total.std() + 1e-9)).astype(np.float32)
    return result


def blurred(field: Field, sigma: float) -> Field:
    """`field` under a Gaussian of `sigma` cells."""
    return cv2.GaussianBlur(np.ascontiguousarray(field, np.float32), (0, 0), sigma).astype(np.float32)


def mixed(base: Vectors, paint: NDArray[np.floating], share: Field) -> Vectors:
    """`base` with `paint` over it where `share` is 1."""
    cover = share[..., None]
    return (base * (1 - cover) + paint * cover).astype(np.float32)


def smooth_noise(rng: np.random.Generator, length: int, sigma: float) -> NDArray[np.float32]:
    """(length,) random walk without a trend, of standard deviation about 1, that changes over `sigma` steps."""
    reach = int(4 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    return np.convolve(rng.normal(size=length + 2 * reach), kernel, mode="valid").astype(np.float32)
