"""Where hair grows on a head, and how to stay outside of it. Knows nothing of styles."""

from __future__ import annotations

import numpy as np

from heygem.demo.fields import Field, Vectors, ridge, step
from heygem.demo.head import CROWN_POWER, WIDEST_Y
from heygem.demo.identity import Identity

_NAPE_Y = 0.15
_REACH_RAD = np.deg2rad(150)
"""How far around the head hair is rooted; what is behind is never seen."""


def hairline(person: Identity, angle: Field) -> Field:
    """Height of the lowest hair at each `angle` around the head (0 at the nose): forehead, temples, sideburns, nape."""
    side = np.abs(angle)
    recess = 0.02 + 0.08 * (1 - person.feminine) * (0.35 + 0.65 * person.age)
    line = person.hairline + 0.05 * (side / 0.8) ** 2 - recess * ridge(side - 0.6, 0.24)
    sideburn = 0.02 if person.feminine < 0.5 else -0.12
    line = line + step(0.86, 1.3, side) * (sideburn - person.hairline - 0.08)
    result: Field = line + step(1.62, 1.8, side) * (_NAPE_Y - sideburn)
    return result


def scalp_share(person: Identity, angle: Field, y: Field, ragged: Field) -> Field:
    """0..1: how much of the skin is covered with hair; `ragged` (about -1..1) frays the border."""
    return step(-0.05, 0.03, hairline(person, angle) - y + 0.012 * ragged)


def roots(person: Identity, rng: np.random.Generator, count: int) -> tuple[Field, Vectors]:
    """Angles around the head (count,), and points (count, 3) on the scalp, evenly spread."""
    angles, points = np.zeros(0), np.zeros((0, 3))
    while len(angles) < count:
        angle = rng.uniform(-_REACH_RAD, _REACH_RAD, 4 * count)
        # Bands of equal height on a dome have about equal areas.
        y = rng.uniform(person.top + 0.003, _NAPE_Y, 4 * count)
        grows = y < hairline(person, angle) + 0.04 * rng.normal(size=4 * count)
        angles = np.concatenate([angles, angle[grows]])
        points = np.concatenate([points, _on_scalp(person, angle[grows], y[grows])])
    return angles[:count], points[:count]


def _on_scalp(person: Identity, angle: Field, y: Field) -> Vectors:
    above = np.clip((WIDEST_Y - y) / (WIDEST_Y - person.top), 0, 1)
    crown = np.sqrt(np.clip(1 - above**CROWN_POWER, 0, 1))
    x = person.half_width * crown * np.sin(angle)
    z = person.depth * crown * np.cos(angle) * (1 + 0.18 * np.sin(angle) ** 2)
    return np.stack([x, y, z], -1)


def outside(person: Identity, points: Vectors, clearance: float | Field) -> Vectors:
    """`points` (..., 3), those nearer to the skull than `clearance` pushed away from it."""
    from_middle = points - np.array([0, WIDEST_Y, 0])
    above = np.clip(-from_middle[..., 1] / (WIDEST_Y - person.top), 0, None)
    side, front = from_middle[..., 0] / person.half_width, from_middle[..., 2] / person.depth
    radius = np.sqrt(side**2 + front**2 + above**CROWN_POWER)
    push = np.maximum(1, (1 + np.asarray(clearance) / person.half_width) / np.maximum(radius, 1e-3))
    is_beside = from_middle[..., 1] > 0
    lift = np.where(is_beside, 1, push)
    moved = from_middle * np.stack([push, lift, push], -1)
    result: Vectors = moved + np.array([0, WIDEST_Y, 0])
    return result


def outward(person: Identity, points: Vectors) -> Vectors:
    """Unit normals of the skull under `points` (..., 3)."""
    from_middle = (points - np.array([0, WIDEST_Y, 0])) / np.array(
        [person.half_width, WIDEST_Y - person.top, person.depth]
    )
    from_middle[..., 1] = np.minimum(from_middle[..., 1], 0)
    away = from_middle / np.array([person.half_width, WIDEST_Y - person.top, person.depth])
    result: Vectors = away / (np.linalg.norm(away, axis=-1, keepdims=True) + 1e-9)
    return result
