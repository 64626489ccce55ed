"""Hair as shells over the head and behind it. Knows nothing of faces."""

from __future__ import annotations

import numpy as np

from heygem.demo.fields import noise, step
from heygem.demo.identity import Identity
from heygem.demo.shading import Surface


def hair_cap(person: Identity, rng: np.random.Generator, detail: float) -> Surface:
    """What lies over the skull, with an alpha that ends at the hairline."""
    rows, columns = int(90 * detail), int(150 * detail)
    angle = np.linspace(-np.deg2rad(118), np.deg2rad(118), columns)[None]
    is_long = person.hair_style in ("long", "fringe")
    bottom = 0.75 if is_long else -0.05 if person.hair_style == "buzz" else 0.02
    volume = {"buzz": 0.025, "swept": 0.16}.get(person.hair_style, 0.12)
    v = np.linspace(0, 1, rows)[:, None]
    crown = person.top - volume
    y = crown + (bottom - crown) * v + 0 * angle
    above = np.clip((-0.25 - y) / (-0.25 - crown), 0, 1)
    outline = (person.half_width + 0.75 * volume) * np.sqrt(np.clip(1 - above**2.4, 1e-4, 1))
    if is_long:
        outline = outline * (1 + 0.10 * step(-0.2, 0.6, y))
    flow = noise(rng, (rows, columns), 10, 3)
    strand = 0.7 * noise(rng, (6, columns), 110, 2, 0.8)[2:3] + 0.35 * noise(rng, (6, columns), 25, 1)[2:3]
    strand = strand + 0.3 * noise(rng, (rows, columns), 55, 2)
    x = outline * np.sin(angle) * (1 + 0.012 * flow)
    depth = (
        person.depth * np.sqrt(np.clip(1 - (y / 1.62) ** 2, 0.05, 1)) * np.sqrt(np.clip(1 - 0.98 * above**5, 0.004, 1))
    )
    z = (depth + 0.6 * volume) * np.cos(angle) * (1 + 0.18 * np.sin(angle) ** 2) + 0.006 * strand
    from_side = np.abs(x / person.half_width)
    line = person.hairline + 0.1 * np.abs(x / person.half_width - person.part) ** 1.5
    line = line + step(0.60, 0.93, from_side) * (4.0 if is_long else 1.6) + 0.016 * strand + 0.02 * flow
    edge = 0.12 if person.hair_style == "buzz" else 0.05
    alpha = step(-edge, edge, line - y) * (1 - step(bottom - 0.2, bottom, y + 0.07 * strand))
    shine = 0.8 * (0.1 + 0.9 * float(person.hair.mean())) * np.clip(0.6 + 0.5 * strand, 0, 2)
    return Surface(
        points=np.stack([x, y, z], -1).astype(np.float32),
        albedo=np.clip(person.hair * (1 + 0.22 * strand[..., None]), person.hair * 0.25, 1).astype(np.float32),
        gloss=shine.astype(np.float32),
        polish=np.full(x.shape, 18, np.float32),
        openness=np.clip(0.75 + 0.2 * strand, 0.35, 1).astype(np.float32),
        alpha=np.clip(alpha, 0, 1).astype(np.float32),
    )


def hair_back(person: Identity, rng: np.random.Generator, detail: float) -> Surface | None:
    """What falls behind the neck; None for short hair."""
    if person.hair_style not in ("long", "fringe"):
        return None
    rows, columns = int(90 * detail), int(110 * detail)
    t, v = np.linspace(-1, 1, columns)[None], np.linspace(0, 1, rows)[:, None]
    y = -1.2 + (2.2 + 0.7 * person.hair_length) * v + 0 * t
    width = person.half_width * 1.22 * np.sqrt(np.clip(1 - np.clip((-0.2 - y) / 1.15, 0, 1) ** 2.2, 0, 1))
    strand = noise(rng, (6, columns), 50, 3, 0.8)[2:3] + 0.3 * noise(rng, (12, columns), 40, 2)[:1]
    x = width * (1 + 0.12 * step(0, 1, y)) * t + 0.03 * np.sin(4 * y + 3 * t)
    z = -0.35 + 0.25 * np.sqrt(np.clip(1 - t**2, 0, 1)) + 0.02 * strand + 0 * y
    alpha = (1 - step(0.9, 1, v + 0.06 * strand)) * (1 - step(0.93, 1.0, np.abs(t) + 0.03 * strand))
    albedo = np.clip(person.hair * (1 + 0.3 * strand[..., None] * np.ones((rows, 1, 1))), person.hair * 0.3, 1)
    return Surface(
        points=np.stack([x, y, z], -1).astype(np.float32),
        albedo=albedo.astype(np.float32),
        gloss=np.full(x.shape, 0.08, np.float32),
        polish=np.full(x.shape, 14, np.float32),
        openness=(np.clip(0.45 + 0.1 * strand, 0.2, 0.8) * np.ones(x.shape)).astype(np.float32),
        alpha=alpha.astype(np.float32),
    )
