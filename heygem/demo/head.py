"""The shape of a presenter's head at rest: a grid of vertices that is split along the lips. Knows nothing of colours.

The face is a height field over an outline, so its silhouette is exact; the row of vertices on the seam of the lips
exists twice, so the mouth can really open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem.demo.fields import Field, Vectors, blurred, bump, noise, ridge, step
from heygem.demo.identity import Identity

WIDEST_Y = -0.25
"""Where the skull is widest."""
CROWN_POWER = 2.5
"""Roundness of the skull above that: (x / width)^2 + (z / depth)^2 + above^power = 1."""
_SPAN_RAD = np.deg2rad(96)
"""How far the grid reaches around the head, to each side of the nose."""


@dataclass(frozen=True)
class Head:
    """A head at rest, in head units.

    Attributes:
        points: (r, c, 3).
        angle: (1, c) radians around the head, 0 at the nose.
        flat_y: (r, c): heights before the smile bent the seam.
        seam_row: First row of the lower lip; the row above it is the upper lip's edge.
        lip: (r, c) 0..1: is the red of the lips.
        lip_profile: (r, c) 1 in the middle of the mouth, 0 beyond its corners.
        seam_distance: (r, c): height above or below the seam.
    """

    points: Vectors
    angle: Field
    flat_y: Field
    seam_row: int
    lip: Field
    lip_profile: Field
    seam_distance: Field

    @property
    def is_lower(self) -> NDArray[np.bool_]:
        """(r, 1): rows below the seam."""
        return (np.arange(len(self.points)) >= self.seam_row)[:, None]


def shape_head(person: Identity, rng: np.random.Generator, detail: float) -> Head:
    """The head of `person`.

    Args:
        person: Whose.
        rng: Of the relief of skin and lips.
        detail: Density of the grid; 1 is 190 by 181 vertices.
    """
    columns = int(181 * detail) | 1
    t = np.linspace(-1, 1, columns)
    angle = (_SPAN_RAD * (0.62 * t + 0.38 * t**3)).astype(np.float32)[None]
    heights, seam_row = _rows(person, detail)
    y = np.broadcast_to(heights[:, None], (len(heights), columns)).astype(np.float32)
    outline = _outline(person, heights, detail)
    x = (outline * np.sin(angle)).astype(np.float32)
    z = _skull(person, y, angle)
    z += _features(person, x, y)
    is_lower = (np.arange(len(heights)) >= seam_row)[:, None]
    lip, profile, relief = _lips(person, x, y, is_lower)
    z += relief
    pores = noise(rng, z.shape, 85, 1) + 0.15 * noise(rng, z.shape, 30, 1)
    z += (0.0003 + 0.0005 * person.age) * pores * (1 - lip) / max(detail, 1)
    z += 0.0018 * noise(rng, (8, columns), 70, 1)[3:4] * lip
    if person.age > 0.4:
        furrows = np.sin(y * 62 + 0.6 * np.cos(x * 5)) * bump(x, y, 0, -0.6, 0.35, 0.12)
        z += 0.003 * (person.age - 0.4) * furrows
    distance = y - person.mouth_y
    share = np.abs(x) / person.mouth_width
    smile = -person.smile * share**2 * np.exp(-0.25 * share**4)
    points = np.stack([x, y + smile * ridge(distance, 0.15), z], -1).astype(np.float32)
    return Head(points, angle, y.copy(), seam_row, lip, profile, np.abs(distance))


def _rows(person: Identity, detail: float) -> tuple[Field, int]:
    """Heights of the rows, dense at eyes and lips, and the first row below the seam."""

    def rows(low: float, high: float, count: int) -> NDArray[np.float64]:
        return np.linspace(low, high, int(count * detail), endpoint=False)

    mouth, eye, chin = person.mouth_y, person.eye_y, person.chin
    upper = [rows(person.top + 0.002, -0.75, 18), rows(-0.75, eye - 0.3, 12), rows(eye - 0.3, eye + 0.1, 50)]
    upper += [rows(eye + 0.1, 0.12, 18), rows(0.12, mouth - 0.14, 22), rows(mouth - 0.14, mouth, 22), np.array([mouth])]
    lower = [rows(mouth, mouth + 0.16, 26), rows(mouth + 0.16, chin - 0.02, 24)]
    lower += [np.linspace(chin - 0.02, chin - 0.0005, int(7 * detail))]
    smooth = [_evened(np.concatenate(part), 6 * detail) for part in (upper, lower)]
    return np.concatenate(smooth).astype(np.float32), len(smooth[0])


def _evened(heights: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """`heights` whose spacing changes gradually, with the same ends."""
    reach = min(int(3 * sigma), len(heights) - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(heights, reach, mode="reflect", reflect_type="odd")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _outline(person: Identity, heights: Field, detail: float) -> Field:
    """(r, 1): half the head's width at each row."""
    below = np.clip((heights - WIDEST_Y) / (person.chin - WIDEST_Y), 0, 1)
    jaw = (1 - (0.11 + 0.03 * person.feminine) * below**1.4) * (1 - below**person.jaw_power) ** person.jaw_taper
    angles = 0.02 * (1 - person.feminine) * ridge(heights - 0.5, 0.18) + 0.015 * ridge(heights + 0.02, 0.15)
    outline = person.half_width * np.where(heights < WIDEST_Y, _crown(person, heights), jaw + angles * (jaw > 0.3))
    return np.maximum(blurred(outline[:, None], 1.5 * detail), 1e-3)


def _crown(person: Identity, y: Field) -> Field:
    """How much narrower the skull is above its widest place, 1 there."""
    above = np.clip((WIDEST_Y - y) / (WIDEST_Y - person.top), 0, 1)
    result: Field = np.sqrt(np.clip(1 - above**CROWN_POWER, 0.0004, 1))
    return result


def _skull(person: Identity, y: Field, angle: Field) -> Field:
    below = np.clip((y - WIDEST_Y) / (person.chin - WIDEST_Y), 0, 1)
    depth = person.depth * np.sqrt(np.clip(1 - (np.maximum(y, WIDEST_Y) / 1.55) ** 2, 0.05, 1))
    depth = depth * (1 - 0.1 * step(0.3, 1.0, y)) * np.sqrt(np.clip(1 - 0.85 * below**7, 0.004, 1))
    result: Field = depth * _crown(person, y) * np.cos(angle) * (1 + 0.18 * np.sin(angle) ** 2)
    return result


def _features(person: Identity, x: Field, y: Field) -> Field:
    """Relief of brow, eyes, nose, cheeks and chin."""
    side = np.abs(x)
    eye_x, eye_y, nose, mouth, age = person.eye_x, person.eye_y, person.nose_y, person.mouth_y, person.age
    relief = _nose(person, x, y)
    relief -= 0.075 * bump(side, y, eye_x - 0.02, eye_y + 0.01, 0.19, 0.11)
    relief += 0.05 * bump(side, y, eye_x, eye_y + 0.005, 0.12, 0.075)
    relief += 0.045 * bump(side, y, 0.28, eye_y - 0.17, 0.26, 0.07) + 0.02 * bump(x, y, 0, -0.6, 0.5, 0.25)
    relief += (0.03 + person.cheek) * bump(side, y, 0.42, 0.08, 0.2, 0.16)
    relief -= (0.02 + 0.03 * age) * bump(side, y, 0.46, 0.42, 0.14, 0.2)
    relief += 0.055 * bump(x, y, 0, mouth - 0.01, 0.30, 0.22)
    relief += person.chin_relief * bump(x, y, 0, person.chin - 0.14, 0.17, 0.11)
    fold_x = 0.15 + 0.16 * np.clip((y - nose + 0.03) / 0.35, 0, 1)
    fold = ridge(side - fold_x, 0.045) * step(nose - 0.08, nose + 0.04, y) * (1 - step(mouth - 0.02, mouth + 0.12, y))
    relief -= (0.006 + 0.026 * age) * fold
    relief -= 0.02 * bump(x, y, 0, (nose + mouth) / 2 + 0.02, 0.028, 0.07)
    return relief.astype(np.float32)


def _nose(person: Identity, x: Field, y: Field) -> Field:
    tip, width = person.nose_y, person.nose_width
    # The lower edge is round: the wings end above the tip.
    y = y + 1.8 * np.minimum(x * x, 0.03)
    along = np.clip((y + 0.28) / (tip + 0.28), 0, 1.4)
    # The underside falls steeply between the wings and gently in the middle.
    under = np.where(y < tip, 0.02 + 0.2 * along**1.7, 0.22 * np.exp(-(((y - tip) / 0.08) ** 2)))
    flank = 0.085 + 0.050 * np.clip(along, 0, 1) ** 2 * width
    nose = person.nose_height * under * ridge(x / flank, 1) * step(-0.36, -0.2, y)
    nose += 0.030 * bump(x, y, 0, tip - 0.015, 0.07, 0.055)
    wing_x = 0.112 * width
    nose += 0.088 * bump(np.abs(x), y, wing_x, tip + 0.0, 0.048, 0.056)
    nose -= 0.022 * bump(np.abs(x), y, wing_x + 0.062, tip - 0.01, 0.02, 0.06)
    result: Field = nose - 0.03 * bump(np.abs(x), y, 0.062 * width, tip + 0.052, 0.036, 0.02)
    return result


def _lips(person: Identity, x: Field, y: Field, is_lower: NDArray[np.bool_]) -> tuple[Field, Field, Field]:
    """Red of the lips, their profile along the mouth, and their relief."""
    side, distance, half = np.abs(x), y - person.mouth_y, person.mouth_width
    profile = np.clip(1 - (side / (half * 1.02)) ** 2.3, 0, 1)
    bow = 1 + 0.16 * ridge(side - 0.06, 0.06) - 0.6 * person.bow * ridge(x, 0.045)
    height = np.where(is_lower, person.lower_lip * profile**0.62, person.upper_lip * profile**0.75 * bow)
    share = np.abs(distance) / np.maximum(height, 1e-4)
    soft = np.clip(0.022 / np.maximum(height, 1e-3), 0.05, 0.6)
    t = np.clip((share - 1 + soft) / (2 * soft), 0, 1)
    lip = (1 - t * t * (3 - 2 * t)) * step(0.0, 0.22, profile)
    pout = np.clip(np.sin(np.clip(share, 0, 1.25) / 1.25 * np.pi), 0, 1) ** 0.8
    relief = 0.058 * np.where(is_lower, 1.2, 1.0) * pout * np.sqrt(profile) * (height / 0.07) ** 0.5
    relief -= 0.045 * ridge(distance, 0.018) * profile**0.5
    relief -= 0.012 * ridge(distance, 0.03) * ridge(side - half, 0.035)
    relief -= 0.04 * bump(x, y, 0, person.mouth_y + person.lower_lip + 0.075, 0.17, 0.045)
    return lip.astype(np.float32), profile.astype(np.float32), relief.astype(np.float32)
