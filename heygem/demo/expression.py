"""How an articulation moves a head's vertices. Knows nothing of sounds or light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem.demo.fields import Field, Vectors, bump, ridge, step
from heygem.demo.head import Head
from heygem.demo.identity import Identity
from heygem.demo.shading import normals_of


@dataclass(frozen=True)
class Mouth:
    """One moment of a mouth on a given head.

    Attributes:
        jaw, wide, round, upper, lower, press, tuck, tongue: As in `articulation.CHANNELS`.
        drop: How far the jaw hangs, head units.
        opening: Distance between the lips, head units.
        stretch: Width of the mouth relative to rest.
    """

    jaw: float
    wide: float
    round: float
    upper: float
    lower: float
    press: float
    tuck: float
    tongue: float
    drop: float
    opening: float
    stretch: float

    @classmethod
    def of(cls, person: Identity, articulation: NDArray[np.float32]) -> Mouth:
        """What the eight values mean on the head of `person`."""
        jaw, wide, rounded, upper, lower, press, tuck, tongue = (float(value) for value in articulation)
        drop = person.jaw_gain * jaw
        opening = 1.02 * drop + 0.035 * lower + 0.042 * upper
        stretch = 1 + 0.13 * wide - 0.4 * rounded
        return cls(jaw, wide, rounded, upper, lower, press, tuck, tongue, drop, opening, stretch)


def posed(head: Head, person: Identity, mouth: Mouth) -> Vectors:
    """(r, c, 3): the head's vertices with that mouth."""
    x, y, z = (head.points[..., axis].copy() for axis in range(3))
    side, away = np.abs(x), head.seam_distance
    within = np.clip(1 - (side / person.mouth_width) ** 2, 0, 1)
    arch = within**0.62
    y += np.where(head.is_lower, _lower_lip(y, side, away, arch, within, mouth), _upper_lip(away, arch, within, mouth))
    corner = ridge(side - person.mouth_width, 0.12) * ridge(away, 0.13)
    y += (0.22 * mouth.drop - 0.012 * max(mouth.wide, 0)) * corner
    around = ridge(x, 0.40, 2.4) * ridge(y - person.mouth_y, 0.27)
    x *= 1 + (mouth.stretch - 1) * around
    x *= 1 - 0.03 * mouth.jaw * step(0.2, 0.7, y)
    near = bump(x, y, 0, person.mouth_y, 0.22, 0.14)
    z += (0.11 * mouth.round - 0.03 * max(mouth.wide, 0) - 0.005 * mouth.press) * near
    z -= 0.16 * mouth.drop * step(person.mouth_y, person.chin, y) * head.is_lower
    # An opening lip rolls inwards.
    z -= np.clip(mouth.opening, 0, 0.15) * 0.22 * np.exp(-away / 0.022) * head.lip_profile
    z -= 0.05 * mouth.tuck * np.exp(-away / 0.05) * head.lip_profile * head.is_lower
    z += 0.02 * max(mouth.wide, 0) * bump(side, y, 0.40, 0.3, 0.13, 0.14)
    return np.stack([x, y, z], -1).astype(np.float32)


def _lower_lip(y: Field, side: Field, away: Field, arch: Field, within: Field, mouth: Mouth) -> Field:
    near = np.exp(-away / 0.14)
    chin = step(0.15, 0.75, y) * ridge(side, 0.62, 4)
    move = mouth.drop * (0.92 * arch * near + (1 - near) * chin)
    move += 0.035 * mouth.lower * arch * np.exp(-away / 0.08)
    move -= mouth.tuck * (0.055 + 0.2 * mouth.drop) * arch * np.exp(-away / 0.07)
    result: Field = (move - mouth.press * within * _squeeze(away, 0.016)).astype(np.float32)
    return result


def _upper_lip(away: Field, arch: Field, within: Field, mouth: Mouth) -> Field:
    raised = -(0.042 * mouth.upper + 0.1 * mouth.drop) * arch * np.exp(-away / 0.09)
    result: Field = (raised + mouth.press * within * _squeeze(away, 0.010)).astype(np.float32)
    return result


def _squeeze(away: Field, reach: float) -> Field:
    """How far pressing moves what is `away` from the seam towards it: the lips overlap, and their red grows thin."""
    squeeze: Field = 0.006 * np.exp(-away / 0.05) + reach * away / 0.05 * np.exp(1 - away / 0.05)
    return squeeze


def head_normals(head: Head, person: Identity, points: Vectors) -> Vectors:
    """Normals of a head whose lips may be apart: each lip for itself, cheeks across the seam."""
    row = head.seam_row
    normals = np.concatenate([normals_of(points[:row]), normals_of(points[row:])])
    beside = np.abs(head.points[row, :, 0]) > person.mouth_width
    across = normals[row - 1] + normals[row]
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-9
    normals[row - 1, beside] = across[beside]
    normals[row, beside] = across[beside]
    return normals
