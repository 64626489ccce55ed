"""One picture of a clip, as it comes out of a decoder and goes into an encoder: planar YUV 4:2:0.

Knows nothing of files or faces. A frame is never converted to RGB as a whole: `faces.crop` converts the face region.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from heygem.colour_space import ColourSpace


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
