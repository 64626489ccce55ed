"""Eyebrows, lashes and beards: strands that ride on the moving face. Knows nothing of light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem.demo.eyes import lids
from heygem.demo.fields import Field, Vectors
from heygem.demo.hair import Strands
from heygem.demo.head import Head
from heygem.demo.identity import Identity
from heygem.demo.skin import beard_share, brow_line

_NODES = 4
_ALONG = np.linspace(0, 1, _NODES)[None, :, None]


@dataclass(frozen=True)
class Growth:
    """Strands rooted in the vertices of a head.

    Attributes:
        rows, columns: (n,) the vertex that each strand grows from.
        offsets: (n, s, 3) from that vertex to the strand's points, head units.
        strands: Everything but where they are.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    offsets: Vectors
    strands: Strands

    def on(self, points: Vectors) -> Strands:
        """The strands on a head whose vertices are at `points` now."""
        moved = (points[self.rows, self.columns][:, None] + self.offsets).astype(np.float32)
        still = self.strands
        return Strands(moved, still.albedo, still.alpha, still.thickness, still.openness)


def grow_brows(person: Identity, head: Head, rng: np.random.Generator, detail: float) -> Growth:
    """Both eyebrows."""
    count = int(130 * detail * (0.6 + 0.5 * person.brow_density))
    side = rng.choice([-1.0, 1.0], count)
    along = rng.beta(1.1, 1.25, count)
    across = np.clip(rng.normal(0, 0.5, count), -1, 1)
    middle, half = brow_line(person, along)
    x = side * (0.115 + along * (person.eye_x + 0.05))
    y = middle + across * half
    upright = np.clip(1 - along / 0.22, 0, 1)
    # Upper hairs lie down, lower ones stand up: they meet in a ridge.
    slope = 0.35 * along - 0.30 - 0.3 * across
    direction = np.stack([side * (1 - 0.55 * upright), slope - 0.75 * upright, np.full(count, 0.12)], -1)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = rng.uniform(0.05, 0.085, count) * (1 - 0.35 * along)
    return _rooted(person, head, x, y, direction, length, 0.0046 / detail**0.5, 0.85, rng)


def grow_beard(person: Identity, head: Head, rng: np.random.Generator, detail: float) -> Growth | None:
    """The beard; None where there is none, or where stubble is no longer than paint."""
    if person.beard in ("none", "stubble"):
        return None
    share = beard_share(person, head).astype(np.float64)
    share = share * (share > 0.1)
    area = np.gradient(head.flat_y, axis=0) * np.abs(np.gradient(head.points[..., 0], axis=1))
    weight = (share * np.clip(area, 0, None)).ravel()
    chosen = rng.choice(weight.size, int(1500 * detail**1.4), p=weight / weight.sum())
    rows, columns = np.unravel_index(chosen, share.shape)
    x, y = head.points[rows, columns, 0], head.flat_y[rows, columns]
    low = np.clip((y - person.mouth_y) / (person.chin - person.mouth_y), 0, 1)
    direction = np.stack([0.55 * np.tanh(x / 0.2), 0.75 + 0.3 * low, 0.5 - 0.2 * low], -1)
    direction += rng.normal(0, 0.22, direction.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = (0.035 + 0.055 * low + 0.05 * person.hair_length * low) * rng.uniform(0.6, 1.2, len(x))
    return _rooted(person, head, x, y, direction, length, 0.0050 / detail**0.6, 0.8, rng, at=(rows, columns))


def lashes(person: Identity, points: Vectors, head: Head, blink: float, detail: float) -> Strands:
    """The upper lashes over lids that are down by `blink`."""
    per_eye = int(22 * detail)
    across = np.tile(np.linspace(-0.98, 0.98, per_eye), 2)
    side = np.repeat([-1.0, 1.0], per_eye)
    x = side * person.eye_x + across * person.eye_width
    y = np.where(side < 0, lids(person, x, -person.eye_x, blink)[0], lids(person, x, person.eye_x, blink)[0])
    z = points[(*_nearest(head, x, y), 2)] + 0.015
    rises = np.full(len(x), -0.55 + 1.2 * blink)
    direction = np.stack([0.55 * across + 0.25 * side, rises, np.full(len(x), 0.75)], -1)
    outer = 0.6 + 0.4 * np.clip(across * side, 0, 1)
    length = (0.022 + 0.022 * person.feminine + 0.014 * person.makeup) * outer
    curl = np.stack([np.zeros(len(x)), np.full(len(x), -0.5 * (1 - blink)), np.zeros(len(x))], -1)
    step = length[:, None, None]
    offsets = step * (direction[:, None] * _ALONG + curl[:, None] * _ALONG**2)
    root = np.stack([x, y, z], -1)[:, None]
    strands = _strands(person, len(x), 0.0042 / detail**0.5, 0.8, np.ones(len(x)))
    dark = np.full_like(strands.albedo, 0.008)
    return Strands((root + offsets).astype(np.float32), dark, strands.alpha, strands.thickness, strands.openness)


def _nearest(head: Head, x: Field, y: Field) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the vertex nearest to each (x, y) at rest."""
    rows = np.clip(np.searchsorted(head.flat_y[:, 0], y), 0, len(head.flat_y) - 1)
    columns = np.abs(head.points[rows, :, 0] - x[:, None]).argmin(1)
    return rows, columns


def _rooted(
    person: Identity,
    head: Head,
    x: Field,
    y: Field,
    direction: Vectors,
    length: Field,
    thickness: float,
    alpha: float,
    rng: np.random.Generator,
    *,
    at: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> Growth:
    rows, columns = _nearest(head, x, y) if at is None else at
    vertex = head.points[rows, columns]
    slip = np.stack([x - vertex[:, 0], y - head.flat_y[rows, columns], np.full(len(x), 0.004)], -1)
    # Hairs bend towards the skin: less depth at the tip.
    bend = np.array([0, 0.15, -0.35]) * length[:, None]
    offsets = slip[:, None] + direction[:, None] * length[:, None, None] * _ALONG + bend[:, None] * _ALONG**2
    strands = _strands(person, len(x), thickness, alpha, rng.uniform(0.7, 1.2, len(x)))
    return Growth(rows, columns, offsets.astype(np.float32), strands)


def _strands(person: Identity, count: int, thickness: float, alpha: float, shade: Field) -> Strands:
    """Strands without a place, of the colour that hair has in the face."""
    colour = np.minimum(person.hair * 0.9 + 0.006, person.skin * 0.42)
    taper = np.array([1.0, 1.0, 0.8, 0.25])[None]
    ones = np.ones((count, 1))
    return Strands(
        points=np.zeros((count, _NODES, 3), np.float32),
        albedo=(colour * shade[:, None, None] * np.ones((1, _NODES, 1))).astype(np.float32),
        alpha=(alpha * np.array([0.6, 1, 1, 0.7])[None] * ones).astype(np.float32),
        thickness=(thickness * taper * ones).astype(np.float32),
        openness=(0.85 * np.ones((count, _NODES))).astype(np.float32),
    )
