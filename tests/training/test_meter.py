from __future__ import annotations

import numpy as np
import pytest

from heygem.training.meter import best_lag, correlation, openings

RNG = np.random.default_rng(0)
CURVE = np.sin(np.arange(60) / 3.0) / 2 + 0.5
SHUT = RNG.integers(60, 200, (60, 96, 96, 3)).astype(np.uint8)
WIDE = SHUT.copy()
WIDE[:, 64:84, 34:62] = 10


def opened(by: np.ndarray) -> np.ndarray:
    share = by[:, None, None, None]
    return np.round((1 - share) * SHUT + share * WIDE).astype(np.uint8)


def test_opening_is_how_far_a_picture_lies_on_the_way_from_shut_to_wide() -> None:
    assert openings(opened(CURVE), SHUT, WIDE) == pytest.approx(CURVE, abs=0.01)
    assert openings(SHUT, SHUT, WIDE) == pytest.approx(0)
    assert openings(WIDE, SHUT, WIDE) == pytest.approx(1)


def test_what_lies_beside_the_mouth_is_not_measured() -> None:
    changed = opened(CURVE)
    changed[:, :50] = 0
    assert openings(changed, SHUT, WIDE) == pytest.approx(openings(opened(CURVE), SHUT, WIDE))


@pytest.mark.parametrize("late", [-4, -1, 0, 1, 5])
def test_a_delay_is_found_with_its_sign(late: int) -> None:
    whole = np.cumsum(np.random.default_rng(3).normal(size=80))
    truth, measured = whole[10:70], whole[10 - late : 70 - late]
    assert best_lag(measured, truth) == late
    assert correlation(measured, truth, late) == pytest.approx(1)


def test_a_mouth_that_does_not_move_correlates_with_nothing() -> None:
    assert correlation(np.ones(60), CURVE) == 0
