"""Ears, neck, shoulders and clothes. Knows nothing of faces."""

from __future__ import annotations

import numpy as np

from heygem.demo.fields import noise, step
from heygem.demo.identity import Identity
from heygem.demo.shading import Surface


def ear(person: Identity, side: int, detail: float) -> Surface:
    """The ear on the left (-1) or right (1)."""
    count = int(26 * detail)
    t = np.linspace(-1, 1, count)
    u, v = np.meshgrid(t, t)
    radius = np.sqrt(u * u + v * v)
    x = side * (person.half_width * 0.985 + 0.075 * u * (1 - 0.25 * v))
    rim = 0.05 * np.exp(-(((radius - 0.55) / 0.2) ** 2))
    z = -0.1 + 0.1 * np.sqrt(np.clip(1 - radius**2, 0, 1)) - rim
    hollow = np.exp(-(((radius - 0.5) / 0.22) ** 2))
    return Surface(
        points=np.stack([x, -0.02 + 0.2 * v, z], -1).astype(np.float32),
        albedo=(np.ones((count, count, 3)) * person.skin * np.array([1.02, 0.9, 0.88])).astype(np.float32),
        gloss=np.full((count, count), 0.12, np.float32),
        polish=np.full((count, count), 12, np.float32),
        openness=np.clip(0.95 - 0.5 * hollow, 0.3, 1).astype(np.float32),
        alpha=(radius < 1).astype(np.float32),
    )


def neck(person: Identity, rng: np.random.Generator, detail: float) -> Surface:
    """Throat and nape, in the shadow of the chin."""
    rows, columns = int(50 * detail), int(60 * detail)
    t = np.linspace(-1.5, 1.5, columns)[None]
    y = np.linspace(0.35, 1.75, rows)[:, None] + 0 * t
    width = person.half_width * (0.72 - 0.1 * person.feminine)
    x = width * (1 + 0.1 * step(1.0, 0.5, y) + 0.5 * step(1.25, 1.75, y) ** 2) * np.sin(t)
    z = -0.3 + 0.42 * np.cos(t) - 0.1 * (y - 0.8)
    z += 0.02 * np.exp(-(((np.abs(x) - width * 0.35 * (2.0 - y)) / 0.06) ** 2))
    shadow = 0.3 + 0.7 * step(person.chin - 0.02, person.chin + 0.42, y + 0.15 * np.abs(x))
    mottle = 1 + 0.03 * noise(rng, x.shape, 8, 3)[..., None]
    return Surface(
        points=np.stack([x, y, z], -1).astype(np.float32),
        albedo=(person.skin * 0.96 * mottle).astype(np.float32),
        gloss=np.full(x.shape, 0.07, np.float32),
        polish=np.full(x.shape, 10, np.float32),
        openness=shadow.astype(np.float32),
        alpha=np.ones(x.shape, np.float32),
    )


def torso(person: Identity, rng: np.random.Generator, detail: float) -> Surface:
    """Shoulders and chest in clothes."""
    rows, columns = int(60 * detail), int(110 * detail)
    t, v = np.linspace(-1, 1, columns)[None], np.linspace(0, 1, rows)[:, None]
    x = 1.75 * t + 0 * v
    outer = np.clip(np.abs(t) - 0.78, 0, 1) ** 1.5
    collar = 1.0 if person.clothes in ("tee", "sweater") else 0.4
    top = 1.38 + 0.3 * np.abs(t) ** 1.2 + 2.7 * outer + 0.22 * collar * np.exp(-((t / 0.2) ** 2))
    y = top + (3.2 - top) * v
    z = -0.35 + 0.55 * np.sqrt(np.clip(1 - (t / 1.02) ** 2, 0, 1)) * (1 - 0.75 * np.exp(-4 * v))
    z = z + 0.02 * np.sin(9 * x + 3 * v + noise(rng, (rows, columns), 3, 2))
    cloth = person.cloth * (1 + 0.05 * noise(rng, x.shape, 40, 2)[..., None])
    if person.clothes == "blazer":
        jacket = step(0.02, 0.05, np.abs(x) - 0.34 + 0.28 * (y - 1.4))[..., None]
        cloth = person.undershirt * (1 - jacket) + cloth * jacket
    return Surface(
        points=np.stack([x, y, z], -1).astype(np.float32),
        albedo=cloth.astype(np.float32),
        gloss=np.full(x.shape, 0.02, np.float32),
        polish=np.full(x.shape, 8, np.float32),
        openness=np.clip(0.55 + 0.45 * v + 0 * x, 0, 1).astype(np.float32),
        alpha=np.ones(x.shape, np.float32),
    )
