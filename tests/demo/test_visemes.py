from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem.demo.articulation import CHANNELS, lip_opening
from heygem.demo.visemes import articulate


def channel(curves: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    return curves[:, CHANNELS.index(name)]


def spoken(*sounds: str, each_s: float = 0.2) -> tuple[NDArray[np.float32], list[int]]:
    """Curves of sounds that follow each other, and the frame in the middle of each."""
    phonemes = [(each_s * i, each_s * (i + 1), sound) for i, sound in enumerate(sounds)]
    frames = [round(each_s * (i + 0.5) * 25) for i in range(len(sounds))]
    return articulate(phonemes, each_s * len(sounds)), frames


def between_vowels(consonant: str) -> tuple[NDArray[np.float32], list[int]]:
    """Curves of a consonant as short as they come between two wide vowels, and the frames of the three."""
    return articulate([(0.0, 0.26, "a"), (0.26, 0.30, consonant), (0.30, 0.56, "a")], 0.56), [3, 7, 11]


@pytest.mark.parametrize("consonant", ["p", "b", "m"])
def test_lips_close_between_open_vowels(consonant: str) -> None:
    curves, (first, middle, last) = between_vowels(consonant)
    assert lip_opening(curves[middle]) < 0.03 < 0.1 < min(lip_opening(curves[first]), lip_opening(curves[last]))
    assert channel(curves, "press")[middle] > 0.5


@pytest.mark.parametrize("consonant", ["f", "v"])
def test_the_lower_lip_goes_under_the_teeth(consonant: str) -> None:
    curves, (first, middle, last) = between_vowels(consonant)
    tuck = channel(curves, "tuck")
    assert tuck[middle] > 0.93 > 0.3 > max(tuck[first], tuck[last])


def test_vowels_have_their_shapes() -> None:
    curves, (a, u, i) = spoken("ɑ", "u", "i")
    assert channel(curves, "jaw")[a] > 0.6 > 0.4 > max(channel(curves, "jaw")[u], channel(curves, "jaw")[i])
    assert channel(curves, "round")[u] > 0.7
    assert channel(curves, "wide")[i] > 0.4


def test_a_vowel_rounds_the_consonant_before_it() -> None:
    with_u, (middle, _) = spoken("t", "u", each_s=0.08)
    with_i, _ = spoken("t", "i", each_s=0.08)
    assert channel(with_u, "round")[middle] > channel(with_i, "round")[middle] + 0.2


def test_silence_closes_the_mouth() -> None:
    curves = articulate([(0.0, 0.3, "a"), (0.3, 1.0, ""), (1.0, 1.3, "a")], 1.6)
    opening = lip_opening(curves)
    assert opening[4] > 0.1
    assert opening[11:21].max() < 0.03
    assert opening[-1] < 0.03


def test_nothing_said_is_a_closed_mouth() -> None:
    curves = articulate([], 1.0)
    assert curves.shape == (25, 8)
    assert lip_opening(curves).max() < 0.01


def test_frames_are_where_the_sound_is() -> None:
    early, late = articulate([(0.4, 0.56, "a")], 2.0), articulate([(1.4, 1.56, "a")], 2.0)
    assert int(channel(early, "jaw").argmax()) == 12
    assert int(channel(late, "jaw").argmax()) == 37
