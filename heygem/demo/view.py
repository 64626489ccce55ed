"""How a head is turned and seen: poses, cameras and the projection. Knows nothing of what is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem.demo.fields import Vectors

_PIVOT = np.array([0, 0.75, -0.25])
"""Where the head turns: the top of the neck."""
_DISTANCE = 7.0
"""From the camera to the head, head units."""


@dataclass(frozen=True)
class Pose:
    """How a head is held.

    Attributes:
        yaw, pitch, roll: Radians.
        x, y: Shift in head units.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0


STILL = Pose()
"""Upright, straight into the camera."""


@dataclass(frozen=True)
class Camera:
    """What part of the scene fills the picture.

    Attributes:
        x, y: Point in the middle of the picture, head units.
        px_per_unit: Pixels per head unit; a head is about 2.2 units high.
        width, height: Of the picture, pixels.
    """

    x: float
    y: float
    px_per_unit: float
    width: int
    height: int

    def times(self, factor: int) -> Camera:
        """The same view with `factor` times as many pixels each way."""
        return Camera(self.x, self.y, self.px_per_unit * factor, self.width * factor, self.height * factor)


def rotation(pose: Pose, share: float = 1.0) -> NDArray[np.float32]:
    """(3, 3): the turn of `pose`, or a `share` of it."""
    cos_y, sin_y = math.cos(share * pose.yaw), math.sin(share * pose.yaw)
    cos_p, sin_p = math.cos(share * pose.pitch), math.sin(share * pose.pitch)
    cos_r, sin_r = math.cos(share * pose.roll), math.sin(share * pose.roll)
    roll = np.array([[cos_r, -sin_r, 0], [sin_r, cos_r, 0], [0, 0, 1]])
    pitch = np.array([[1, 0, 0], [0, cos_p, -sin_p], [0, sin_p, cos_p]])
    yaw = np.array([[cos_y, 0, sin_y], [0, 1, 0], [-sin_y, 0, cos_y]])
    result: NDArray[np.float32] = (roll @ pitch @ yaw).astype(np.float32)
    return result


def turned(points: Vectors, pose: Pose, share: float = 1.0) -> Vectors:
    """Points (..., 3) that follow a `share` of `pose`, in head units."""
    result: Vectors = (points - _PIVOT) @ rotation(pose, share).T + _PIVOT + share * np.array([pose.x, pose.y, 0])
    return result


def seen(points: Vectors, camera: Camera) -> Vectors:
    """Columns, rows (pixels of `camera`) and depth (head units) of points (..., 3) that have been turned."""
    near = _DISTANCE / (_DISTANCE - points[..., 2:3])
    flat = (points[..., :2] - (camera.x, camera.y)) * near * camera.px_per_unit + (camera.width / 2, camera.height / 2)
    return np.concatenate([flat, points[..., 2:3]], axis=-1).astype(np.float32)


def projected(points: Vectors, pose: Pose, camera: Camera) -> Vectors:
    """Columns, rows (pixels of `camera`) and depth (head units) of points (..., 3) of the head."""
    return seen(turned(points, pose), camera)
