from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_detections import LANDMARKS, box, clip

from heygem.errors import NoFaceError
from heygem.faces.detections import Detections
from heygem.faces.face import FaceTrack
from heygem.faces.smoothing import Smoothing
from heygem.faces.track import build_track, gaps

FPS = Fraction(25)


def track(detections: Detections, face: str = "largest", smooth: Smoothing = "none") -> FaceTrack:
    return build_track(detections, face=face, smooth=smooth, fps=FPS)


def xs(followed: FaceTrack) -> NDArray[np.float32]:
    return (followed.boxes[:, 0] + followed.boxes[:, 2]) / 2


def test_a_face_that_is_always_there_is_followed_as_it_is() -> None:
    detections = clip([[box(300 + 2 * i)] for i in range(20)])
    followed = track(detections)
    np.testing.assert_array_equal(followed.boxes, detections.boxes)
    np.testing.assert_array_equal(followed.landmarks, detections.landmarks)
    assert followed.weight.tolist() == [1] * 20
    assert followed.coverage == 1
    assert followed.detector == "invented/1"
    assert gaps(followed, FPS) == []


def test_a_short_gap_is_bridged_in_a_straight_line() -> None:
    frames = [[box(300 + 2 * i)] for i in range(40)]
    frames[10:22] = [[]] * 12
    followed = track(clip(frames))
    np.testing.assert_allclose(xs(followed), 300 + 2 * np.arange(40), atol=1e-3)
    wanted = followed.boxes[:, None, :2] + 100 * LANDMARKS
    np.testing.assert_allclose(followed.landmarks, wanted, atol=1e-3)
    assert followed.weight.tolist() == [1] * 40
    assert followed.found.tolist() == [True] * 10 + [False] * 12 + [True] * 18
    assert followed.coverage == pytest.approx(28 / 40)


def test_a_long_gap_stays_untouched_and_is_faded_around() -> None:
    frames = [[box(300)]] * 20 + [[]] * 13 + [[box(300)]] * 20
    followed = track(clip(frames), smooth="steady")
    assert np.isnan(followed.boxes[20:33]).all() and np.isnan(followed.landmarks[20:33]).all()
    assert np.isfinite(followed.boxes[:20]).all() and np.isfinite(followed.boxes[33:]).all()
    ramp = [0.2, 0.4, 0.6, 0.8]
    np.testing.assert_allclose(followed.weight, [1] * 16 + ramp[::-1] + [0] * 13 + ramp + [1] * 16)
    assert gaps(followed, FPS) == [(0.8, 1.32)]


def test_a_face_that_comes_late_and_goes_early_is_faded() -> None:
    followed = track(clip([[]] * 5 + [[box(300)]] * 20 + [[]] * 5))
    assert followed.weight[5] == pytest.approx(0.2) and followed.weight[24] == pytest.approx(0.2)
    assert followed.weight[[4, 25]].tolist() == [0, 0]
    assert gaps(followed, FPS) == [(0.0, 0.2), (1.0, 1.2)]


def test_nothing_is_faded_interpolated_or_smoothed_across_a_cut() -> None:
    frames = [[box(300)]] * 10 + [[]] * 3 + [[box(340)]] * 10
    at_gap = track(clip(frames, cuts=[10]), smooth="steady")
    assert np.isnan(at_gap.boxes[10:13]).all()
    assert at_gap.weight[9] == 1  # the scene ends with the face in it
    assert at_gap.weight[13] == pytest.approx(0.2)  # the new scene begins without one
    at_cut = track(clip([[box(300)]] * 10 + [[box(340)]] * 10, cuts=[10]), smooth="steady")
    np.testing.assert_allclose(xs(at_cut), [300] * 10 + [340] * 10, atol=1e-3)
    assert at_cut.weight.tolist() == [1] * 20


def test_wav2lip_smoothing_does_not_cross_a_cut_either() -> None:
    frames = [[box(300)]] * 10 + [[box(340)]] * 10
    assert xs(track(clip(frames, cuts=[10]), smooth="wav2lip")).tolist() == [300] * 10 + [340] * 10
    assert xs(track(clip(frames), smooth="wav2lip")).tolist() != [300] * 10 + [340] * 10


def test_a_jump_that_no_cut_explains_is_neither_smoothed_nor_faded() -> None:
    followed = track(clip([[box(300)]] * 10 + [[box(400)]] * 10), smooth="steady")
    np.testing.assert_allclose(xs(followed), [300] * 10 + [400] * 10, atol=1e-3)
    assert followed.weight.tolist() == [1] * 20


def test_a_wrong_box_for_an_instant_is_bridged() -> None:
    frames = [[box(300)] for _ in range(30)]
    frames[12] = [box(900, size=300)]
    followed = track(clip(frames))
    np.testing.assert_allclose(xs(followed), 300, atol=1e-3)
    assert not followed.found[12]


def test_largest_weighs_area_by_presence() -> None:
    frames = [[box(300), box(900, size=150)]] * 8 + [[box(300)]] * 32
    assert np.nanmean(xs(track(clip(frames)))) == pytest.approx(300)
    frames = [[box(300), box(900, size=150)]] * 30 + [[box(300)]] * 10
    assert np.nanmean(xs(track(clip(frames)))) == pytest.approx(900)


def test_first_leftmost_and_numbers_count_by_appearance_then_from_left_to_right() -> None:
    frames = [[box(900, size=150), box(500)]] * 10 + [[box(900, size=150), box(500), box(100)]] * 30
    detections = clip(frames)
    whom = {face: float(np.nanmean(xs(track(detections, face)))) for face in ("first", "leftmost", "0", "1", "2")}
    assert whom == pytest.approx({"first": 500, "leftmost": 100, "0": 500, "1": 900, "2": 100})


def test_each_scene_chooses_anew() -> None:
    frames = [[box(300), box(900, size=150)]] * 20 + [[box(200, size=180), box(700)]] * 20
    followed = track(clip(frames, cuts=[20]))
    np.testing.assert_allclose(xs(followed), [900] * 20 + [200] * 20)
    last = track(clip(frames, cuts=[20]), "1")
    np.testing.assert_allclose(xs(last), [900] * 20 + [700] * 20)


def test_a_scene_without_that_many_people_is_left_alone() -> None:
    followed = track(clip([[box(300)]] * 20 + [[box(300), box(700)]] * 20, cuts=[20]), "1")
    assert followed.weight.tolist() == [0] * 20 + [1] * 20


def test_the_one_chosen_is_kept_when_another_passes() -> None:
    speaker = [box(600 + i % 2) for i in range(60)]
    passer = [box(20 * i, y=240, size=110) for i in range(60)]
    frames = [[b, a] if abs(20 * i - 600) > 90 else [b] for i, (a, b) in enumerate(zip(speaker, passer, strict=True))]
    followed = track(clip(frames), "0" if passer[0][0] > speaker[0][0] else "1")
    assert np.nanmax(np.abs(xs(followed) - 600)) < 25


def test_no_face_at_all_is_said_in_both_languages() -> None:
    with pytest.raises(NoFaceError, match=r"12 帧.*invented.*12 frames.*invented") as raised:
        track(clip([[]] * 12))
    assert raised.value.code == "no_face"
    assert raised.value.hint.zh and raised.value.hint.en
    with pytest.raises(NoFaceError):
        track(clip([]))


def test_a_number_beyond_the_people_is_said() -> None:
    with pytest.raises(NoFaceError, match=r"number 2: at most 2 people") as raised:
        track(clip([[box(300), box(700)]] * 10), "2")
    assert raised.value.code == "no_such_face"
