"""One picture of a clip, as it comes out of a decoder and goes into an encoder: planar YUV 4:2:0.

Knows nothing of files or faces. A frame is never converted to RGB as a whole: `faces.crop` converts the face region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

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

    def to_rgb(self) -> tuple[Tensor, Tensor]:
        """(3, 3) matrix and (3,) offset, float64: rgb (0..1) = matrix @ yuv (0..255) + offset."""
        red, blue = _LUMA_WEIGHTS[self.matrix]
        green = 1 - red - blue
        to_rgb = torch.tensor(
            [
                [1, 0, 2 * (1 - red)],
                [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
                [1, 2 * (1 - blue), 0],
            ],
            dtype=torch.float64,
        )
        low, luma_span, chroma_span = (0.0, 255.0, 255.0) if self.full_range else (16.0, 219.0, 224.0)
        matrix = to_rgb / torch.tensor([luma_span, chroma_span, chroma_span], dtype=torch.float64)
        return matrix, -matrix @ torch.tensor([low, 128.0, 128.0], dtype=torch.float64)

    def to_yuv(self) -> tuple[Tensor, Tensor]:
        """(3, 3) matrix and (3,) offset, float64: yuv (0..255) = matrix @ rgb (0..1) + offset."""
        matrix, offset = self.to_rgb()
        inverse = torch.linalg.inv(matrix)
        return inverse, -inverse @ offset


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes:
        data: (width * height * 3 / 2,) uint8: the planes Y, U and V, row by row, on any device.
        width, height: Pixels, both even.
        colour: What the values mean.
    """

    data: Tensor
    width: int
    height: int
    colour: ColourSpace

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2:
            raise ValueError(f"A frame's sides are even, got {self.width} x {self.height}.")
        expected = self.width * self.height * 3 // 2
        if self.data.dtype != torch.uint8 or self.data.shape != (expected,):
            raise ValueError(f"Expected ({expected},) uint8, got {tuple(self.data.shape)} {self.data.dtype}.")

    @property
    def y(self) -> Tensor:
        """(H, W) uint8 view of the luma plane."""
        return self.data[: self.width * self.height].view(self.height, self.width)

    @property
    def u(self) -> Tensor:
        """(H/2, W/2) uint8 view of the blue-difference plane."""
        start = self.width * self.height
        return self.data[start : start + start // 4].view(self.height // 2, self.width // 2)

    @property
    def v(self) -> Tensor:
        """(H/2, W/2) uint8 view of the red-difference plane."""
        start = self.width * self.height
        return self.data[start + start // 4 :].view(self.height // 2, self.width // 2)

    def to(self, device: torch.device) -> Frame:
        """This frame on `device`; itself if it is there."""
        data = self.data.to(device, non_blocking=True)
        return self if data is self.data else Frame(data, self.width, self.height, self.colour)
