"""Convolutions of a map of twice the size, without making that map: a quarter of the products, the same sums.

To enlarge a map by two is to set its pixels apart, with zeros between them, and to blur: by (1, 3, 3, 1) / 4 in each
direction where the enlargement is bilinear, by (1, 1) where it repeats pixels. A convolution and a blur may change
places, and a convolution of pixels set apart is a transposed convolution with stride 2, which skips the zeros: 9
products for four pixels instead of 36.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody uses

_BILINEAR = (0.25, 0.75, 0.75, 0.25)


def enlarged(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C, 2H, 2W), bilinear."""
    return _stretched(x, 2, 2)


def transposed(weight: Tensor) -> Tensor:
    """The weight of a convolution (O, I, 3, 3) as a transposed convolution wants it: (I, O, 3, 3), mirrored."""
    return weight.detach().flip(2, 3).transpose(0, 1).contiguous()


def conv_of_enlarged(x: Tensor, weight: Tensor, mirrored: Tensor) -> Tensor:
    """What ``conv2d(enlarged(x), weight, padding=1)`` gives.

    Args:
        x: (N, I, H, W).
        weight: (O, I, 3, 3).
        mirrored: `transposed` of it.

    Returns:
        (N, O, 2H, 2W).
    """
    y = _blurred(F.conv_transpose2d(_wider(x), mirrored, stride=2, padding=1))
    # That is the sum for a picture whose outermost pixels go on beyond its border. But there are zeros: what those
    # pixels gave to the outermost rows and columns is taken away, as one product of matrices because a pass over the
    # picture costs more than all of this.
    top, bottom = (F.pad(_stretched(row, 1, 2), (1, 1, 0, 0), mode="replicate") for row in (x[:, :, :1], x[:, :, -1:]))
    left, right = (_stretched(column, 2, 1) for column in (x[..., :1], x[..., -1:]))
    downwards = [
        _ends(y, y.shape[2]).transpose(2, 3),
        F.conv2d(left, weight[..., :1], padding=(1, 0)),
        F.conv2d(right, weight[..., 2:], padding=(1, 0)),
    ]
    across = [F.conv2d(top, weight[:, :, :1]), F.conv2d(bottom, weight[:, :, 2:]), _ends(y, y.shape[3])]
    return y - torch.cat(downwards, dim=3) @ torch.cat(across, dim=2)


class ConvOfRepeated(nn.Module):
    """A convolution of a map whose pixels were repeated, without what depends on pixels beyond its border.

    Args:
        conv: 3 x 3, without padding of its own.
        cut: Rows and columns that the result has less on each side than the map of repeated pixels; at least 1.
    """

    def __init__(self, conv: nn.Conv2d, cut: int) -> None:
        super().__init__()
        self.mirrored = nn.Parameter(transposed(conv.weight), requires_grad=False)
        self.bias = conv.bias
        self._cut = cut

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, H, W) to (N, O, 2H - 2 cut, 2W - 2 cut)."""
        y = F.conv_transpose2d(x, self.mirrored, stride=2, padding=self._cut)
        # In both directions at once: of so few products, passes over memory are what costs.
        ones = torch.ones(y.shape[1], 1, 2, 2, dtype=y.dtype, device=y.device)
        return F.conv2d(y, ones, self.bias, groups=y.shape[1])


def _stretched(x: Tensor, down: float, across: float) -> Tensor:
    return F.interpolate(x, scale_factor=(down, across), mode="bilinear", align_corners=False)


def _ends(like: Tensor, length: int) -> Tensor:
    """(N, C, 2, length): a line with a 1 at its beginning, and one with a 1 at its end."""
    first = torch.zeros(length, dtype=like.dtype, device=like.device)
    first[0] = 1
    return torch.stack([first, first.flip(0)]).expand(*like.shape[:2], 2, length)


def _wider(x: Tensor) -> Tensor:
    """With its outermost pixels once more around it."""
    return F.pad(x, (1, 1, 1, 1), mode="replicate")


def _blurred(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C, H - 3, W - 3), by `_BILINEAR` in both directions."""
    channels = x.shape[1]
    kernel = torch.tensor(_BILINEAR, dtype=x.dtype, device=x.device).repeat(channels, 1, 1, 1)
    x = F.conv2d(x, kernel.view(channels, 1, 4, 1), groups=channels)
    return F.conv2d(x, kernel.view(channels, 1, 1, 4), groups=channels)
