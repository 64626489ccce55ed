"""Who a presenter is: every number of the appearance, drawn from one seed. Knows nothing of how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Colour: TypeAlias = NDArray[np.float32]
"""(3,) linear RGB."""

HairStyle = Literal["short", "parted", "swept", "fringe", "long", "bun", "buzz"]
Beard = Literal["none", "stubble", "full", "goatee"]
Glasses = Literal["none", "bold", "thin", "round"]
Clothes = Literal["tee", "blazer", "shirt", "sweater"]

_HAIR_COLOURS = np.array(
    [
        [0.012, 0.009, 0.007],
        [0.03, 0.018, 0.011],
        [0.085, 0.045, 0.022],
        [0.2, 0.12, 0.055],
        [0.35, 0.24, 0.12],
        [0.3, 0.29, 0.28],
        [0.14, 0.045, 0.015],
    ]
)
_HAIR_SHARES = [0.32, 0.25, 0.18, 0.09, 0.06, 0.06, 0.04]
_IRIS_COLOURS = np.array(
    [[0.09, 0.045, 0.02], [0.05, 0.03, 0.02], [0.10, 0.16, 0.22], [0.10, 0.15, 0.08], [0.16, 0.10, 0.05]]
)
_SKINS = np.array([[0.16, 0.085, 0.055], [0.56, 0.34, 0.225], [0.70, 0.49, 0.39]])
"""Dark, middle, light."""
_DARK = 0.4
"""Skin tone from which hair and eyes are dark."""


@dataclass(frozen=True)
class Identity:
    """One presenter.

    Lengths are in head units: half a head's height, 0 at its middle, x to the right, y down, z to the viewer.

    Attributes:
        seed: Of everything random that has no field of its own: strands, pores, folds.
        feminine: 0..1; what the other fields were drawn with.
        age: 0 (twenty) to 1 (seventy).
        half_width, top, chin, depth: Extents of the skull: half its width, y of crown and chin, z of the face.
        jaw_power, jaw_taper: Shape of the jaw's outline: large power is square, large taper narrow.
        nose_width, nose_height: Factors. nose_y: Of its tip.
        eye_x, eye_y, eye_width, eye_height: Of the left eye's middle (mirrored), half the opening.
        mouth_y, mouth_width, upper_lip, lower_lip: Seam; half the width; heights of the lips.
        jaw_gain: How far a full jaw drops. bow: Depth of Cupid's bow. smile: How much the corners are up.
        cheek, chin_relief: How much they stand out.
        brow_y, brow_thickness, brow_density: Eyebrows; density 0..1.
        hairline: y of the forehead's upper end. part: x where the hair divides.
        hair_length: 0..1 within the style. curl: 0..1.
        makeup: 0..1. freckles: 0..1. moles: How many.
        skin, lip, hair, iris, teeth, cloth, undershirt: Colours.
    """

    seed: int
    feminine: float
    age: float
    half_width: float
    top: float
    chin: float
    depth: float
    jaw_power: float
    jaw_taper: float
    nose_width: float
    nose_height: float
    nose_y: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    mouth_y: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    jaw_gain: float
    bow: float
    smile: float
    cheek: float
    chin_relief: float
    brow_y: float
    brow_thickness: float
    brow_density: float
    hair_style: HairStyle
    hairline: float
    part: float
    hair_length: float
    curl: float
    beard: Beard
    glasses: Glasses
    makeup: float
    freckles: float
    moles: int
    clothes: Clothes
    skin: Colour
    lip: Colour
    hair: Colour
    iris: Colour
    teeth: Colour
    cloth: Colour
    undershirt: Colour

    @classmethod
    def of(cls, seed: int) -> Self:
        """The presenter with the number `seed`: always the same."""
        rng = np.random.default_rng((seed, 0))
        u = rng.uniform
        feminine = float(u(0.6, 1) if rng.random() < 0.5 else u(0, 0.4))
        age = float(u(0, 1))
        tone = float(u(0, 1))
        skin = _skin(tone, u(-1, 1))
        makeup = float(u(0, 1)) if feminine > 0.5 and rng.random() < 0.6 else 0.0
        return cls(
            seed=seed,
            feminine=feminine,
            age=age,
            half_width=u(0.655, 0.715) - 0.025 * feminine,
            top=u(-1.28, -1.18),
            chin=u(0.92, 1.02) - 0.03 * feminine,
            depth=u(0.70, 0.82),
            jaw_power=u(2.5, 3.4) - 0.3 * feminine,
            jaw_taper=u(0.46, 0.56) + 0.05 * feminine,
            nose_width=u(0.9, 1.25) - 0.1 * feminine,
            nose_height=u(0.9, 1.25) - 0.1 * feminine,
            nose_y=u(0.17, 0.25),
            eye_x=u(0.285, 0.315),
            eye_y=u(-0.21, -0.16),
            eye_width=u(0.132, 0.148),
            eye_height=u(0.052, 0.064) + 0.008 * feminine,
            mouth_y=u(0.48, 0.54),
            mouth_width=u(0.23, 0.29),
            upper_lip=u(0.040, 0.064) + 0.010 * feminine,
            lower_lip=u(0.062, 0.092) + 0.010 * feminine,
            jaw_gain=u(0.22, 0.25),
            bow=u(0.1, 0.4),
            smile=u(0.02, 0.05),
            cheek=u(0, 0.05),
            chin_relief=u(0.02, 0.08),
            brow_y=u(-0.41, -0.36) - 0.01 * feminine,
            brow_thickness=u(0.032, 0.046) - 0.012 * feminine,
            brow_density=u(0.55, 1.0),
            hair_style=_hair_style(rng, feminine),
            hairline=u(-0.86, -0.76) - 0.08 * (age if feminine < 0.5 else 0),
            part=u(-0.3, 0.3),
            hair_length=u(0, 1),
            curl=u(0, 1) ** 2,
            beard=_beard(rng, feminine),
            glasses=rng.choice(["none", "bold", "thin", "round"], p=[0.76, 0.1, 0.08, 0.06]),
            makeup=makeup,
            freckles=float(u(0, 1)) if rng.random() < 0.2 else 0.0,
            moles=int(rng.poisson(1.5)),
            clothes=rng.choice(["tee", "blazer", "shirt", "sweater"]),
            skin=skin,
            lip=_lip(rng, skin, makeup),
            hair=_hair_colour(rng, age, tone),
            iris=_iris(rng, tone),
            teeth=_colour(np.array([0.80, 0.76, 0.66]) * u(0.82, 1.05)),
            cloth=_cloth(rng),
            undershirt=_colour(np.full(3, u(0.45, 0.75)) * u(0.85, 1.0, 3)),
        )


def _colour(values: NDArray[np.floating]) -> Colour:
    return np.asarray(values, np.float32)


def _skin(tone: float, warmth: float) -> Colour:
    """Skin from light (tone 0) to dark (1)."""
    place = np.array([0, 0.5, 1])
    skin = np.array([np.interp(1 - tone, place, _SKINS[:, channel]) for channel in range(3)])
    return _colour(skin * (1 + warmth * np.array([0.03, 0, -0.05])))


def _lip(rng: np.random.Generator, skin: Colour, makeup: float) -> Colour:
    bare = skin * np.array([0.82, 0.50, 0.50]) * rng.uniform(0.88, 1.08) + np.array([0.03, 0, 0.005])
    stick = np.array([rng.uniform(0.35, 0.6), rng.uniform(0.06, 0.2), rng.uniform(0.08, 0.2)])
    return _colour(bare * (1 - 0.6 * makeup) + 0.6 * makeup * stick)


def _hair_colour(rng: np.random.Generator, age: float, tone: float) -> Colour:
    kind = rng.choice(len(_HAIR_COLOURS), p=_HAIR_SHARES)
    hair = _HAIR_COLOURS[kind if tone < _DARK else kind % 2] * rng.uniform(0.8, 1.3)
    grey = np.clip((age - 0.7) / 0.3, 0, 1) * 0.8
    return _colour(hair * (1 - grey) + grey * np.array([0.26, 0.25, 0.24]))


def _iris(rng: np.random.Generator, tone: float) -> Colour:
    return _colour(_IRIS_COLOURS[rng.integers(len(_IRIS_COLOURS) if tone < _DARK else 2)])


def _cloth(rng: np.random.Generator) -> Colour:
    grey = np.full(3, rng.uniform(0.03, 0.5))
    return _colour(grey if rng.random() < 0.3 else grey * rng.uniform(0.35, 1.3, 3))


def _hair_style(rng: np.random.Generator, feminine: float) -> HairStyle:
    styles: tuple[HairStyle, ...] = ("short", "parted", "swept", "buzz", "fringe", "long", "bun")
    hers, his = [0.04, 0.04, 0.06, 0.01, 0.22, 0.45, 0.18], [0.32, 0.26, 0.26, 0.12, 0.02, 0.02, 0.0]
    chosen: HairStyle = rng.choice(styles, p=hers if feminine > 0.5 else his)
    return chosen


def _beard(rng: np.random.Generator, feminine: float) -> Beard:
    kinds: tuple[Beard, ...] = ("none", "stubble", "full", "goatee")
    chosen: Beard = rng.choice(kinds, p=[0.4, 0.28, 0.2, 0.12])
    return chosen if feminine < 0.5 else "none"
