from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from demo_people import mouth, plain_presenter
from numpy.typing import NDArray

from heygem.colour_space import ColourSpace
from heygem.demo.identity import Identity
from heygem.demo.presenter import Portrait, Presenter
from heygem.demo.view import Pose
from heygem.faces.haar import HaarDetector
from heygem.frame import Frame

SIZE = (360, 360)


def portrait(**channels: float) -> Portrait:
    return plain_presenter().frame(mouth(**channels), size=SIZE)


def mouth_region(picture: Portrait) -> NDArray[np.float64]:
    """The pixels between the corners of the mouth, from nose to chin."""
    (left, _), (right, _) = picture.landmarks[3:]
    nose, chin = picture.landmarks[2, 1] + 12, picture.box[3]
    return picture.rgb[int(nose) : int(chin), int(left) : int(right)].astype(float)


def dark_share(picture: Portrait) -> float:
    return float((mouth_region(picture).mean(-1) < 70).mean())


def test_the_same_arguments_give_the_same_picture() -> None:
    person = Identity.of(12)
    first = Presenter(person, detail=0.6).frame(mouth(jaw=0.4), size=(120, 120), grain=0.01)
    again = Presenter(person, detail=0.6).frame(mouth(jaw=0.4), size=(120, 120), grain=0.01)
    assert np.array_equal(first.rgb, again.rgb)
    other = Presenter(Identity.of(13), detail=0.6).frame(mouth(jaw=0.4), size=(120, 120), grain=0.01)
    assert not np.array_equal(first.rgb, other.rgb)


def test_a_frame_does_not_depend_on_those_before_it() -> None:
    alone = portrait(jaw=0.3).rgb
    portrait(jaw=1.0)
    plain_presenter().frame(mouth(), Pose(yaw=0.2), 1.0, size=SIZE)
    assert np.array_equal(portrait(jaw=0.3).rgb, alone)
    fresh = Presenter(plain_presenter().person, detail=0.8)
    turned = [who.frame(mouth(), Pose(yaw=0.2), size=SIZE).rgb for who in (plain_presenter(), fresh)]
    assert np.array_equal(*turned)


def test_an_opening_jaw_shows_the_dark_of_the_mouth() -> None:
    shares = [dark_share(portrait(jaw=jaw)) for jaw in (0.0, 0.4, 0.9)]
    assert shares[0] < 0.02
    assert shares[0] + 0.03 < shares[1] < shares[2] - 0.03


def test_pressed_lips_are_closed() -> None:
    assert portrait(jaw=0.04, press=0.8).opening < 0.015
    assert dark_share(portrait(jaw=0.04, press=0.8)) < 0.02


def test_round_lips_are_narrow_and_wide_lips_wide() -> None:
    widths = [
        float(np.ptp(picture.landmarks[3:, 0])) for picture in (portrait(round=1.0), portrait(), portrait(wide=1.0))
    ]
    assert widths[0] < 0.75 * widths[1]
    assert widths[1] < 0.95 * widths[2]


def test_teeth_show_under_a_raised_upper_lip() -> None:
    def bright(picture: Portrait) -> float:
        region = mouth_region(picture)
        grey = np.ptp(region, axis=-1) < 45
        return float((grey & (region.mean(-1) > 110)).mean())

    assert bright(portrait(jaw=0.5, upper=0.5)) > bright(portrait()) + 0.01


@pytest.mark.parametrize("channel", ["jaw", "wide", "round", "upper", "lower", "press", "tuck"])
def test_every_channel_moves_the_mouth_and_nothing_at_the_eyes(channel: str) -> None:
    rest, moved = portrait(), portrait(**{channel: 1.0})
    above = int(rest.landmarks[1:3, 1].mean())
    change = np.abs(rest.rgb.astype(int) - moved.rgb.astype(int)).max(-1)
    assert (change[above:] > 12).sum() > 15
    assert (change[:above] > 8).sum() < 8


def test_the_tongue_is_seen_in_an_open_mouth() -> None:
    change = np.abs(portrait(jaw=0.4).rgb.astype(int) - portrait(jaw=0.4, tongue=1.0).rgb.astype(int))
    assert (change.max(-1) > 25).sum() > 30


def test_eyes_blink_and_look() -> None:
    def eye(blink: float, gaze: tuple[float, float]) -> NDArray[np.float64]:
        picture = plain_presenter().frame(mouth(), Pose(), blink, gaze, size=SIZE)
        x, y = picture.landmarks[0].astype(int)
        return picture.rgb[y - 6 : y + 7, x - 14 : x + 15].astype(float)

    open_eye, shut = eye(0.0, (0, 0)), eye(1.0, (0, 0))
    assert open_eye.std() > 1.4 * shut.std()

    def darkest_column(patch: NDArray[np.float64]) -> int:
        return int(cv2.GaussianBlur(patch[4:].mean((0, 2)), (1, 7), 0).argmin())

    assert darkest_column(eye(0.0, (-1, 0))) < darkest_column(eye(0.0, (1, 0)))


def test_box_and_landmarks_follow_the_head() -> None:
    still = plain_presenter().frame(mouth(), size=SIZE)
    moved = plain_presenter().frame(mouth(), Pose(x=0.2), size=SIZE)
    step = 0.2 * 0.264 * SIZE[0]
    assert moved.landmarks[:, 0] - still.landmarks[:, 0] == pytest.approx(step, rel=0.2)
    assert moved.box[0] - still.box[0] == pytest.approx(step, rel=0.2)
    left, top, right, bottom = still.box
    assert left < still.landmarks[:, 0].min() < still.landmarks[:, 0].max() < right
    assert top < still.landmarks[:, 1].min() < still.landmarks[:, 1].max() < bottom


@pytest.mark.parametrize("seed", range(8))
def test_haar_finds_the_face_where_the_renderer_says_it_is(seed: int) -> None:
    picture = Presenter(Identity.of(1000 + seed), detail=0.9).frame(mouth(jaw=0.1 * seed), size=(360, 480))
    faces = HaarDetector().detect([_frame(picture.rgb)])[0]
    assert len(faces) == 1
    width = picture.box[2] - picture.box[0]
    assert np.abs(faces[0].box - picture.box).max() < 0.2 * width


def _frame(rgb: NDArray[np.uint8]) -> Frame:
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    return Frame(torch.from_numpy(planes.reshape(-1)), rgb.shape[1], rgb.shape[0], ColourSpace("bt601"))
