"""Glasses over a drawn face: shadow, lenses with reflections, frames."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from heygem.demo.fields import Field, Vectors
from heygem.demo.identity import Glasses, Identity
from heygem.demo.shading import Light
from heygem.demo.view import Camera, Pose, projected

_SUBPIXEL_BITS = 3


@dataclass(frozen=True)
class _Model:
    """Shape and make of a frame: half sizes of a lens, its squareness, thickness (head units), linear colour, sheen."""

    width: float
    height: float
    squareness: float
    thickness: float
    colour: tuple[float, float, float]


_MODELS: dict[Glasses, _Model] = {
    "bold": _Model(0.205, 0.145, 3.4, 0.030, (0.012, 0.011, 0.010)),
    "thin": _Model(0.200, 0.125, 3.0, 0.012, (0.16, 0.15, 0.14)),
    "round": _Model(0.175, 0.165, 2.0, 0.014, (0.22, 0.13, 0.05)),
}


def draw_glasses(person: Identity, pose: Pose, camera: Camera, light: Light, picture: Vectors) -> None:
    """Draw the glasses that `person` wears, if any, into `picture` (H, W, 3), linear light."""
    model = _MODELS.get(person.glasses)
    if model is None:
        return
    thickness = max(1, round(model.thickness * camera.px_per_unit))
    lenses = [_lens(person, model, side) for side in (-1, 1)]
    bars = [_bridge(person, model), *(_temple(person, model, side) for side in (-1, 1))]
    shadow = np.zeros(picture.shape[:2], np.float32)
    drop = np.array([-0.03 * np.sign(light.directions[0, 0]), 0.045, -0.03])
    for line in lenses:
        _stroke(shadow, line + drop, pose, camera, thickness, 1.0, is_closed=True)
    shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.5, 0.018 * camera.px_per_unit)).astype(np.float32)
    picture *= 1 - 0.30 * shadow[..., None]
    _reflect(lenses, pose, camera, light, picture)
    for line in lenses:
        _stroke(picture, line, pose, camera, thickness, model.colour, is_closed=True)
        gleam = tuple(
            0.25 * float(value) + 2 * part for value, part in zip(light.colours[0], model.colour, strict=True)
        )
        upper = line[24:44] - np.array([0, 0.2 * model.thickness, 0])
        _stroke(picture, upper, pose, camera, max(1, thickness // 4), gleam, is_closed=False)
    for line in bars:
        _stroke(picture, line, pose, camera, thickness, model.colour, is_closed=False)


def _reflect(lenses: list[Vectors], pose: Pose, camera: Camera, light: Light, picture: Vectors) -> None:
    """A pale band across each lens, and a little less light behind it."""
    for lens in lenses:
        flat = projected(lens, pose, camera)[:, :2]
        inside = np.zeros(picture.shape[:2], np.float32)
        cv2.fillPoly(inside, [_fixed(flat)], 1.0, cv2.LINE_AA, _SUBPIXEL_BITS)
        (left, top), (right, bottom) = flat.min(0), flat.max(0)
        rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
        diagonal = (columns - left) / (right - left) + 0.7 * (rows - top) / (bottom - top)
        band = np.exp(-(((diagonal - 0.42) / 0.16) ** 2)) + 0.6 * np.exp(-(((diagonal - 0.78) / 0.05) ** 2))
        glare = (inside * 0.045 * band)[..., None] * light.colours[0]
        picture *= 1 - 0.05 * inside[..., None]
        picture += glare.astype(np.float32)


def _lens(person: Identity, model: _Model, side: int) -> Vectors:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    power = 2 / model.squareness
    x = side * (person.eye_x + 0.015) + model.width * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
    y = person.eye_y + 0.03 + model.height * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    return np.stack([x, y, person.depth + 0.03 - 0.45 * x**2], -1)


def _bridge(person: Identity, model: _Model) -> Vectors:
    inner = person.eye_x + 0.015 - model.width
    x = np.linspace(-inner, inner, 9)
    y = person.eye_y - 0.015 - 0.03 * (1 - (x / inner) ** 2)
    return np.stack([x, y, np.full(9, person.depth + 0.05)], -1)


def _temple(person: Identity, model: _Model, side: int) -> Vectors:
    hinge = person.eye_x + 0.015 + model.width
    z = person.depth + 0.03 - 0.45 * hinge**2
    ends = [[side * hinge, person.eye_y, z], [side * max(hinge, person.half_width + 0.01), person.eye_y - 0.02, 0.0]]
    return np.array(ends)


def _stroke(
    picture: Vectors | Field,
    line: Vectors,
    pose: Pose,
    camera: Camera,
    thickness: int,
    colour: tuple[float, ...] | float,
    *,
    is_closed: bool,
) -> None:
    flat = projected(line, pose, camera)[:, :2]
    cv2.polylines(picture, [_fixed(flat)], is_closed, colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _fixed(flat: Field) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Pixel positions as OpenCV's fixed-point numbers."""
    return np.round(flat * (1 << _SUBPIXEL_BITS)).astype(np.int32)
