"""Small pictures of large frames, for whoever searches in them.

Knows nothing of faces. Only the small picture is converted to RGB, never the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own convention
from numpy.typing import NDArray
from torch import Tensor

from heygem.frame import Frame

Picture: TypeAlias = NDArray[np.uint8]
"""(H, W) uint8."""


def working_size(width: int, height: int, long_side_px: int) -> tuple[int, int]:
    """(width, height) of a picture of these proportions whose longer side is `long_side_px`, or is smaller already."""
    scale = min(1.0, long_side_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def working_pictures(frames: Sequence[Frame], long_side_px: int) -> Tensor:
    """Frames shrunk, then converted to RGB by each frame's own colour space.

    Args:
        frames: At least one, all of one size and on one device.
        long_side_px: Longest side of the result; smaller frames are not enlarged.

    Returns:
        (N, 3, H, W) float32 RGB 0..255 on the frames' device.
    """
    size = working_size(frames[0].width, frames[0].height, long_side_px)
    planes = [
        _shrink(torch.stack([getattr(frame, plane) for frame in frames]).float(), size) for plane in ("y", "u", "v")
    ]
    yuv = torch.stack(planes, dim=1)
    pictures = torch.empty_like(yuv)
    for index, frame in enumerate(frames):
        matrix, offset = (torch.from_numpy(part).to(yuv) for part in frame.colour.to_rgb())
        pictures[index] = torch.einsum("rc,chw->rhw", matrix, yuv[index]) + offset[:, None, None]
    return pictures.mul_(255).clamp_(0, 255)


def working_luma(frame: Frame, long_side_px: int) -> Picture:
    """The luma plane shrunk on the CPU, for a search there: (H, W) uint8, in the frame's own range.

    It is halved as often as that leaves it large enough, and what is left to be shrunk, by less than two, is sampled: a
    fraction of the cost of averaging over every pixel's exact share.
    """
    width, height = working_size(frame.width, frame.height, long_side_px)
    luma, block = frame.y.cpu().numpy(), 1
    while luma.shape[0] >= 2 * height and luma.shape[1] >= 2 * width:
        rows, columns = luma.shape[0] // 2, luma.shape[1] // 2
        luma = cv2.resize(luma[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        block *= 2
    steps = np.array([frame.width / width, frame.height / height]) / block
    sampling = np.column_stack([np.diag(steps), (steps - 1) / 2])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    small = cv2.warpAffine(luma, sampling, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return small.astype(np.uint8, copy=False)


def small_jpeg(frame: Frame, long_side_px: int, quality: int = 80) -> bytes:
    """A JPEG of a frame, for people to look at: a few milliseconds of one core.

    Args:
        frame: On any device.
        long_side_px: Longest side of the picture; a smaller frame is not enlarged.
        quality: As libjpeg counts it, 0..100.
    """
    size = working_size(frame.width, frame.height, long_side_px)
    planes = [
        cv2.resize(plane.cpu().numpy(), size, interpolation=cv2.INTER_AREA) for plane in (frame.y, frame.u, frame.v)
    ]
    matrix, offset = frame.colour.to_rgb()
    # By OpenCV in one go, last row first: it wants BGR.
    bgr = cv2.transform(cv2.merge(planes), 255 * np.column_stack([matrix, offset])[::-1])
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _shrink(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, H, W) float to (N, size[1], size[0]), every pixel the mean of those that it stands for."""
    width, height = size
    # Antialiasing averages over as many pixels as fall into one, and keeps the geometry at any ratio.
    return F.interpolate(planes[:, None], size=(height, width), mode="bilinear", antialias=True)[:, 0]
