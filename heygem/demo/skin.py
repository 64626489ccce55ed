"""What a face is painted with: skin, lips, brows, beard. Knows nothing of movement or light."""

from __future__ import annotations

import numpy as np

from heygem.demo.fields import Field, Vectors, blurred, bump, mixed, noise, ridge, step
from heygem.demo.head import Head
from heygem.demo.identity import Identity
from heygem.demo.scalp import scalp_share
from heygem.demo.shading import Surface


class _Grain:
    """Noise over a face whose rows are unevenly spaced: equally fine everywhere."""

    def __init__(self, y: Field, rng: np.random.Generator) -> None:
        self._shape, self._rng = y.shape, rng
        heights = y[:, 0]
        place = (heights - heights[0]) / (heights[-1] - heights[0])
        self._rows = np.round(place * (len(heights) - 1)).astype(int)

    def __call__(self, cells: float, octaves: int, persistence: float = 0.5) -> Field:
        even: Field = noise(self._rng, self._shape, cells, octaves, persistence)[self._rows]
        return even


def paint_face(person: Identity, head: Head, rng: np.random.Generator, detail: float) -> Surface:
    """The head's surface at rest, painted."""
    x, y = head.points[..., 0], head.flat_y
    grain = _Grain(y, rng)
    albedo = _skin(person, x, y, grain, rng)
    albedo = mixed(albedo, _lip_colours(person, y, grain, rng), head.lip)
    albedo = _nostrils(person, x, y, albedo)
    hair = np.minimum(person.hair * 1.1 + 0.01, person.skin * 0.5)
    albedo = mixed(albedo, hair, _brows(person, x, y))
    scalp = scalp_share(person, head.angle, y, grain(30, 2))
    albedo = mixed(
        albedo, person.hair * 0.6 + 0.02 * person.skin, (0.8 if person.hair_style == "buzz" else 0.95) * scalp
    )
    gloss, polish = _gloss(person, head, x, y, grain)
    gloss = gloss * (1 - scalp)
    beard = beard_share(person, head)
    if person.beard != "none":
        cover = np.clip(0.8 * beard * (0.75 + 0.2 * grain(130, 1)), 0, 0.9).astype(np.float32)
        albedo = mixed(albedo, np.minimum(person.hair * 1.3 + 0.008, person.skin * 0.55), cover)
        gloss = gloss * (1 - 0.7 * cover)
    ones = np.ones_like(y)
    return Surface(head.points, albedo, gloss.astype(np.float32), polish, _openness(person, head, detail), ones)


def beard_share(person: Identity, head: Head) -> Field:
    """(r, c) 0..1: how densely a beard grows; 0 everywhere without one."""
    x, y, side = head.points[..., 0], head.flat_y, np.abs(head.points[..., 0])
    density = {"none": 0.0, "stubble": 0.36, "full": 0.9, "goatee": 0.85}[person.beard]
    grows = np.maximum(step(0.30, 0.52, y + 0.16 * (side > 0.45)), step(-0.15, 0.1, y) * step(0.60, 0.68, side))
    grows = grows * (1 - 0.95 * bump(side, y, 0.36, 0.33, 0.17, 0.2))
    bare = 0.75 * bump(x, y, 0, person.mouth_y + person.lower_lip + 0.06, 0.09, 0.03)
    grows = grows * np.clip(1 - 1.6 * head.lip - bare, 0, 1)
    if person.beard == "goatee":
        moustache = bump(x, y, 0, (person.nose_y + person.mouth_y) / 2 + 0.03, 0.26, 0.075)
        grows = grows * np.maximum(moustache, bump(x, y, 0, person.chin - 0.1, 0.18, 0.16))
    result: Field = (density * grows).astype(np.float32)
    return result


def _skin(person: Identity, x: Field, y: Field, grain: _Grain, rng: np.random.Generator) -> Vectors:
    side, nose, eye_x, eye_y = np.abs(x), person.nose_y, person.eye_x, person.eye_y
    skin = np.ones((*y.shape, 3), np.float32) * person.skin
    flush = 0.055 * bump(side, y, 0.4, 0.16, 0.24, 0.2) + 0.08 * bump(x, y, 0, nose, 0.12, 0.1)
    flush += 0.05 * bump(side, y, 0.7, 0, 0.1, 0.3) + 0.05 * bump(x, y, 0, person.chin - 0.1, 0.2, 0.05)
    flush += 0.07 * person.makeup * bump(side, y, 0.45, 0.1, 0.2, 0.14)
    skin *= 1 + (flush + 0.015 * grain(7, 3))[..., None] * np.array([0.6, -1.1, -0.9])
    skin *= 1 + (0.02 * grain(5, 5, 0.7) + 0.010 * grain(80, 1))[..., None]
    below = (0.14 + 0.12 * person.age) * bump(side, y, eye_x - 0.01, eye_y + 0.10, 0.14, 0.055)
    skin *= 1 - below[..., None] * np.array([0.6, 1, 0.8])
    skin *= 1 - (0.16 + 0.3 * person.makeup) * bump(side, y, eye_x, eye_y - 0.075, 0.17, 0.05)[..., None]
    for _ in range(person.moles):
        mole = bump(x, y, rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.85), 0.012, 0.012)
        skin *= 1 - rng.uniform(0.3, 0.7) * mole[..., None]
    if person.freckles:
        spots = np.clip(grain(90, 1) - 1.6, 0, 1) * bump(side, y, 0.3, 0.1, 0.3, 0.2)
        skin *= 1 - 0.6 * person.freckles * spots[..., None] * np.array([0.6, 1, 1.1])
    return skin.astype(np.float32)


def _lip_colours(person: Identity, y: Field, grain: _Grain, rng: np.random.Generator) -> Vectors:
    wrinkles = noise(rng, (8, y.shape[1]), 70, 1)[3:4]
    tint = 1 + 0.05 * wrinkles + 0.04 * grain(30, 2)
    seam = 1 - 0.28 * ridge(y - person.mouth_y, 0.02)[..., None] * np.array([0.7, 1, 1])
    result: Vectors = (person.lip * tint[..., None] * seam).astype(np.float32)
    return result


def _nostrils(person: Identity, x: Field, y: Field, albedo: Vectors) -> Vectors:
    width = person.nose_width
    side = np.abs(x)
    # Nostrils are ovals that lean towards the tip.
    hole = 0.9 * bump(side - 0.35 * (y - person.nose_y - 0.04), y, 0.066 * width, person.nose_y + 0.054, 0.034, 0.016)
    crease = 0.3 * ridge(side - 0.168 * width, 0.018) * ridge(y - person.nose_y, 0.05)
    return (albedo * (1 - hole)[..., None] * (1 - crease)[..., None]).astype(np.float32)


def brow_line(person: Identity, along: Field) -> tuple[Field, Field]:
    """Height of a brow's middle and half its thickness, `along` it from the nose (0) to the temple (1)."""
    middle = person.brow_y + 0.03 - 0.075 * np.sin(2.5 * along) + 0.05 * along**3
    return middle, person.brow_thickness * (1.1 - 0.8 * along**1.5)


def _brows(person: Identity, x: Field, y: Field) -> Field:
    """The soft shade under the hairs of the brows."""
    along = (np.abs(x) - 0.115) / (person.eye_x + 0.05)
    middle, half = brow_line(person, np.clip(along, 0, 1))
    cover = np.exp(-(((y - middle) / (1.1 * half)) ** 2)) * step(-0.05, 0.12, along) * (1 - step(0.85, 1.05, along))
    result: Field = 0.55 * person.brow_density * cover
    return result


def _gloss(person: Identity, head: Head, x: Field, y: Field, grain: _Grain) -> tuple[Field, Field]:
    """Strength and sharpness of reflections."""
    nose = person.nose_y
    gloss = 0.11 + 0.1 * bump(x, y, 0, nose - 0.04, 0.1, 0.12) + 0.06 * bump(x, y, 0, -0.55, 0.35, 0.15)
    gloss *= 1 - 0.4 * (person.age > 0.6)
    gloss = gloss * (1 + 0.10 * grain(60, 2)) * (1 - head.lip) + (0.26 + 0.2 * person.makeup) * head.lip
    polish = (14 + 6 * bump(x, y, 0, nose, 0.1, 0.1)) * (1 - head.lip) + 26 * head.lip
    return gloss.astype(np.float32), polish.astype(np.float32)


def _openness(person: Identity, head: Head, detail: float) -> Field:
    """Ambient occlusion from how far a vertex lies below its surroundings, and in the known creases."""
    x, y, z = head.points[..., 0], head.flat_y, head.points[..., 2]
    small, large = blurred(z, 5 * detail), blurred(z, 12 * detail)
    openness = 1 - np.clip((small - z) * 6, 0, 0.5)
    openness = openness - np.clip((large - z) * 2.2, 0, 0.4) * (np.abs(head.angle) < 1.2)
    openness = openness * (1 - 0.22 * bump(x, y, 0, person.nose_y + 0.085, 0.15, 0.045))
    openness = openness * (1 - 0.25 * step(person.chin - 0.06, person.chin, y))
    return np.clip(openness, 0.25, 1.02).astype(np.float32)
