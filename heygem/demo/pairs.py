"""Pairs of face crops that differ in nothing but the mouth: what the lip model learns from.

At run time the model sees the same frame with another mouth; a pair is exactly that, and each picture is the other's
reference. Knows nothing of sounds or networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from heygem.demo.fields import smooth_noise
from heygem.demo.identity import Identity
from heygem.demo.motion import Motion
from heygem.demo.presenter import Presenter
from heygem.demo.view import Camera, Pose

CROP_PX = 96
_DETECTOR_WIDTH_PX = 1000
"""Pixels per face that the boxes are computed with, before the crop's own scale is known."""


@dataclass(frozen=True)
class _Take:
    """How a series of crops was recorded: the same for every frame of it.

    Attributes:
        grain, blur_px: As in `Presenter.frame`.
        jpeg: Quality of its compression; None: none.
        wider, higher, lower: How the detector's box differs from the ideal one, as shares of its width.
        jitter: How much the box trembles, as a share of its width.
    """

    grain: float
    blur_px: float
    jpeg: int | None
    wider: float
    higher: float
    lower: float
    jitter: float

    @classmethod
    def of(cls, rng: np.random.Generator) -> Self:
        return cls(
            grain=float(rng.choice([0, 0.004, 0.01, 0.02])),
            blur_px=float(rng.choice([0, 0, 0.6, 1.0, 1.6])),
            jpeg=[None, None, 40, 60, 80][int(rng.integers(5))],
            wider=rng.uniform(-0.07, 0.07),
            higher=rng.uniform(-0.22, 0.04),
            lower=rng.uniform(-0.06, 0.08),
            jitter=rng.uniform(0, 0.012),
        )


def render_pairs(
    seed: int,
    poses: int,
    artic_a: NDArray[np.float32],
    artic_b: NDArray[np.float32],
    *,
    person: Identity | None = None,
    detail: float | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Each pose of one presenter twice, with two articulations.

    Light, pose, eyes, crop, noise and compression of a pair are the same. The crop is the box of a detector, stretched
    to a square, as the product crops (`faces.crop.box_map`).

    Args:
        seed: Decides everything else.
        poses: How many pairs, P.
        artic_a, artic_b: (P, 8) as in `articulation.CHANNELS`.
        person: Who; the identity with the number `seed` by default.
        detail: Density of the meshes; 0.75 to 1 by default.

    Returns:
        Two arrays (P, 96, 96, 3) uint8 RGB.

    Raises:
        ValueError: an articulation is not (P, 8).
    """
    if artic_a.shape != (poses, 8) or artic_b.shape != (poses, 8):
        raise ValueError(f"Expected articulations of ({poses}, 8), got {artic_a.shape} and {artic_b.shape}.")
    rng = np.random.default_rng((seed, 5))
    take = _Take.of(rng)
    density = float(rng.uniform(0.75, 1.0)) if detail is None else detail
    presenter = Presenter(person or Identity.of(seed), detail=density)
    centre = Pose(float(rng.normal(0, 0.13)), float(rng.normal(0, 0.07)), float(rng.normal(0, 0.05)))
    motion = Motion.of(rng, 9 * poses, calm=float(rng.uniform(0.5, 1.5)), centre=centre)
    tremble = np.stack([smooth_noise(rng, poses, 1) for _ in range(4)], axis=1) * take.jitter
    crops = np.empty((2, poses, CROP_PX, CROP_PX, 3), np.uint8)
    for index in range(poses):
        moment = 9 * index
        camera = _camera(presenter, motion.poses[moment], take, tremble[index])
        for which, articulation in enumerate((artic_a[index], artic_b[index])):
            portrait = presenter.frame(
                articulation,
                motion.poses[moment],
                float(motion.blinks[moment]),
                (float(motion.gazes[moment, 0]), float(motion.gazes[moment, 1])),
                size=(camera.height, camera.width),
                camera=camera,
                grain=take.grain,
                blur_px=take.blur_px,
                grain_seed=index,
            )
            crops[which, index] = _crop(portrait.rgb, take)
    return crops[0], crops[1]


def _camera(presenter: Presenter, pose: Pose, take: _Take, tremble: NDArray[np.float32]) -> Camera:
    """A camera whose picture is the detector's box."""
    wide = Camera(0, 0, _DETECTOR_WIDTH_PX, 0, 0)
    left, top, right, bottom = presenter.face_box(pose, wide) / _DETECTOR_WIDTH_PX
    width = right - left
    left, right = left - width * (take.wider + tremble[0]), right + width * (take.wider + tremble[1])
    top, bottom = top - width * (take.higher + tremble[2]), bottom + width * (take.lower + tremble[3])
    scale = CROP_PX / (right - left)
    height = max(48, round(float((bottom - top) * scale)))
    return Camera(float(left + right) / 2, float(top + bottom) / 2, float(scale), CROP_PX, height)


def _crop(rgb: NDArray[np.uint8], take: _Take) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if rgb.shape[0] > CROP_PX else cv2.INTER_LINEAR
    square = cv2.resize(rgb, (CROP_PX, CROP_PX), interpolation=how)
    if take.jpeg is not None:
        _, packed = cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, take.jpeg])
        square = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return np.asarray(square, np.uint8)
