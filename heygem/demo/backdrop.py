"""A room out of focus behind a presenter."""

from __future__ import annotations

import cv2
import numpy as np

from heygem.demo.fields import Vectors

_ROWS, _COLUMNS = 180, 320


def backdrop(seed: int) -> Vectors:
    """(180, 320, 3) linear light: the room with the number `seed`."""
    rng = np.random.default_rng((seed, 2))
    u = rng.uniform
    room = np.ones((_ROWS, _COLUMNS, 3), np.float32) * (0.5 * u(0.03, 0.55, 3) + 0.25 * u(0.1, 0.9)).astype(np.float32)
    down, across = np.mgrid[:_ROWS, :_COLUMNS] / np.array([_ROWS, _COLUMNS])[:, None, None]
    room *= (1 + u(-0.5, 0.5) * (across - 0.5) + u(-0.4, 0.4) * (down - 0.5))[..., None].astype(np.float32)
    if rng.random() < 0.7:
        for _ in range(rng.integers(8, 40)):
            _box(room, rng)
        for _ in range(rng.integers(0, 8)):
            centre = (int(rng.integers(0, _COLUMNS)), int(rng.integers(0, _ROWS)))
            lamp = (u(0.6, 1.4) * np.array([1, 0.9, 0.75])).tolist()
            cv2.circle(room, centre, int(rng.integers(3, 9)), lamp, -1)
    return cv2.GaussianBlur(room, (0, 0), u(3, 9)).astype(np.float32)


def _box(room: Vectors, rng: np.random.Generator) -> None:
    """A piece of furniture: an upright or a flat rectangle."""
    x, y = int(rng.integers(0, _COLUMNS)), int(rng.integers(0, _ROWS))
    upright = rng.random() < 0.6
    width = int(rng.integers(4, 26) if upright else rng.integers(30, 120))
    height = int(rng.integers(20, 90) if upright else rng.integers(4, 40))
    colour = room[y, x] * rng.uniform(0.3, 2.0) * (1 + rng.uniform(-0.35, 0.35, 3))
    cv2.rectangle(room, (x, y), (x + width, y + height), np.clip(colour, 0.01, 1.2).tolist(), -1)
