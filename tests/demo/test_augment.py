from __future__ import annotations

import numpy as np

from heygem.demo.augment import augment


def click(at: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    sound = np.zeros(16_000, np.float32)
    sound[at : at + 40] = np.hanning(40)
    return sound


def test_time_stands_still() -> None:
    for seed in range(20):
        out = augment(click(8_000), np.random.default_rng(seed))
        assert out.shape == (16_000,)
        assert out.dtype == np.float32
        loudest = int(np.convolve(out**2, np.ones(160), "same").argmax())
        assert abs(loudest - 8_020) < 320


def test_the_sound_changes_and_the_choice_repeats() -> None:
    sound = click(4_000)
    first, other = augment(sound, np.random.default_rng(0)), augment(sound, np.random.default_rng(1))
    assert np.array_equal(first, augment(sound, np.random.default_rng(0)))
    assert np.abs(first - other).max() > 0.01
    assert np.abs(first).max() < 2
