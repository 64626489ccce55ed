"""Glasses as lines over a finished picture."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from heygem.demo.fields import Vectors
from heygem.demo.identity import Identity
from heygem.demo.view import Camera, Pose, projected

_FRAME = (0.02, 0.018, 0.016)
_THICKNESS = 0.026
_SUBPIXEL_BITS = 3


def draw_glasses(person: Identity, pose: Pose, camera: Camera, picture: Vectors) -> None:
    """Draw frames and temples into `picture` (H, W, 3), linear light."""
    thickness = max(1, int(_THICKNESS * camera.px_per_unit))
    for line, is_closed in _lines(person):
        flat = projected(line, pose, camera)[:, :2] * (1 << _SUBPIXEL_BITS)
        points = [np.round(flat).astype(np.int32)]
        cv2.polylines(picture, points, is_closed, _FRAME, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _lines(person: Identity) -> Iterator[tuple[NDArray[np.float32], bool]]:
    turn = np.linspace(0, 2 * np.pi, 48)
    power = 2 / 3.2
    for side in (-1, 1):
        x = side * (person.eye_x + 0.005) + 0.205 * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
        y = person.eye_y + 0.03 + 0.15 * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
        yield np.stack([x, y, 0.72 - 0.35 * x**2], -1).astype(np.float32), True
        hinge = [side * (person.eye_x + 0.21), person.eye_y, 0.55]
        yield np.array([hinge, [side * person.half_width, person.eye_y - 0.02, 0]], np.float32), False
    y = person.eye_y
    yield np.array([[-0.12, y, 0.78], [0, y - 0.03, 0.82], [0.12, y, 0.78]], np.float32), False
