"""Windows against those of Wav2Lip's script, and what is heard before the start and after the end."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from formula_weights import GOLDEN_DIR
from heygem.speech import Tail
from heygem.speech.windows import MelWindows

STARTS: dict[str, list[int]] = json.loads((GOLDEN_DIR / "mel_chunk_starts.json").read_text(encoding="utf-8"))
STEP_S = Fraction(1, 80)


def numbered(steps: int) -> np.ndarray:
    """Every band of step n is n."""
    return np.tile(np.arange(steps, dtype=np.float32), (80, 1))


def steps_heard(windows: MelWindows, time_s: Fraction) -> list[float]:
    heard = windows.at([time_s])
    assert heard.shape == (1, 1, 80, 16)
    assert heard.dtype == torch.float32
    assert torch.equal(heard, heard[:, :, :1].expand_as(heard))
    return heard[0, 0, 0].tolist()


@pytest.mark.parametrize("key", STARTS)
def test_starts_are_those_of_wav2lip(key: str) -> None:
    steps, fps = key.strip("()").split(", ")
    rate = Fraction(fps).limit_denominator(1001)
    windows = MelWindows(numbered(int(steps)), tail="wav2lip")
    times = [n / rate for n in range(len(STARTS[key]))]
    assert windows.window_starts(times) == STARTS[key]


@pytest.mark.parametrize("tail", ["silence", "wav2lip"])
def test_a_window_starts_at_its_time(tail: str) -> None:
    windows = MelWindows(numbered(100), tail=tail)  # type: ignore[arg-type]
    assert steps_heard(windows, Fraction(1, 2)) == list(range(40, 56))
    assert steps_heard(windows, Fraction(1, 2) - Fraction(1, 10**9)) == list(range(39, 55))


def test_a_centred_window_starts_two_frames_early() -> None:
    windows = MelWindows(numbered(100), lead_s=Fraction(2, 25))
    assert steps_heard(windows, Fraction(5, 25)) == list(range(9, 25))  # 3 frames of 3.2 steps: 9.6


def test_silence_around_the_recording() -> None:
    windows = MelWindows(numbered(20), lead_s=4 * STEP_S, tail="silence")
    assert steps_heard(windows, Fraction(0)) == [-4] * 4 + list(range(12))
    assert steps_heard(windows, 14 * STEP_S) == list(range(10, 20)) + [-4] * 6
    assert steps_heard(windows, 24 * STEP_S) == [-4] * 16
    assert steps_heard(windows, Fraction(-3)) == [-4] * 16
    assert steps_heard(windows, Fraction(3600)) == [-4] * 16


def test_long_before_a_long_recording_is_silence() -> None:
    assert steps_heard(MelWindows(numbered(1000)), Fraction(-3)) == [-4] * 16


def test_half_a_step_before_the_start_is_one_step_of_silence() -> None:
    assert steps_heard(MelWindows(numbered(20)), -STEP_S / 2) == [-4, *range(15)]


def test_wav2lip_hears_nothing_outside_the_recording() -> None:
    windows = MelWindows(numbered(20), lead_s=4 * STEP_S, tail="wav2lip")
    assert steps_heard(windows, Fraction(0)) == list(range(16))
    assert steps_heard(windows, Fraction(3600)) == list(range(4, 20))


def test_times_of_a_batch_keep_their_order() -> None:
    heard = MelWindows(numbered(100)).at([30 * STEP_S, 10 * STEP_S, 20 * STEP_S])
    assert heard[:, 0, 0, 0].tolist() == [30, 10, 20]
    assert MelWindows(numbered(100)).at([]).shape == (0, 1, 80, 16)


def test_time_stays_exact_after_hours() -> None:
    """Frame numbers beyond what a float can count."""
    rate = Fraction(80 * 3)  # every third frame starts a step
    frames = [3 * 10**17, 3 * 10**17 + 2, 3 * 10**17 + 3]
    assert MelWindows(numbered(16)).window_starts([n / rate for n in frames]) == [10**17, 10**17, 10**17 + 1]


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(16, 80\)"):
        MelWindows(np.zeros((16, 80), np.float32))


@pytest.mark.parametrize("tail", ["silence", "wav2lip"])
def test_windows_that_were_kept_hear_the_same(tail: Tail, tmp_path: Path) -> None:
    mel = np.random.default_rng(0).standard_normal((50, 80)).astype(np.float32).T
    windows = MelWindows(mel, lead_s=Fraction(-7, 80), tail=tail)
    windows.save(tmp_path / "heard")
    times = [STEP_S * step for step in range(-20, 60)]
    assert torch.equal(MelWindows.load(tmp_path / "heard").at(times), windows.at(times))
