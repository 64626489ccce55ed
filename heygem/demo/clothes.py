"""What presenters wear: T-shirt, sweater, shirt, blazer, painted and raised over a bust. Knows nothing of heads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from heygem.demo.body import Bust
from heygem.demo.fields import Field, Vectors, mixed, noise, ridge, step
from heygem.demo.identity import Colour, Identity
from heygem.demo.shading import Surface

_EDGE = 0.010
"""Half width of a sewn edge."""


def dress(person: Identity, bust: Bust, skin: Surface, rng: np.random.Generator) -> Surface:
    """The bust in its clothes."""
    folds = _folds(bust, rng)
    if person.clothes == "blazer":
        inner = _cover(skin, bust, _crew_neck(bust, 1.46), person.undershirt, 0.4 * folds, rng)
        return _jacket(person, inner, bust, folds, rng)
    if person.clothes == "shirt":
        return _shirt(person, _cover(skin, bust, _open_neck(bust), person.cloth, 0.7 * folds, rng), bust)
    if person.clothes == "sweater":
        distance = _crew_neck(bust, 1.30)
        ribs = 0.006 * np.sin(95 * bust.x) * (distance > 0.1) + 0.008 * np.sin(110 * bust.x) * (distance < 0.1)
        knitted = _cover(skin, bust, distance, person.cloth, folds + ribs + 0.02 * (distance < 0.1), rng)
        return _seamed(knitted, np.abs(distance - 0.1), 0.4)
    shirt = _cover(skin, bust, _crew_neck(bust, 1.40), person.cloth, 0.8 * folds, rng)
    return _seamed(shirt, np.abs(_crew_neck(bust, 1.40) - 0.055), 0.35)


def collar(person: Identity, detail: float) -> Iterator[Surface]:
    """The two flaps of a shirt's collar; nothing for other clothes."""
    if person.clothes != "shirt":
        return
    wide = person.half_width * (0.70 - 0.12 * person.feminine) / 0.46
    rows, columns = int(14 * detail), int(26 * detail)
    u, v = np.linspace(0, 1, columns)[None], np.linspace(0, 1, rows)[:, None]
    for side in (-1, 1):
        fold = _curve(u, [0.50 * wide, 1.00, -0.30], [0.47 * wide, 1.15, 0.02], [0.03, 1.40, 0.13])
        edge = _curve(u, [0.54 * wide, 1.08, -0.32], [0.59 * wide, 1.33, 0.06], [0.24, 1.66, 0.24])
        points = fold * (1 - v[..., None]) + edge * v[..., None]
        points[..., 2] += 0.05 * np.sin(np.pi * v) + 0.03
        points[..., 0] *= side
        border = np.minimum(np.minimum(1 - v, 0.35 * (1 - u)), 0.5)
        shade = (1 - 0.30 * ridge(border - 0.10, 0.03))[..., None]
        yield Surface(
            points=points.astype(np.float32),
            albedo=(person.cloth * shade * np.ones((rows, columns, 1))).astype(np.float32),
            gloss=np.full((rows, columns), 0.02, np.float32),
            polish=np.full((rows, columns), 8, np.float32),
            openness=(0.95 - 0.25 * (1 - v) + 0 * u).astype(np.float32),
            alpha=np.ones((rows, columns), np.float32),
        )


def _curve(u: Field, start: list[float], middle: list[float], end: list[float]) -> Vectors:
    """(1, c, 3): a parabola through three points."""
    a, b, c = (np.array(point) for point in (start, middle, end))
    t = u[..., None]
    return a * (1 - t) * (1 - 2 * t) + b * 4 * t * (1 - t) + c * t * (2 * t - 1)


def _crew_neck(bust: Bust, lowest: float) -> Field:
    """Distance below a round neckline whose lowest point is at `lowest`."""
    return bust.y - lowest + (lowest - 1.13) * (np.abs(bust.x) / 0.56) ** 2


def _open_neck(bust: Bust) -> Field:
    """Distance below the opening of an unbuttoned collar."""
    return bust.y - 1.58 + 0.46 * (np.abs(bust.x) / 0.42) ** 0.9


def _folds(bust: Bust, rng: np.random.Generator) -> Field:
    """Relief of cloth that hangs from the shoulders and is pulled at the arms."""
    side, y = np.abs(bust.x), bust.y
    drift = noise(rng, bust.x.shape, 3, 2)
    pull = np.sin(13 * (0.55 * side + 0.85 * y) + 1.6 * drift) * step(0.45, 1.0, side) * step(1.45, 1.8, y)
    hang = np.sin(6 * bust.x + 1.5 * drift) * step(1.7, 2.3, y)
    result: Field = 0.013 * pull + 0.014 * hang + 0.012 * noise(rng, bust.x.shape, 5, 3)
    return result


def _cover(
    surface: Surface, bust: Bust, distance: Field, colour: Colour, relief: Field, rng: np.random.Generator
) -> Surface:
    """Cloth over `surface` where `distance` is positive."""
    share = step(-0.006, 0.006, distance)
    weave = 1 + 0.035 * noise(rng, bust.x.shape, 110, 1) + 0.03 * noise(rng, bust.x.shape, 12, 3)
    points = surface.points.copy()
    points[..., 2] += (share * (0.022 + relief)).astype(np.float32)
    # Skin is dark just above the edge, where the cloth stands off.
    openness = surface.openness * (1 - 0.45 * ridge(distance + 0.012, 0.022) * (distance < 0))
    openness = openness * (1 - share) + share * (0.72 + 0.28 * step(0, 0.25, distance)) * np.maximum(openness, 0.55)
    openness = openness * (1 - share * np.clip(-9 * relief, 0, 0.3))
    return replace(
        surface,
        points=points,
        albedo=mixed(surface.albedo, colour * weave[..., None], share),
        gloss=(surface.gloss * (1 - share) + 0.02 * share).astype(np.float32),
        openness=openness.astype(np.float32),
    )


def _seamed(surface: Surface, distance: Field, depth: float) -> Surface:
    """A dark sewn line where `distance` is 0."""
    line = 1 - depth * ridge(distance, _EDGE)
    return replace(surface, openness=(surface.openness * line).astype(np.float32))


def _shirt(person: Identity, surface: Surface, bust: Bust) -> Surface:
    """The button strip."""
    below = step(1.56, 1.6, bust.y)
    strip = _seamed(surface, np.where(below > 0.5, np.abs(bust.x) - 0.062, 1), 0.4)
    button = np.zeros_like(bust.x)
    for height in (1.70, 2.02, 2.34, 2.66):
        button = np.maximum(button, 1 - step(0.018, 0.026, np.hypot(bust.x, bust.y - height)))
    return replace(strip, albedo=mixed(strip.albedo, np.sqrt(person.cloth) * 0.5 + 0.2, button))


def _jacket(person: Identity, surface: Surface, bust: Bust, folds: Field, rng: np.random.Generator) -> Surface:
    """A jacket whose fronts meet below the chest, with notched lapels."""
    side, y = np.abs(bust.x), bust.y
    inner = 0.45 * np.clip((2.55 - y) / 1.35, 0, 1.1) ** 0.9
    jacket = _cover(surface, bust, side - inner, person.cloth, folds + 0.02, rng)
    breadth = np.interp(y, [1.1, 1.3, 1.52, 1.56, 1.60, 2.5], [0.10, 0.20, 0.27, 0.16, 0.33, 0.0])
    outer = inner + breadth
    lapel = step(-0.008, 0.008, side - inner) * (1 - step(-0.008, 0.008, side - outer))
    points = jacket.points.copy()
    points[..., 2] += (0.028 * lapel).astype(np.float32)
    edges = 0.5 * ridge(side - outer - 0.012, 0.018) * (y < 2.5) + 0.25 * ridge(side - inner, 0.012)
    notch = 0.4 * ridge(y - 1.56 + 0.25 * (side - outer), 0.010) * lapel * (side > outer - 0.14)
    return replace(
        jacket,
        points=points,
        albedo=(jacket.albedo * (1 + 0.10 * lapel)[..., None]).astype(np.float32),
        openness=(jacket.openness * (1 - edges) * (1 - notch)).astype(np.float32),
    )
