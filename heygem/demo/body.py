"""Ears, neck and shoulders: shapes. What they wear is in `clothes`; knows nothing of faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heygem.demo.fields import Field, blurred, bump, noise, ridge, step
from heygem.demo.identity import Identity
from heygem.demo.shading import Surface

_BUST_TOP, _BUST_BOTTOM = 0.45, 3.0


@dataclass(frozen=True)
class Bust:
    """Neck, shoulders and chest without clothes, on one grid; head units.

    Attributes:
        x, y, z: (r, c) where its vertices are.
        loose: (r, c) 0: follows the head as the neck does, 1: hardly, as the chest does.
    """

    x: Field
    y: Field
    z: Field
    loose: Field


def shape_bust(person: Identity, detail: float) -> Bust:
    """Neck and shoulders of `person`; `detail` is the density of the grid."""
    dense, sparse = int(90 * detail), int(20 * detail)
    heights = np.concatenate(
        [
            np.linspace(_BUST_TOP, 1.0, sparse, endpoint=False),
            np.linspace(1.0, 2.2, dense, endpoint=False),
            np.linspace(2.2, _BUST_BOTTOM, sparse),
        ]
    )
    t = np.linspace(-1, 1, int(150 * detail))[None]
    t = 1.15 * t - 0.15 * t**3
    y = heights[:, None] + 0 * t
    neck = person.half_width * (0.70 - 0.12 * person.feminine)
    broad = 1.06 - 0.13 * person.feminine
    outline = np.interp(
        heights,
        [0.45, 0.8, 1.02, 1.13, 1.24, 1.37, 1.50, 1.62, 1.78, 2.05, 3.0],
        [neck * 1.06, neck, neck * 1.03, neck * 1.22, *(broad * np.array([0.76, 1.14, 1.43, 1.58, 1.68, 1.74, 1.80]))],
    )
    width = blurred(outline[:, None], 2.5 * detail)
    x = width * t
    front = np.interp(heights, [0.45, 1.0, 1.2, 1.6, 2.4, 3.0], [0.16, 0.06, 0.02, 0.14, 0.30, 0.34])[:, None]
    roundness = 1 - 0.42 * step(1.05, 1.5, y)
    z = -0.32 + (blurred(front, 3 * detail) + 0.32) * np.clip(1 - t**2, 0, 1) ** (0.5 * roundness)
    # The two muscles from behind the ears to the breastbone, and the collar bones.
    muscle_x = neck * np.clip(1.0 - (y - 0.55) / 0.75, 0.08, 1)
    z = z + 0.030 * ridge(np.abs(x) - muscle_x, 0.07) * step(0.5, 0.7, y) * (1 - step(1.15, 1.35, y))
    z = z + 0.022 * ridge(y - 1.37 + 0.10 * np.abs(x), 0.035) * step(0.06, 0.2, np.abs(x))
    z = z - 0.03 * bump(x, y, 0, 1.28, 0.07, 0.07)
    z = z + 0.10 * person.feminine * bump(np.abs(x), y, 0.45, 2.25, 0.32, 0.35)
    return Bust(x, y, z, step(1.0, 1.5, y))


def paint_bust(person: Identity, bust: Bust, rng: np.random.Generator) -> Surface:
    """The skin of neck and shoulders, in the shadow of the chin."""
    shadow = step(person.chin - 0.05, person.chin + 0.40, bust.y + 0.25 * np.abs(bust.x))
    mottle = 1 + 0.025 * noise(rng, bust.x.shape, 8, 3)[..., None]
    warm = np.array([1.0, 0.96, 0.94])
    shape = bust.x.shape
    return Surface(
        points=np.stack([bust.x, bust.y, bust.z], -1).astype(np.float32),
        albedo=(person.skin * 0.95 * warm * mottle).astype(np.float32),
        gloss=np.full(shape, 0.06, np.float32),
        polish=np.full(shape, 10, np.float32),
        openness=(0.28 + 0.72 * shadow).astype(np.float32),
        alpha=np.ones(shape, np.float32),
    )


def ear(person: Identity, side: int, detail: float) -> Surface:
    """The ear on the left (-1) or right (1)."""
    count = int(34 * detail)
    t = np.linspace(-1, 1, count)
    u, v = np.meshgrid(t, t)
    radius = np.sqrt(u * u + v * v)
    # Broad above, narrow at the lobe.
    reach = 0.085 * (1 - 0.32 * v - 0.12 * v * v)
    x = side * (person.half_width * 0.975 + reach * u)
    helix = ridge(radius - 0.82, 0.16) * step(-0.9, -0.2, u - 0.4 * v + 0.6)
    inner = 0.6 * ridge(np.hypot(u + 0.15, v * 1.1) - 0.48, 0.13)
    bowl = bump(u, v, -0.25, 0.12, 0.34, 0.34)
    z = -0.12 + 0.05 * np.sqrt(np.clip(1 - radius**2, 0, 1)) + 0.045 * helix + 0.03 * inner - 0.06 * bowl
    openness = np.clip(0.85 + 0.2 * helix - 0.6 * bowl - 0.25 * (1 - helix) * (radius > 0.6), 0.2, 1)
    return Surface(
        points=np.stack([x, -0.02 + 0.2 * v, z], -1).astype(np.float32),
        albedo=(np.ones((count, count, 3)) * person.skin * np.array([1.02, 0.88, 0.86])).astype(np.float32),
        gloss=np.full((count, count), 0.1, np.float32),
        polish=np.full((count, count), 12, np.float32),
        openness=openness.astype(np.float32),
        alpha=(1 - step(0.93, 1.0, radius)).astype(np.float32),
    )
