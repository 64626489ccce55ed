"""Cut a face out of a frame and put one back, at the frame's own resolution, on any device.

Every crop is one affine map from frame pixels to crop pixels, and both ways use it. Only the region of the face leaves
YUV: what is cut is converted after sampling, what is pasted is converted before, and a pixel whose mask is 0 keeps its
bytes. Chroma samples sit where H.264 puts them: on even columns, between rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor
from typing import TypeAlias

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own convention
from numpy.typing import NDArray
from torch import Tensor

from heygem.arrays import Affine, Crops, Mask
from heygem.colour_space import ColourSpace
from heygem.cores import each
from heygem.frame import Frame

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

_REACH = 4
"""How far beyond a pixel its neighbours count when a patch is enlarged and then sampled; 2 and 1 would do."""


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
    pairs = list(zip(frames, maps, strict=True))
    first = frames[0]
    crops = each(lambda pair: _cut_one(*pair, size), pairs, first.data.device, pixels=first.width * first.height)
    return torch.stack(crops)


def paste(frame: Frame, affine: Affine, patch: Patch, mask: Mask) -> None:
    """Blend `patch` into `frame`, in place.

    Args:
        frame: Changed where the mask is above 0, and nowhere else.
        affine: Frame pixels to crop pixels.
        patch: The new pixels.
        mask: (1, S, S) 0..1, how much of them is shown.
    """
    size = mask.shape[-1]
    shown = _shown(mask)
    region = _region(frame, affine, (0, 0, size, size))
    target = _region(frame, affine, shown) if shown is not None else None
    if shown is None or region is None or target is None:
        return
    layers = _Layers.of(patch, mask, affine, frame.colour, shown)
    parts = zip(_parts(frame, target), _parts(frame, region), (slice(0, 1), slice(1, 3)), strict=True)
    for part, around, channels in parts:
        _blend(part, around, layers, channels)


_Rectangle: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels, as borders between them."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of one plane, or of both chroma planes.

    Attributes:
        samples: (C, h, w) uint8, a view.
        to_luma: Columns and rows of the samples to luma pixels of the frame.
    """

    samples: Tensor
    to_luma: Affine

    def from_luma(self) -> Affine:
        """Luma pixels of the frame to columns and rows of the samples."""
        return inverse(self.to_luma)


def _parts(frame: Frame, rectangle: _Rectangle) -> tuple[_Part, _Part]:
    """Luma and chroma within a rectangle on even borders."""
    left, top, right, bottom = rectangle
    chroma = frame.data[frame.width * frame.height :].view(2, frame.height // 2, frame.width // 2)
    return (
        _Part(frame.y[None, top:bottom, left:right], np.array([[1.0, 0, left], [0, 1, top]])),
        _Part(chroma[:, top // 2 : bottom // 2, left // 2 : right // 2], np.array([[2.0, 0, left], [0, 2, top + 0.5]])),
    )


def _cut_one(frame: Frame, affine: Affine, size: int) -> Tensor:
    # Outside the frame its edge repeats, so a crop that lies beyond it shows the nearest corner.
    region = _region(frame, affine, (0, 0, size, size)) or (0, 0, frame.width, frame.height)
    yuv = torch.cat([_cut_part(part, affine, size) for part in _parts(frame, region)])
    return _converted(yuv, *_to_rgb(frame.colour, yuv.device))


def _cut_part(part: _Part, affine: Affine, size: int) -> Tensor:
    """(C, size, size) float32."""
    shrink = max(1, floor(_pixels_per_crop_pixel(affine) / part.to_luma[0, 0]))
    # Each pixel of the crop is the mean of `shrink` by `shrink` points that lie evenly in it, about one for a sample.
    to_frame = _chained(_scaling(1 / shrink), inverse(affine))
    points = (size * shrink, size * shrink)
    fetched = _fetch(part.samples.float(), _grid(_chained(to_frame, part.from_luma()), points, part.samples))
    return F.avg_pool2d(fetched, shrink) if shrink > 1 else fetched


def _grid(affine: Affine, shape: tuple[int, int], picture: Tensor) -> Tensor:
    """(h, w, 2): where `affine` takes columns and rows of `shape` (h, w) in `picture` (C, H, W), for `_fetch`."""
    columns = torch.arange(shape[1], device=picture.device, dtype=torch.float32)
    rows = torch.arange(shape[0], device=picture.device, dtype=torch.float32)[:, None]
    grid = columns.new_empty(*shape, 2)
    for axis, (by_column, by_row, start) in enumerate(_scaled_to_grid(affine, picture)):
        # Straight to its place: stacking two coordinates afterwards costs more than reckoning them.
        torch.add(columns * by_column, rows * by_row + (start - 1), out=grid[..., axis])
    return grid


def _scaled_to_grid(pixels: NDArray[np.float64], picture: Tensor) -> list[list[float]]:
    """Two rows of numbers in pixels of `picture`, as shares of half its sides: as `F.grid_sample` counts."""
    height, width = picture.shape[-2:]
    scaled: list[list[float]] = (pixels * [[2 / max(width - 1, 1)], [2 / max(height - 1, 1)]]).tolist()
    return scaled


def _fetch(picture: Tensor, grid: Tensor, *, mode: str = "bilinear", padding: str = "border") -> Tensor:
    """(C, h, w): `picture` (C, H, W) at the points of a `_grid`."""
    return F.grid_sample(picture[None], grid[None], mode=mode, padding_mode=padding, align_corners=True)[0]


@dataclass(frozen=True, slots=True)
class _Layers:
    """A patch, made ready for sampling.

    Attributes:
        yuv: (3, T, T) 0..255, what is shown of the colours, enlarged or shrunk to about the frame's resolution.
        extra: (K, S, S): the mask, then opacity, then flow in crop pixels, where the patch has them.
        to_yuv, to_extra: Frame pixels to the pixels of either.
    """

    yuv: Tensor
    extra: Tensor
    to_yuv: Affine
    to_extra: Affine

    @classmethod
    def of(cls, patch: Patch, mask: Mask, affine: Affine, colour: ColourSpace, shown: _Rectangle) -> _Layers:
        yuv, to_yuv = _resized(_converted(patch.colour.float(), *_to_yuv(colour, mask.device)), affine, shown)
        extra = [mask.float()]
        if patch.opacity is not None:
            extra.append(patch.opacity.float())
            if patch.flow is not None:
                extra.append(patch.flow.float())
        return cls(yuv, torch.cat(extra), to_yuv, affine)


def _resized(picture: Tensor, affine: Affine, shown: _Rectangle) -> tuple[Tensor, Affine]:
    """What is shown of `picture`, at about the frame's resolution, and the map to its pixels.

    Enlarged smoothly, or shrunk without moiré.
    """
    ratio = _pixels_per_crop_pixel(affine)
    enlarge, shrink = min(ceil(ratio - 0.25), 8), max(1, floor(1 / ratio))
    # As far beyond what is shown as interpolation reaches, and on the borders of the blocks that are averaged.
    left, top = (max(0, border // shrink - _REACH) * shrink for border in shown[:2])
    right, bottom = (min(picture.shape[-1], border + (_REACH + 1) * shrink) for border in shown[2:])
    part = picture[:, top:bottom, left:right]
    moved = affine - [[0, 0, left], [0, 0, top]]
    if enlarge > 1:
        return _enlarged(part, enlarge), _chained(moved, _scaling(enlarge))
    if shrink > 1:
        return F.avg_pool2d(part, shrink, ceil_mode=True), _chained(moved, _scaling(1 / shrink))
    return part, moved


def _enlarged(picture: Tensor, times: int) -> Tensor:
    """(C, H, W) to (C, times * H, times * W), bicubic."""
    if picture.device.type != "cpu":
        return F.interpolate(picture[None], scale_factor=times, mode="bicubic", align_corners=False)[0]
    # OpenCV's sums are torch's, and cost a tenth.
    size = (times * picture.shape[2], times * picture.shape[1])
    return torch.from_numpy(
        np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC) for plane in picture.numpy()])
    )


def _blend(part: _Part, around: _Part, layers: _Layers, channels: slice) -> None:
    """Blend the `channels` of `layers` into `part`; flow fetches from `around`, which `part` is a part of."""
    old = part.samples.float()
    shape = (old.shape[1], old.shape[2])
    points = _grid(_chained(part.to_luma, layers.to_extra), shape, layers.extra)
    mask = _fetch(layers.extra[:1], points, padding="zeros")
    new = _fetch(layers.yuv[channels], _grid(_chained(part.to_luma, layers.to_yuv), shape, layers.yuv))
    if len(layers.extra) > 1:
        opacity, *flow = _fetch(layers.extra[1:], points)
        under = _flown(part, around, flow, layers.to_extra) if flow else old
        new = under + opacity * (new - under)
    blended = (new - old).mul_(mask).add_(old)
    part.samples.copy_(blended.round_().clamp_(0, 255))


def _flown(part: _Part, around: _Part, flow: Sequence[Tensor], to_crop: Affine) -> Tensor:
    """(C, h, w): samples of `part`, each fetched from beside it by `flow`: two of (h, w), in crop pixels."""
    own = around.samples.float()
    grid = _grid(_chained(part.to_luma, around.from_luma()), (part.samples.shape[1], part.samples.shape[2]), own)
    to_samples = around.from_luma()[:, :2] @ inverse(to_crop)[:, :2]
    for axis, (by_x, by_y) in enumerate(_scaled_to_grid(to_samples, own)):
        grid[..., axis] += flow[0] * by_x + flow[1] * by_y
    return _fetch(own, grid, mode="bicubic")


def _shown(mask: Mask) -> _Rectangle | None:
    """The smallest rectangle around what a mask (1, S, S) shows, in crop pixels; None if it shows nothing."""
    if mask.device.type != "cpu":
        # To ask a GPU for it would mean waiting for everything that it still has to do.
        return 0, 0, mask.shape[-1], mask.shape[-2]
    is_shown = mask[0].numpy() > 0
    columns, rows = np.flatnonzero(is_shown.any(0)), np.flatnonzero(is_shown.any(1))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else None


def _region(frame: Frame, affine: Affine, crop: _Rectangle) -> _Rectangle | None:
    """The part of the frame that a rectangle of crop pixels touches, on even borders; None if it is outside."""
    left, top, right, bottom = crop
    # A pixel reaches to the centres of its neighbours.
    corners = np.array([(x, y, 1) for x in (left - 1, right) for y in (top - 1, bottom)], dtype=np.float64)
    points = corners @ inverse(affine).T
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
    left, top = (max(0, int(value)) // 2 * 2 for value in low)
    right = min(frame.width, (int(high[0]) + 1) // 2 * 2)
    bottom = min(frame.height, (int(high[1]) + 1) // 2 * 2)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _chained(first: Affine, second: Affine) -> Affine:
    """`first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _scaling(factor: float) -> Affine:
    """Pixels of a picture to those of the same picture, enlarged by `factor`."""
    shift = (factor - 1) / 2
    return np.array([[factor, 0, shift], [0, factor, shift]])


def _converted(picture: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """(3, H, W): matrix (3, 3) @ colour + offset (3, 1, 1), for each pixel of `picture` (3, H, W)."""
    return torch.einsum("ij,jhw->ihw", matrix, picture).add_(offset)


@cache
def _to_rgb(colour: ColourSpace, device: torch.device) -> tuple[Tensor, Tensor]:
    return _on(device, *colour.to_rgb())


@cache
def _to_yuv(colour: ColourSpace, device: torch.device) -> tuple[Tensor, Tensor]:
    return _on(device, *colour.to_yuv())


def _on(device: torch.device, matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """As float32; the offset is (3, 1, 1)."""
    return torch.from_numpy(matrix).float().to(device), torch.from_numpy(offset).float().to(device)[:, None, None]


def _pixels_per_crop_pixel(affine: Affine) -> float:
    """How many frame pixels one crop pixel spans, on the average of both directions."""
    return float(abs(np.linalg.det(affine[:, :2])) ** -0.5)
