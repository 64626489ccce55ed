"""Hair as strands: how each style grows, clumps and curls. Knows nothing of light or pictures.

A few hundred guides are grown over the skull; every strand follows the guide of its clump.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem.demo.fields import Field, Vectors, step
from heygem.demo.identity import HairStyle, Identity
from heygem.demo.scalp import outside, outward, roots


@dataclass(frozen=True)
class Strands:
    """Many thin hairs.

    Attributes:
        points: (n, s, 3) head units, from the root to the tip.
        albedo: (n, s, 3) linear.
        alpha: (n, s) how much a strand covers.
        thickness: (n, s) half width, head units.
        openness: (n, s) share of the light that reaches it.
    """

    points: Vectors
    albedo: Vectors
    alpha: Field
    thickness: Field
    openness: Field


@dataclass(frozen=True)
class _Style:
    """How hair of the upper head is combed.

    Attributes:
        length: Of the top, head units, for a `hair_length` of 0 and 1.
        sides: Length of the sides; 0: as the top.
        across, back, up: Direction of combing; `across` away from the part.
        one_way: Combed to one side instead of away from the part.
        weight: How soon it hangs down.
        lift: Distance to the skull.
        clumping: 0..1: how much the tips of a lock meet.
    """

    length: tuple[float, float]
    sides: float
    across: float
    back: float
    up: float
    one_way: bool
    weight: float
    lift: float
    clumping: float


_STYLES: dict[HairStyle, _Style] = {
    "short": _Style((0.16, 0.26), 0.10, 0.55, 0.15, 0.75, True, 0.2, 0.05, 0.6),
    "parted": _Style((0.34, 0.48), 0.11, 1.0, 0.45, 0.12, False, 0.95, 0.05, 0.35),
    "swept": _Style((0.38, 0.55), 0.10, 0.55, 0.8, 0.65, True, 0.25, 0.08, 0.45),
    "fringe": _Style((1.3, 1.7), 0.0, 1.0, 0.1, 0.1, False, 1.2, 0.06, 0.3),
    "long": _Style((1.7, 2.3), 0.0, 1.0, 0.12, 0.12, False, 1.0, 0.07, 0.35),
    "bun": _Style((0.9, 1.1), 0.0, 0.0, 1.0, 0.35, False, 0.0, 0.035, 0.2),
    "buzz": _Style((0.03, 0.05), 0.03, 0.2, 0.0, 0.3, True, 0.3, 0.01, 0.0),
}
_IS_LONG = ("fringe", "long")


def grow_hair(person: Identity, rng: np.random.Generator, detail: float) -> Strands:
    """The hair of `person`.

    Args:
        person: Whose.
        rng: Of every strand.
        detail: More and thinner strands; 1 is 1,800.
    """
    style = _STYLES[person.hair_style]
    nodes = round(7 + 5 * detail)
    count = int(1800 * detail**1.6)
    guide_angles, guide_roots = roots(person, rng, int(150 + 100 * detail))
    guides = _grow(person, style, guide_angles, guide_roots, nodes, rng)
    _, starts = roots(person, rng, count)
    distance = ((starts[:, None] - guide_roots[None]) ** 2).sum(-1)
    lock = distance.argmin(1)
    along = np.linspace(0, 1, nodes)[None, :, None]
    points = guides[lock] + (starts - guide_roots[lock])[:, None] * (1 - style.clumping * along)
    lengths = np.linalg.norm(np.diff(guides, axis=1), axis=-1).sum(1)[lock]
    points = points + _waves(person, rng, lock, len(guides), lengths[:, None] * along[..., 0]) * along
    points = points + rng.normal(0, 0.022, (count, 1, 3)) * along * np.minimum(1, lengths / 0.5)[:, None, None]
    points = _trimmed(points, rng.uniform(0.8, 1.0, count))
    if person.hair_style in _IS_LONG:
        points = _off_the_face(person, points, rng)
    if person.hair_style == "bun":
        points = np.concatenate([points, _bun(person, rng, count // 3, nodes)])
    return _dressed(person, points, lock, rng, detail)


def _grow(
    person: Identity, style: _Style, angles: Field, starts: Vectors, count: int, rng: np.random.Generator
) -> Vectors:
    """(k, count, 3): guides that leave the scalp as they are combed, then hang."""
    low, high = style.length
    length = np.full(len(starts), low + (high - low) * person.hair_length)
    is_side = step(0.75, 1.15, np.abs(angles)) * step(-0.95, -0.7, starts[:, 1])
    if style.sides:
        length = length * (1 - is_side) + style.sides * is_side
    combed = _combed(person, style, starts, is_side)
    if person.hair_style == "bun":
        length = np.linalg.norm(combed, axis=1)
    if person.hair_style == "fringe":
        in_front = (np.abs(angles) < 0.85) & (starts[:, 2] > 0.2)
        combed[in_front] = np.array([0, 0.35, 1.0]) + rng.normal(0, 0.08, (int(in_front.sum()), 3))
        length[in_front] = 1.1 * (person.brow_y + 0.03 - starts[in_front, 1])
    stride = (length / (count - 1))[:, None]
    nodes = [outside(person, starts, 0.004)]
    for node in range(1, count):
        arc = stride * node
        hang = np.clip(style.weight * arc / 0.45, 0, 1) + 0.55 * is_side[:, None] * np.clip(arc / 0.05, 0, 1)
        if not style.one_way and person.hair_style != "bun":
            beside = step(0.62, 0.95, np.abs(nodes[-1][:, :1]) / person.half_width)
            hang = np.maximum(hang, beside)
        direction = combed * np.clip(1 - hang, 0, 1) + np.array([0, 1, 0]) * hang
        direction = direction + _drape(person, nodes[-1])
        direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
        rise = style.lift * np.clip(arc[:, 0] / 0.12, 0, 1) * (1 - 0.6 * is_side)
        nodes.append(outside(person, nodes[-1] + stride * direction, rise))
    return np.stack(nodes, axis=1)


def _combed(person: Identity, style: _Style, starts: Vectors, is_side: Field) -> Vectors:
    """(k, 3): where the comb drew each guide."""
    towards = np.sign(person.part) if style.one_way else np.tanh((starts[:, 0] - person.part) / 0.04)
    if person.hair_style == "bun":
        return np.array([0, person.top - 0.06, -0.42]) - starts
    across = style.across * towards * np.ones(len(starts))
    direction = np.stack([across, np.full(len(starts), -style.up), np.full(len(starts), -style.back)], -1)
    downwards = np.array([0.0, 1.0, -0.25])
    side = is_side[:, None] if style.sides else np.zeros((len(starts), 1))
    direction = direction * (1 - side) + downwards * side
    result: Vectors = direction + 0.15 * outward(person, starts)
    return result


def _drape(person: Identity, points: Vectors) -> Vectors:
    """Long hair finds its way around jaw and shoulders."""
    if person.hair_style not in _IS_LONG:
        return np.zeros_like(points)
    y = points[:, 1]
    drape = np.zeros_like(points)
    below = step(0.2, 0.9, y)
    drape[:, 0] = 0.25 * np.sign(points[:, 0]) * below * (np.abs(points[:, 0]) < 0.85)
    drape[:, 2] = np.where(points[:, 2] > -0.12, 0.45, -0.25) * below * (points[:, 2] < 0.32)
    return drape


def _off_the_face(person: Identity, points: Vectors, rng: np.random.Generator) -> Vectors:
    """`points` of strands beside the face instead of before it; those of a fringe end above it."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    frame = person.half_width * (0.72 + 0.14 * step(-0.4, 0.3, y) + 0.04 * rng.normal(size=(len(points), 1)))
    holds = step(person.hairline - 0.1, person.hairline + 0.28, y) * step(-0.05, 0.12, z)
    limit = (1 + frame) * holds - 1
    is_fringe = (y[:, -1:] < person.eye_y - 0.05) & (y[:, -1:] > person.hairline)
    side = np.sign(x[:, x.shape[1] // 2, None] - person.part)
    beside = side * np.maximum(side * x, np.where(is_fringe, -9, limit))
    return np.stack([beside, y, z], -1)


def _waves(person: Identity, rng: np.random.Generator, lock: NDArray[np.int64], locks: int, arc: Field) -> Vectors:
    """(n, nodes, 3): curls, the same phase within a lock; `arc` (n, nodes) is how far along the strand."""
    amplitude = 0.012 + 0.05 * person.curl
    per_unit = 4 + 9 * person.curl
    phase = rng.uniform(0, 2 * np.pi, locks)[lock][:, None]
    axis = rng.normal(size=(locks, 3))[lock][:, None]
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    turn = np.sin(per_unit * arc + phase)[..., None] * axis
    reach = np.minimum(1, arc[:, -1:] / 0.6)[..., None]
    result: Vectors = amplitude * reach * turn
    return result


def _trimmed(points: Vectors, share: Field) -> Vectors:
    """Strands cut to a `share` of their length, with as many nodes."""
    place = share[:, None] * np.linspace(0, points.shape[1] - 1, points.shape[1])[None]
    low = np.minimum(place.astype(int), points.shape[1] - 2)
    part = (place - low)[..., None]
    rows = np.arange(len(points))[:, None]
    result: Vectors = points[rows, low] * (1 - part) + points[rows, low + 1] * part
    return result


def _bun(person: Identity, rng: np.random.Generator, count: int, nodes: int) -> Vectors:
    """(count, nodes, 3): a knot of hair on the crown."""
    size = 0.24 + 0.06 * person.hair_length
    centre = np.array([0, person.top - 0.12, -0.30])
    tilt = rng.uniform(-0.9, 0.9, (count, 1))
    turn = rng.uniform(0, 2 * np.pi, (count, 1)) + np.linspace(0, 2.2, nodes)[None]
    height = np.clip(np.sin(tilt + 0.5 * np.sin(turn)), -1, 1)
    ring = np.sqrt(1 - height**2)
    sphere = np.stack([ring * np.cos(turn), 0.75 * height, ring * np.sin(turn)], -1)
    return centre + size * sphere * (1 + 0.05 * rng.normal(size=(count, 1, 1)))


def _dressed(
    person: Identity, points: Vectors, lock: NDArray[np.int64], rng: np.random.Generator, detail: float
) -> Strands:
    """Colours, thickness and openness of strands."""
    count = len(points)
    along = np.linspace(0, 1, points.shape[1])[None]
    of_lock = rng.uniform(0.82, 1.2, int(lock.max()) + 1)[lock]
    shade = rng.uniform(0.8, 1.22, count)
    shade[: len(lock)] *= of_lock
    albedo = person.hair * (shade[:, None] * (0.85 + 0.25 * along))[..., None]
    if person.age > 0.5:
        is_grey = rng.random(count) < 0.6 * (person.age - 0.5)
        albedo[is_grey] = 0.3 * shade[is_grey, None, None]
    # Long hair spreads over more than the skull.
    broad = 1.4 if person.hair_style in _IS_LONG else 1.0
    thickness = broad * (
        0.0095
        / detail**0.9
        * (1 - 0.75 * along**3)
        * np.clip(0.3 + 4 * along, 0, 1)
        * rng.uniform(0.7, 1.2, (count, 1))
    )
    is_short = person.hair_style == "buzz"
    alpha = np.clip(1.6 - 1.2 * along**4, 0, 1) * np.clip(0.45 + 5 * along, 0, 1)
    alpha = alpha * (0.5 if is_short else 0.92) * np.ones((count, 1))
    behind = step(0.1, -0.35, points[..., 2]) * step(-0.2, 0.5, points[..., 1])
    openness = (0.55 + 0.45 * np.sqrt(along)) * rng.uniform(0.7, 1.0, (count, 1)) * (1 - 0.6 * behind)
    return Strands(*(part.astype(np.float32) for part in (points, albedo, alpha, thickness, openness)))
