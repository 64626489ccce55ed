from __future__ import annotations

from dataclasses import replace

import pytest

from heygem.training.recipe import FULL
from heygem.training.schedule import cosine, finishes, generator_rate, opening_weight

LATER = 10_000


def test_cosine_goes_from_one_value_to_the_other() -> None:
    assert cosine(2, 1, 0) == pytest.approx(2)
    assert cosine(2, 1, 0.5) == pytest.approx(1.5)
    assert cosine(2, 1, 1) == cosine(2, 1, 1.1) == pytest.approx(1)


def test_the_rate_falls_rises_for_the_finish_and_ends_at_nothing() -> None:
    rates = [generator_rate(FULL, progress, LATER) for progress in (0, 0.4, 0.7499, 0.75, 0.9, 1)]
    assert rates[0] == pytest.approx(FULL.rate)
    assert rates[0] > rates[1] > rates[2]
    assert rates[3] == pytest.approx(FULL.finishing_rate)
    assert rates[3] > rates[4] > rates[5] == pytest.approx(0, abs=1e-9)


def test_fresh_optimizers_start_softly() -> None:
    assert generator_rate(FULL, 0.3, 0) < generator_rate(FULL, 0.3, LATER) / 100


def test_the_discriminator_looks_on_for_the_last_part_only() -> None:
    assert [finishes(FULL, progress) for progress in (0, 0.74, 0.75, 1)] == [False, False, True, True]
    assert not finishes(replace(FULL, finishing_share=0), 1)


def test_the_expert_has_nothing_to_say_at_the_end() -> None:
    assert opening_weight(FULL, 0) == FULL.loss.opening
    assert opening_weight(FULL, 1) == 0
