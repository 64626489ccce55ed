"""How the planes of a clip relate to RGB. Needs no torch: whoever only reads a file's header does not wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Matrix = Literal["bt601", "bt709", "bt2020"]

_LUMA_WEIGHTS: dict[Matrix, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}
"""Weights of red and blue in luma (ITU-R BT.601, BT.709, BT.2020)."""


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """How Y, U and V of a clip relate to RGB.

    Attributes:
        matrix: Which luma weights.
        full_range: Y spans 0..255 instead of 16..235.
    """

    matrix: Matrix = "bt709"
    full_range: bool = False

    def to_rgb(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(3, 3) matrix and (3,) offset: rgb (0..1) = matrix @ yuv (0..255) + offset."""
        red, blue = _LUMA_WEIGHTS[self.matrix]
        green = 1 - red - blue
        to_rgb = np.array(
            [
                [1, 0, 2 * (1 - red)],
                [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
                [1, 2 * (1 - blue), 0],
            ]
        )
        low, luma_span, chroma_span = (0.0, 255.0, 255.0) if self.full_range else (16.0, 219.0, 224.0)
        matrix = to_rgb / np.array([luma_span, chroma_span, chroma_span])
        return matrix, -matrix @ np.array([low, 128.0, 128.0])

    def to_yuv(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(3, 3) matrix and (3,) offset: yuv (0..255) = matrix @ rgb (0..1) + offset."""
        matrix, offset = self.to_rgb()
        inverse = np.linalg.inv(matrix).astype(np.float64)
        return inverse, -inverse @ offset
