"""A number stands beside a face only where the job gives that person the same number."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from heygem.colour_space import ColourSpace
from heygem.faces.detections import find_faces
from heygem.faces.face import Face
from heygem.faces.track import build_track
from heygem.frame import Frame
from heygem.jobs.face_choice import FaceChoice, SampledFrame, face_choices

SIZE = 320, 180
LEFT, RIGHT, BIG = (20, 60, 60, 100), (200, 60, 240, 100), (100, 40, 180, 120)


def picture(luma: int = 100) -> Frame:
    width, height = SIZE
    data = torch.full((width * height * 3 // 2,), 128, dtype=torch.uint8)
    data[: width * height] = luma
    return Frame(data, width, height, ColourSpace())


def faces(*boxes: tuple[int, ...]) -> list[Face]:
    return [Face(np.array(box, np.float32), np.zeros((5, 2), np.float32), 1.0) for box in boxes]


def choose(*boxes_of_frames: list[tuple[int, ...]], first: int = 0, lumas: tuple[int, ...] = ()) -> list[FaceChoice]:
    levels = lumas or (100,) * len(boxes_of_frames)
    frames = [
        SampledFrame.of(first + 10 * at, picture(luma), faces(*boxes))
        for at, (boxes, luma) in enumerate(zip(boxes_of_frames, levels, strict=True))
    ]
    return list(face_choices(frames, Fraction(2)))


def values(*boxes_of_frames: list[tuple[int, ...]], first: int = 0, lumas: tuple[int, ...] = ()) -> list[list[str]]:
    return [list(choice.values) for choice in choose(*boxes_of_frames, first=first, lumas=lumas)]


def test_people_who_stay_are_numbered_from_left_to_right() -> None:
    assert values(*[[BIG, RIGHT, LEFT]] * 8) == [["0", "leftmost"], ["1", "largest"], ["2"]]
    assert values(*[[]] * 8) == []


def test_the_numbers_are_those_of_a_job() -> None:
    class Seer:
        identity, batch, at_once = "seer", 4, 1

        def detect(self, frames: list[Frame]) -> list[list[Face]]:
            return [faces(BIG, RIGHT, LEFT) for _ in frames]

    frames = [picture() for _ in range(16)]
    detections = find_faces(frames, Seer(), on_batch=lambda done: None)
    wanted = {"0": LEFT, "1": BIG, "2": RIGHT, "largest": BIG, "leftmost": LEFT}
    for choice, box in zip(choose(*[[BIG, RIGHT, LEFT]] * 8), (LEFT, BIG, RIGHT), strict=True):
        for value in choice.values:
            track = build_track(detections, face=value, smooth="none", fps=Fraction(25))
            assert wanted[value] == box and tuple(track.boxes[5]) == box


@pytest.mark.parametrize(
    ("boxes", "first", "lumas"),
    [
        pytest.param([[BIG, LEFT]] * 8, 3, (), id="the first frame was not seen"),
        pytest.param([[BIG, LEFT]] * 8, 0, (100,) * 4 + (180,) * 4, id="another shot"),
        pytest.param([[BIG, LEFT]] * 3 + [[BIG]] * 5, 0, (), id="one leaves soon"),
        pytest.param([[BIG, LEFT, RIGHT]] + [[BIG, LEFT]] * 7, 0, (), id="an instant in the first frame"),
    ],
)
def test_no_number_where_it_might_be_another_person(
    boxes: list[list[tuple[int, ...]]], first: int, lumas: tuple[int, ...]
) -> None:
    assert values(*boxes, first=first, lumas=lumas) == [["leftmost"], ["largest"]]


def test_whoever_comes_later_has_no_number() -> None:
    assert values(*[[RIGHT]] * 3, *[[LEFT, RIGHT]] * 5) == [["leftmost"], ["0", "largest"]]


def test_the_thumbnail_is_a_square_around_the_face() -> None:
    frame = picture(60)
    frame.y[60:100, 20:60] = 200
    frames = [SampledFrame.of(at, frame, faces(LEFT)) for at in range(4)]
    [choice] = face_choices(frames, Fraction(2))
    image = cv2.imdecode(np.frombuffer(choice.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image.shape == (60, 60)
    assert image[30, 30] > 180 and image[3, 3] < 80 and image[-3, -3] < 80


@pytest.mark.parametrize("box", [(400, 200, 440, 240), (-100, -100, -60, -60)])
def test_a_box_beyond_the_picture_has_a_thumbnail_too(box: tuple[int, ...]) -> None:
    [choice] = choose(*[[box]] * 4)
    assert cv2.imdecode(np.frombuffer(choice.jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (2, 2, 3)
