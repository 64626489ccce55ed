"""What is seen between open lips: cavity, tongue, teeth. Knows nothing of skin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heygem.demo.expression import Mouth
from heygem.demo.fields import Field, step
from heygem.demo.identity import Identity
from heygem.demo.shading import Surface

_TOOTH_WIDTHS = np.array([0.047, 0.036, 0.040, 0.036, 0.036, 0.04, 0.04])
"""Upper teeth from the middle to the side."""
_LOWER_TEETH = 0.78
"""Widths of the lower teeth relative to the upper."""


def interior(person: Identity, mouth: Mouth, seam_z: float) -> Iterator[Surface]:
    """Surfaces from the back to the front; none while the lips are shut.

    Args:
        person: Whose.
        mouth: As it is now.
        seam_z: Depth of the lips' seam.
    """
    if mouth.opening <= 0.004 and mouth.tuck <= 0.05:
        return
    seen = float(np.clip(5 * mouth.opening + 0.25, 0, 1))
    yield _cavity(person, mouth, seam_z)
    yield _tongue(person, mouth, seam_z, seen)
    yield _teeth(person, mouth, seam_z, seen, is_upper=False)
    yield _teeth(person, mouth, seam_z, seen, is_upper=True)


def _cavity(person: Identity, mouth: Mouth, seam_z: float) -> Surface:
    u, v = _square(9)
    middle = person.mouth_y + 0.5 * mouth.drop
    y = middle + v * (0.5 * mouth.drop + 0.055)
    albedo = np.ones((9, 9, 3)) * np.array([0.035, 0.008, 0.008])
    openness = 1 - 0.75 * np.exp(-1.8 * (u**2 + v**2))
    return _surface(u * person.mouth_width * 1.15, y, np.full_like(u, seam_z - 0.34), albedo, 0, 1, openness)


def _tongue(person: Identity, mouth: Mouth, seam_z: float, seen: float) -> Surface:
    u, v = _square(24)
    radius = np.clip(u * u + v * v, 0, 1)
    x = u * person.mouth_width * (0.62 - 0.1 * mouth.round)
    y = person.mouth_y + 0.8 * mouth.drop + 0.055 - mouth.tongue * (0.045 + 0.55 * mouth.drop) + 0.075 * v
    z = seam_z - 0.2 + 0.09 * mouth.tongue + 0.09 * np.sqrt(1 - radius) - 0.03 * np.exp(-((u / 0.12) ** 2))
    openness = 0.75 * seen * np.clip(0.25 + 0.75 * (z - seam_z + 0.25) / 0.2, 0.2, 1)
    albedo = np.ones((*u.shape, 3)) * np.array([0.42, 0.15, 0.15])
    return _surface(x, y, z, albedo, 0.12, 20, openness, (radius < 1).astype(np.float32))


def _teeth(person: Identity, mouth: Mouth, seam_z: float, seen: float, *, is_upper: bool) -> Surface:
    half = person.mouth_width * (0.86 if is_upper else 0.80)
    x = np.linspace(-half, half, 97)[None]
    v = np.linspace(0, 1, 12)[:, None]
    widths = _TOOTH_WIDTHS * (1 if is_upper else _LOWER_TEETH)
    borders = np.concatenate([[0], np.cumsum(widths)])
    number = np.clip(np.searchsorted(borders, np.abs(x), side="right") - 1, 0, len(widths) - 1)
    centre = (borders[number] + borders[number + 1]) / 2
    # From the middle of a tooth (0) to its sides (1).
    off = np.clip(np.abs(np.abs(x) - centre) / (widths[number] / 2), 0, 1.2)
    direction = 1 if is_upper else -1
    bite = person.mouth_y + (0.028 if is_upper else 0.86 * mouth.drop + 0.035)
    edge = bite - direction * (0.010 * off**4 + 0.004 * (number == 1) + 0.3 * x**2)
    y = edge - 0.11 * (1 - v) if is_upper else edge + 0.1 * v
    z = seam_z - (0.085 if is_upper else 0.13) - 1.5 * x**2 - 0.012 * off**4 + 0 * v
    gaps = 1 - 0.55 * step(0.82, 1.0, off) * np.ones_like(v)
    openness = gaps * np.clip(1.05 - 0.75 * (np.abs(x) / (0.95 * person.mouth_width)) ** 2, 0.12, 1)
    lips = person.mouth_y - 0.1 * mouth.opening - 0.042 * mouth.upper
    below = y - lips if is_upper else person.mouth_y + mouth.drop - y
    openness = openness * (0.3 + 0.7 * step(-0.01, 0.07, below)) * (0.35 + 0.65 * seen)
    # Pursed lips stand far before the teeth.
    openness = openness * (1 - 0.6 * mouth.round)
    albedo = np.ones((*y.shape, 3)) * person.teeth * 0.74
    return _surface(x + 0 * v, y, z, albedo, 0.18, 30, openness)


def _square(count: int) -> tuple[Field, Field]:
    t = np.linspace(-1, 1, count, dtype=np.float32)
    u, v = np.meshgrid(t, t)
    return u, v


def _surface(
    x: Field,
    y: Field,
    z: Field,
    albedo: Field,
    gloss: float,
    polish: float,
    openness: Field,
    alpha: Field | None = None,
) -> Surface:
    shape = x.shape
    return Surface(
        points=np.stack([x, y, z], -1).astype(np.float32),
        albedo=albedo.astype(np.float32),
        gloss=np.full(shape, gloss, np.float32),
        polish=np.full(shape, polish, np.float32),
        openness=openness.astype(np.float32),
        alpha=np.ones(shape, np.float32) if alpha is None else alpha,
    )
