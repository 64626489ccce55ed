"""Which part of a drawn crop is shown: soft shapes laid over the face by its landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heygem.arrays import Affine, Mask
from heygem.faces import MaskShape
from heygem.faces.crop import inverse


@dataclass(frozen=True, slots=True)
class _Shape:
    """A soft-edged superellipse around the mouth; lengths are in units of the distance from mouth to eyes.

    Attributes:
        low: How far its centre lies below the mouth.
        half_width, half_height: Where the mask has fallen to one half.
        feather: Share of the radius over which it falls from 1 to 0.
        power: 2 is an ellipse, more is squarer.
    """

    low: float
    half_width: float
    half_height: float
    feather: float
    power: float


_SHAPES: dict[Literal["mouth", "lower-face"], _Shape] = {
    "mouth": _Shape(low=0.08, half_width=0.62, half_height=0.42, feather=0.45, power=2.2),
    "lower-face": _Shape(low=0.22, half_width=0.86, half_height=0.62, feather=0.36, power=2.6),
}

_BORDER = 0.06
"""Share of a crop's side over which a soft mask fades to 0 at the border: beyond it there is nothing to show."""


def lip_masks(
    shape: MaskShape,
    landmarks: Sequence[NDArray[np.float32]],
    maps: Sequence[Affine],
    size: int,
    device: torch.device,
) -> Mask:
    """Masks for pasting mouths.

    Args:
        shape: What is replaced. "box" is all of the crop, with hard edges, as Wav2Lip pastes.
        landmarks: (5, 2) each, frame pixels.
        maps: Frame pixels to crop pixels.
        size: Side of the crops.
        device: Where the masks are made.

    Returns:
        (N, 1, size, size) float32, 0..1.
    """
    if shape == "box":
        return torch.ones(len(maps), 1, size, size, device=device)
    masks = [
        _around_mouth(_SHAPES[shape], points, affine, size) for points, affine in zip(landmarks, maps, strict=True)
    ]
    return torch.stack(masks)[:, None].to(device) * _border_ramp(size, device)


def face_mask(size: int, device: torch.device) -> Mask:
    """Mask of a whole face in a crop aligned to GFPGAN's template, for when no parser is there.

    Returns:
        (1, size, size) float32, 0..1: a soft oval from the forehead to the chin.
    """
    line = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size
    x, y = torch.meshgrid(line, line, indexing="xy")
    radius = (((x - 0.5) / 0.36).abs() ** 2.4 + ((y - 0.55) / 0.43).abs() ** 2.4) ** (1 / 2.4)
    return _fall(radius, 0.3)[None] * _border_ramp(size, device)


def _around_mouth(shape: _Shape, landmarks: NDArray[np.float32], affine: Affine, size: int) -> Tensor:
    """(size, size) float32. Reckoned in frame pixels, where a face is not stretched to a square."""
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    down = (mouth - eyes).astype(np.float64)
    unit = max(float(np.hypot(*down)), 1.0)
    down /= unit
    right = np.array([down[1], -down[0]])
    axes = np.array([right / shape.half_width, down / shape.half_height])
    to_shape = axes @ (inverse(affine) - np.column_stack([np.zeros((2, 2)), mouth])) / unit
    to_shape[1, 2] -= shape.low / shape.half_height
    line = np.arange(size, dtype=np.float64)
    sides = [torch.from_numpy(by_x * line + (by_y * line[:, None] + start)).float() for by_x, by_y, start in to_shape]
    across, along = (side.abs_().pow_(shape.power) for side in sides)
    return _fall((across + along).pow_(1 / shape.power), shape.feather)


def _fall(radius: Tensor, feather: float) -> Tensor:
    """1 inside, 0 outside, one half at radius 1, smooth between."""
    x = ((1 + feather / 2 - radius) / feather).clamp(0, 1)
    return x * x * (3 - 2 * x)


def _border_ramp(size: int, device: torch.device) -> Tensor:
    """(size, size): 0 at the border, 1 from `_BORDER` of the side inwards."""
    line = torch.arange(size, device=device, dtype=torch.float32)
    edge = torch.minimum(line, size - 1 - line) / max(1.0, _BORDER * size)
    ramp = edge.clamp(0, 1)
    return torch.minimum(ramp[:, None], ramp[None, :])
