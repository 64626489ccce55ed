"""Open, blinking and looking eyes, painted onto a head's surface. Knows nothing of mouths."""

from __future__ import annotations

import numpy as np

from heygem.demo.fields import Field, Vectors, mixed, ridge, step
from heygem.demo.identity import Identity
from heygem.demo.shading import Surface

_IRIS_RADIUS = 0.064
_SCLERA = np.array([0.56, 0.53, 0.51], np.float32)


def paint_eyes(
    person: Identity,
    surface: Surface,
    normals: Vectors,
    *,
    blink: float,
    gaze: tuple[float, float],
    light_side: float,
) -> None:
    """Paint both eyes into `surface` and `normals`, which are changed.

    Args:
        person: Whose.
        surface: Of the head, with its points as they are now.
        normals: Of the head.
        blink: 0 open, 1 shut.
        gaze: Where to look, -1..1 to the right and down.
        light_side: Sign of the key light's x: where the highlight sits.
    """
    rows = slice(*np.searchsorted(_middle(surface), [person.eye_y - 0.16, person.eye_y + 0.13]))
    for x in (-person.eye_x, person.eye_x):
        _paint_eye(person, surface, normals, rows, x, blink, gaze, light_side)


def _middle(surface: Surface) -> Field:
    """Heights along the middle of the face, above the mouth."""
    column = surface.points[:, surface.points.shape[1] // 2, 1]
    return column[: len(column) // 2]


def lids(person: Identity, x: Field, eye_x: float, blink: float) -> tuple[Field, Field]:
    """Heights of the upper and the lower lid over `x`."""
    across = (x - eye_x) / person.eye_width
    arch = np.clip(1 - across**2, 0, 1)
    tilt = -0.012 * across * np.sign(eye_x)
    upper = person.eye_y + tilt - 0.98 * person.eye_height * arch**0.62 * (1 - blink) + 0.035 * blink * arch
    lower = person.eye_y + tilt + 0.75 * person.eye_height * arch**0.8 * (1 - 0.1 * blink)
    return upper.astype(np.float32), lower.astype(np.float32)


def _paint_eye(
    person: Identity,
    surface: Surface,
    normals: Vectors,
    rows: slice,
    eye_x: float,
    blink: float,
    gaze: tuple[float, float],
    light_side: float,
) -> None:
    x, y = surface.points[rows, :, 0], surface.points[rows, :, 1]
    across = (x - eye_x) / person.eye_width
    arch = np.clip(1 - across**2, 0, 1)
    upper, lower = lids(person, x, eye_x, blink)
    inside = step(0, 0.010, y - upper) * step(0, 0.008, lower - y) * (np.abs(across) < 1)
    iris_x, iris_y = eye_x + 0.05 * gaze[0], person.eye_y - 0.004 + 0.03 * gaze[1] + 0.009 * blink
    from_iris_x, from_iris_y = x - iris_x, y - iris_y
    albedo = surface.albedo[rows]
    ball = _eyeball(person, across, from_iris_x, from_iris_y)
    ball *= (0.3 + 0.7 * step(0, 0.05, y - upper))[..., None]
    albedo = mixed(albedo, ball, inside)
    crease = ridge(y - upper + 0.030 + 0.012 * blink, 0.008) * arch**0.3 * (np.abs(across) < 1.1)
    albedo *= 1 - 0.28 * crease[..., None]
    lashes = 0.88 * ridge(y - upper + 0.003, 0.0085) * (np.abs(across) < 1) * np.clip(3 * arch, 0, 1)
    lashes = lashes + 0.35 * ridge(y - lower - 0.003, 0.006) * np.clip(2 * arch, 0, 1)
    albedo *= 1 - np.clip(lashes, 0, 0.92)[..., None]
    catch = ridge(from_iris_x - 0.022 * light_side, 0.012) * ridge(from_iris_y + 0.024, 0.012) * inside
    surface.albedo[rows] = albedo + 1.6 * catch[..., None]
    bulge = np.stack([0.45 * across, (y - person.eye_y) / 0.16, np.ones_like(x)], -1)
    bulge /= np.linalg.norm(bulge, axis=-1, keepdims=True)
    normals[rows] = mixed(normals[rows], bulge, inside)
    surface.openness[rows] = surface.openness[rows] * (1 - inside) + inside
    surface.gloss[rows] = surface.gloss[rows] * (1 - inside) + 0.05 * inside


def _eyeball(person: Identity, across: Field, from_iris_x: Field, from_iris_y: Field) -> Vectors:
    """Colours of sclera, iris and pupil."""
    radius = np.sqrt(from_iris_x**2 + from_iris_y**2) / _IRIS_RADIUS
    white = _SCLERA * (1 - 0.3 * np.abs(across[..., None]) ** 2) * np.array([1, 0.97, 0.95])
    fibres = 1 + 0.12 * np.sin(23 * np.arctan2(from_iris_y, from_iris_x))
    rings = (0.5 + 0.55 * np.clip(radius, 0, 1) ** 1.5) * fibres * (1 - 0.75 * step(0.72, 1, radius))
    iris = person.iris * rings[..., None]
    ball = mixed(white.astype(np.float32), iris, 1 - step(0.90, 1.06, radius))
    return mixed(ball, np.full(3, 0.008), 1 - step(0.36, 0.46, radius))
