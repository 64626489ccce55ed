"""Cut a face out of a frame and put one back, at the frame's own resolution, on any device.

Every crop is one affine map from frame pixels to crop pixels, and both ways use it. Only the region of the face leaves
YUV: what is cut is converted after sampling, what is pasted is converted before, and a pixel whose mask is 0 keeps its
bytes. Chroma samples sit where H.264 puts them: on even columns, between rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own convention
from numpy.typing import NDArray
from torch import Tensor

from heygem.arrays import Affine, Crops, Mask
from heygem.frame import ColourSpace, Frame

_TEMPLATE_512 = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
"""Where GFPGAN was trained to see eyes, nose and mouth corners in a picture of 512 pixels."""


@dataclass(frozen=True, slots=True)
class Patch:
    """New pixels for one crop.

    Attributes:
        colour: (3, S, S) RGB 0..1.
        opacity: (1, S, S) 0..1: how much of `colour` covers the frame's own pixels; None: wholly.
        flow: (2, S, S): where the frame's own pixels are fetched from, in crop pixels; None: in place.
    """

    colour: Tensor
    opacity: Tensor | None = None
    flow: Tensor | None = None


def box_map(box: NDArray[np.float32], pads: tuple[int, int, int, int], size: int) -> Affine:
    """Map of a padded face box, stretched to a square.

    Args:
        box: (4,) left, top, right, bottom in frame pixels, as borders between pixels (a slice of an array).
        pads: Pixels added at the top, bottom, left and right.
        size: Side of the crop in pixels.
    """
    above, below, before, after = pads
    left, top = float(box[0]) - before, float(box[1]) - above
    width = max(2.0, float(box[2]) + after - left)
    height = max(2.0, float(box[3]) + below - top)
    scale_x, scale_y = size / width, size / height
    # Borders lie half a pixel before the centre of the first pixel, in the frame as in the crop.
    return np.array(
        [[scale_x, 0, (0.5 - left) * scale_x - 0.5], [0, scale_y, (0.5 - top) * scale_y - 0.5]], dtype=np.float64
    )


def aligned_map(landmarks: NDArray[np.float32], size: int) -> Affine:
    """Map that turns, scales and shifts a face so that its five landmarks lie best on GFPGAN's template.

    Least squares over all similarities (Umeyama 1991), hence steady in time: a robust fit that drops another point in
    every frame makes the crop jump.

    Args:
        landmarks: (5, 2) in frame pixels: eyes, nose, mouth corners.
        size: Side of the crop in pixels.
    """
    target = _TEMPLATE_512 * (size / 512)
    points = landmarks.astype(np.float64)
    centre_from, centre_to = points.mean(0), target.mean(0)
    source = (points - centre_from) @ np.array([1, 1j])
    wanted = (target - centre_to) @ np.array([1, 1j])
    turn = np.vdot(source, wanted) / max(np.vdot(source, source).real, 1e-12)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, centre_to - linear @ centre_from])


def inverse(affine: Affine) -> Affine:
    """The map back, from crop pixels to frame pixels."""
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])


def cut(frames: Sequence[Frame], maps: Sequence[Affine], size: int) -> Crops:
    """Cut one crop out of each frame.

    Shrinking averages over the pixels that fall into one; outside the frame its edge repeats.

    Returns:
        (N, 3, size, size) float32 RGB, not clamped (a decoder's YUV may lie outside 0..1), on the frames' device.
    """
    return torch.stack([_cut_one(frame, affine, size) for frame, affine in zip(frames, maps, strict=True)])


def paste(frame: Frame, affine: Affine, patch: Patch, mask: Mask) -> None:
    """Blend `patch` into `frame`, in place.

    Args:
        frame: Changed where the mask is above 0, and nowhere else.
        affine: Frame pixels to crop pixels.
        patch: The new pixels.
        mask: (1, S, S) 0..1, how much of them is shown.
    """
    region = _region(frame, affine, patch.colour.shape[-1])
    if region is None:
        return
    layers = _Layers.of(patch, mask, affine, frame.colour)
    left, top, right, bottom = region
    device = frame.data.device
    _blend(frame.y, (left, top, right, bottom), _luma_points(region, device), layers, (0,), step=1)
    chroma = (left // 2, top // 2, right // 2, bottom // 2)
    points = _chroma_points(region, device)
    _blend(frame.u, chroma, points, layers, (1,), step=2)
    _blend(frame.v, chroma, points, layers, (2,), step=2)


def _cut_one(frame: Frame, affine: Affine, size: int) -> Tensor:
    back = inverse(affine)
    shrink = max(1, floor(_pixels_per_crop_pixel(affine)))
    device = frame.data.device
    points = _crop_points(size, shrink, device) @ _linear(back, device).T + _shift(back, device)
    # Outside the frame its edge repeats, so a crop that lies beyond it shows the nearest corner.
    left, top, right, bottom = _region(frame, affine, size) or (0, 0, frame.width, frame.height)
    points = points - torch.tensor([left, top], device=device)
    chroma_points = points * 0.5 - torch.tensor([0.0, 0.25], device=device)
    chroma = (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
    yuv = torch.cat(
        [
            _grid_sample(frame.y[None, top:bottom, left:right].float(), points),
            _grid_sample(torch.stack([frame.u[chroma], frame.v[chroma]]).float(), chroma_points),
        ]
    )
    if shrink > 1:
        yuv = F.avg_pool2d(yuv, shrink)
    matrix, offset = frame.colour.to_rgb()
    rgb = torch.einsum("ij,jhw->ihw", matrix.float().to(device), yuv)
    return rgb + offset.float().to(device)[:, None, None]


def _grid_sample(picture: Tensor, points: Tensor, *, mode: str = "bilinear", padding: str = "border") -> Tensor:
    """(C, h, w): `picture` (C, H, W) at `points` (h, w, 2) in its own pixels."""
    height, width = picture.shape[-2:]
    spans = torch.tensor([max(width - 1, 1), max(height - 1, 1)], device=points.device, dtype=points.dtype)
    grid = points * (2 / spans) - 1
    return F.grid_sample(picture[None], grid[None], mode=mode, padding_mode=padding, align_corners=True)[0]


@dataclass(frozen=True, slots=True)
class _Layers:
    """A patch, made ready for sampling.

    Attributes:
        yuv: (3, T, T) 0..255, enlarged or shrunk to about the frame's resolution.
        extra: (K, S, S): the mask, then opacity and flow in frame pixels where the patch has them.
        to_yuv, to_extra: (2, 3): frame pixels to the pixels of either.
    """

    yuv: Tensor
    extra: Tensor
    to_yuv: Affine
    to_extra: Affine
    has_opacity: bool
    has_flow: bool

    @classmethod
    def of(cls, patch: Patch, mask: Mask, affine: Affine, colour: ColourSpace) -> _Layers:
        matrix, offset = colour.to_yuv()
        picture = patch.colour.float()
        device = picture.device
        yuv = torch.einsum("ij,jhw->ihw", matrix.float().to(device), picture) + offset.float().to(device)[:, None, None]
        yuv, to_yuv = _resized(yuv, affine)
        extra = [mask.float()]
        if patch.opacity is not None:
            extra.append(patch.opacity.float())
        if patch.flow is not None:
            to_frame = _linear(inverse(affine), device)
            extra.append(torch.einsum("ij,jhw->ihw", to_frame, patch.flow.float()))
        return cls(yuv, torch.cat(extra), to_yuv, affine, patch.opacity is not None, patch.flow is not None)


def _resized(picture: Tensor, affine: Affine) -> tuple[Tensor, Affine]:
    """`picture` at about the frame's resolution and the map to its pixels; smooth if enlarged, no moiré if shrunk."""
    ratio = _pixels_per_crop_pixel(affine)
    enlarge, shrink = ceil(ratio - 0.25), floor(1 / ratio)
    if enlarge > 1:
        factor = float(min(enlarge, 8))
        picture = F.interpolate(picture[None], scale_factor=factor, mode="bicubic", align_corners=False)[0]
    elif shrink > 1:
        factor = 1 / shrink
        picture = F.avg_pool2d(picture, shrink, ceil_mode=True)
    else:
        return picture, affine
    scaled = affine * factor
    scaled[:, 2] += (factor - 1) / 2
    return picture, scaled


def _blend(
    plane: Tensor,
    region: tuple[int, int, int, int],
    points: Tensor,
    layers: _Layers,
    channel: tuple[int],
    *,
    step: int,
) -> None:
    """Blend one channel into `region` of `plane`. `points` are where its samples lie, in luma pixels; `step` apart."""
    left, top, right, bottom = region
    device = plane.device
    at_extra = points @ _linear(layers.to_extra, device).T + _shift(layers.to_extra, device)
    mask = _grid_sample(layers.extra[:1], at_extra, padding="zeros")[0]
    old = plane[top:bottom, left:right]
    own = old.float()
    at_yuv = points @ _linear(layers.to_yuv, device).T + _shift(layers.to_yuv, device)
    new = _grid_sample(layers.yuv[list(channel)], at_yuv)[0]
    if layers.has_opacity:
        rest = _grid_sample(layers.extra[1:], at_extra)
        under = own
        if layers.has_flow:
            rows = torch.arange(bottom - top, device=device, dtype=torch.float32)
            columns = torch.arange(right - left, device=device, dtype=torch.float32)
            here = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
            under = _grid_sample(own[None], here + rest[1:3].permute(1, 2, 0) / step, mode="bicubic")[0]
        new = rest[0] * new + (1 - rest[0]) * under
    blended = own + mask * (new - own)
    old.copy_(blended.round_().clamp_(0, 255).to(torch.uint8))


def _region(frame: Frame, affine: Affine, size: int) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the part of the frame that a crop touches, on even borders; None if it is outside."""
    corners = np.array([[-1, -1, 1], [size, -1, 1], [-1, size, 1], [size, size, 1]], dtype=np.float64)
    points = corners @ inverse(affine).T
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
    left, top = (max(0, int(value)) // 2 * 2 for value in low)
    right = min(frame.width, (int(high[0]) + 1) // 2 * 2)
    bottom = min(frame.height, (int(high[1]) + 1) // 2 * 2)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _luma_points(region: tuple[int, int, int, int], device: torch.device) -> Tensor:
    """(h, w, 2): positions of the region's luma samples."""
    left, top, right, bottom = region
    columns = torch.arange(left, right, device=device, dtype=torch.float32)
    rows = torch.arange(top, bottom, device=device, dtype=torch.float32)
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)


def _chroma_points(region: tuple[int, int, int, int], device: torch.device) -> Tensor:
    """(h/2, w/2, 2): positions of the region's chroma samples, in luma pixels."""
    left, top, right, bottom = region
    columns = torch.arange(left, right, 2, device=device, dtype=torch.float32)
    rows = torch.arange(top, bottom, 2, device=device, dtype=torch.float32) + 0.5
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)


def _crop_points(size: int, times: int, device: torch.device) -> Tensor:
    """(size * times, size * times, 2): centres of a crop's pixels, each divided into `times` by `times`."""
    line = (torch.arange(size * times, device=device, dtype=torch.float32) + 0.5) / times - 0.5
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)


def _pixels_per_crop_pixel(affine: Affine) -> float:
    """How many frame pixels one crop pixel spans, on the average of both directions."""
    return float(abs(np.linalg.det(affine[:, :2])) ** -0.5)


def _linear(affine: Affine, device: torch.device) -> Tensor:
    return torch.from_numpy(affine[:, :2]).float().to(device)


def _shift(affine: Affine, device: torch.device) -> Tensor:
    return torch.from_numpy(affine[:, 2]).float().to(device)
