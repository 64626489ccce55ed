"""Convolving before enlarging gives what convolving afterwards gives, to the last row and column that is asked for."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the name everybody uses

from formula_weights import uniform
from heygem.nets.enlarging import ConvOfRepeated, conv_of_enlarged, enlarged, transposed

SIZES = [(1, 1), (1, 4), (2, 2), (5, 3), (8, 8)]


@pytest.mark.parametrize("size", SIZES)
def test_bilinear(size: tuple[int, int]) -> None:
    x, weight = uniform(1, (2, 4, *size), -1, 1), uniform(2, (5, 4, 3, 3), -1, 1)
    y = conv_of_enlarged(x, weight, transposed(weight))
    torch.testing.assert_close(y, F.conv2d(enlarged(x), weight, padding=1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize(("size", "cut"), [((2, 2), 1), ((3, 5), 1), ((3, 5), 2), ((8, 8), 3)])
def test_repeated(size: tuple[int, int], cut: int, has_bias: bool) -> None:
    x, conv = uniform(1, (2, 4, *size), -1, 1), nn.Conv2d(4, 5, 3, bias=has_bias)
    larger = F.interpolate(x, scale_factor=2, mode="nearest")
    within = slice(cut - 1, 1 - cut or None)
    torch.testing.assert_close(ConvOfRepeated(conv, cut)(x), conv(larger)[..., within, within], rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_number_format_is_kept(dtype: torch.dtype) -> None:
    x, weight = uniform(1, (1, 4, 6, 6), -1, 1).to(dtype), uniform(2, (5, 4, 3, 3), -1, 1).to(dtype)
    y = conv_of_enlarged(x, weight, transposed(weight))
    assert y.dtype == dtype
    exact = F.conv2d(enlarged(x.float()), weight.float(), padding=1)
    torch.testing.assert_close(y.float(), exact, rtol=0, atol=0.05)
