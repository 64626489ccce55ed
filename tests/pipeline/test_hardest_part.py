"""Which part is chosen, on sounds and faces whose hardest part is known."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem.media import Extend
from heygem.media.video_source import VideoSource
from heygem.pipeline.hardest_part import face_difficulty, frames_shown, hardest_part, of_nearest, speech_activity
from stand_ins import face_in_the_middle

RATE_HZ = 16_000
FPS = Fraction(25)
PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


def syllables(seconds: float, per_s: float) -> np.ndarray:
    """Noise that comes and goes."""
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).standard_normal(len(times))
    return (noise * np.sin(np.pi * per_s * times) ** 2 / 4).astype(np.float32)


def turned(by: float) -> np.ndarray:
    """Landmarks of a face whose nose is so many distances of its eyes off the middle."""
    points = face_in_the_middle(200, 200).landmarks.copy()
    points[2, 0] += by * (points[1, 0] - points[0, 0])
    return points


def test_fast_speech_counts_more_than_slow_speech_and_a_hum_nothing() -> None:
    hum = np.sin(np.arange(2 * RATE_HZ) / 9).astype(np.float32) / 2
    sound = [hum, syllables(2, 1), syllables(2, 4)]
    activity = speech_activity(sound, RATE_HZ, FPS, 150)
    assert activity.shape == (150,) and activity.mean() == pytest.approx(1)
    means = [activity[start : start + 46].mean() for start in (2, 52, 102)]
    assert means[0] < 0.05 and 1.5 * means[1] < means[2]


def test_activity_does_not_depend_on_the_pieces_and_lies_where_it_is_heard() -> None:
    sound = np.concatenate([np.zeros(RATE_HZ), syllables(1, 5), np.zeros(2 * RATE_HZ)]).astype(np.float32)
    for fps in (Fraction(30_000, 1001), Fraction(60)):
        count = int(4 * fps)
        whole = speech_activity([sound], RATE_HZ, fps, count)
        np.testing.assert_allclose(speech_activity(np.array_split(sound, 37), RATE_HZ, fps, count), whole)
        one, two = int(fps), int(2 * fps) + 1
        assert whole[one - 2 : two + 2].sum() == pytest.approx(whole.sum()) and whole[one:two].min() >= 0


def test_silence_and_noise_below_what_is_heard_are_no_speech() -> None:
    assert speech_activity([np.zeros(RATE_HZ, np.float32)], RATE_HZ, FPS, 25).max() == 0
    hiss = (np.random.default_rng(1).standard_normal(2 * RATE_HZ) * 1e-4).astype(np.float32)
    activity = speech_activity([np.concatenate([syllables(2, 4), hiss])], RATE_HZ, FPS, 100)
    assert activity[52:].max() == 0


def test_a_face_is_harder_the_more_it_is_turned_and_the_smaller_it_is() -> None:
    box = face_in_the_middle(200, 200).box
    boxes = np.array([box, box, box, box / 2, np.full(4, np.nan)], np.float32)
    spun = turned(0.2)[:, ::-1]  # a face that lies on its side is not turned more
    landmarks = np.array([turned(0), turned(0.2), spun, turned(0) / 2, np.full((5, 2), np.nan)])
    frontal, away, lying, small, none = face_difficulty(boxes, landmarks)
    assert frontal == 1 and away == pytest.approx(1.8) == pytest.approx(lying)
    assert small == pytest.approx(1.5) and none == 0
    assert face_difficulty(boxes[:1], np.array([turned(-3.0)])) == pytest.approx(3)


def test_frames_take_what_is_known_of_the_nearest() -> None:
    values = of_nearest(np.array([1.0, 2.0, 3.0]), np.array([0, 4, 10]), 12)
    assert values.tolist() == [1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]


@pytest.mark.parametrize("extend", ["pingpong", "loop", "freeze"])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_frames_come_in_the_order_in_which_the_clip_is_read(extend: Extend, length: int) -> None:
    read = [number for number, _ in VideoSource(PRESENTER).extended(17, extend, length)]
    assert frames_shown(17, extend, length).tolist() == read


def test_the_hardest_frames_in_a_row_are_found() -> None:
    activity, difficulty = np.ones(60), np.ones(60)
    activity[31:41] = 3
    assert hardest_part(activity, difficulty, 10) == range(31, 41)
    assert hardest_part(activity, difficulty, 10, step=5) == range(30, 40)
    difficulty[31:41] = 0  # nobody is seen
    difficulty[7:17] = 2
    assert hardest_part(activity, difficulty, 10) == range(7, 17)


def test_the_earliest_of_equals_and_all_of_a_short_result() -> None:
    assert hardest_part(np.full(60, 0.1), np.full(60, 1.1), 10) == range(10)
    assert hardest_part(np.ones(9), np.ones(9), 10) == range(9)
    assert hardest_part(np.zeros(60), np.where(np.arange(60) > 49, 2.0, 1.0), 10) == range(50, 60)  # in silence
