"""What the generator is scored by. Knows pictures and flows; knows neither data nor networks."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody uses

_SIZE = 96
_MOUTH = (71.0, 48.0)
"""Row and column of the middle of a mouth in a crop."""


@cache
def mouth_weights() -> Tensor:
    """(96, 96) with mean 1: little above the masked half, most on the mouth."""
    rows, columns = torch.meshgrid(torch.arange(float(_SIZE)), torch.arange(float(_SIZE)), indexing="ij")
    hill = torch.exp(-(((rows - _MOUTH[0]) / 13) ** 2) - ((columns - _MOUTH[1]) / 20) ** 2)
    weights = 0.25 + 0.75 * (rows >= _SIZE // 2) + 5 * hill
    return weights / weights.mean()


def weighted_l1(drawn: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of (N, 3, 96, 96) pictures, weighted towards the mouth."""
    return ((drawn - truth).abs() * mouth_weights().to(drawn.device)).mean()


def gradient_l1(drawn: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbouring pixels, down plus across: punishes blur."""
    weights = mouth_weights().to(drawn.device)
    error = drawn - truth
    down = (error.diff(dim=-2).abs() * weights[1:]).mean()
    across = (error.diff(dim=-1).abs() * weights[:, 1:]).mean()
    return down + across


def total_variation(flow: Tensor) -> Tensor:
    """Mean absolute change of a (N, 2, H, W) flow from pixel to pixel: tears cost, slides are free."""
    return flow.diff(dim=-1).abs().mean() + flow.diff(dim=-2).abs().mean()


def warp(pictures: Tensor, flow: Tensor) -> Tensor:
    """`pictures` fetched along `flow`.

    Args:
        pictures: (N, 3, 96, 96) float32.
        flow: (N, 2, 96, 96) (x, y) in pixels, relative to the pixel itself.
    """
    grid = _grid().to(flow.device) + flow.permute(0, 2, 3, 1) * (2 / _SIZE)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def composite(colour: Tensor, opacity: Tensor, warped: Tensor) -> Tensor:
    """What is seen: new colours over the warped reference."""
    return opacity * colour + (1 - opacity) * warped


@cache
def _grid() -> Tensor:
    line = (torch.arange(float(_SIZE)) + 0.5) * (2 / _SIZE) - 1
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([columns, rows], -1)[None]
