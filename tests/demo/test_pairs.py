from __future__ import annotations

import numpy as np
import pytest
from demo_people import mouth

from heygem.demo.pairs import render_pairs

OPEN, SHUT = np.stack([mouth(jaw=0.9)] * 3), np.stack([mouth()] * 3)


def test_a_pair_differs_in_the_mouth_alone() -> None:
    for seed in (1, 5):
        a, b = render_pairs(seed, 3, OPEN, SHUT, detail=0.5)
        assert a.shape == b.shape == (3, 96, 96, 3)
        assert a.dtype == b.dtype == np.uint8
        change = np.abs(a.astype(int) - b.astype(int)).max(-1)
        # JPEG spreads a difference over a block of 16 pixels.
        assert (change[:, :32] > 12).sum() == 0
        assert ((change[:, 48:] > 40).sum((1, 2)) > 60).all()


def test_equal_mouths_give_equal_pictures() -> None:
    a, b = render_pairs(3, 3, OPEN, OPEN, detail=0.5)
    assert np.array_equal(a, b)


def test_poses_and_seeds_differ() -> None:
    a, _ = render_pairs(3, 3, OPEN, OPEN, detail=0.5)
    assert np.abs(a[0].astype(int) - a[1].astype(int)).mean() > 1
    other, _ = render_pairs(4, 3, OPEN, OPEN, detail=0.5)
    assert np.abs(a.astype(int) - other.astype(int)).mean() > 10
    again, _ = render_pairs(3, 3, OPEN, OPEN, detail=0.5)
    assert np.array_equal(a, again)


def test_articulations_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 8\)"):
        render_pairs(0, 2, OPEN, SHUT)
