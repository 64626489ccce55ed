from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from synthetic_detections import box, clip

from heygem.faces.people import Person, people_in

FPS = Fraction(25)


def people(frames: list[list[NDArray[np.float32]]], start: int = 0) -> list[Person]:
    detections = clip(frames)
    return people_in(detections.of_frames(0, len(detections)), start, FPS)


def xs(person: Person) -> list[float]:
    return [float(b[0] + b[2]) / 2 for b in person.boxes]


def test_people_side_by_side_stay_themselves_whatever_their_scores() -> None:
    left, right = [300 + i % 3 for i in range(30)], [420 - i % 2 for i in range(30)]
    pairs = zip(left, right, strict=True)
    frames = [[box(a), box(b)] if i % 2 else [box(b), box(a)] for i, (a, b) in enumerate(pairs)]
    first, second = people(frames)
    assert xs(first) == left
    assert xs(second) == right


def test_people_who_cross_are_not_swapped() -> None:
    rightward, leftward = [200 + 16 * i for i in range(50)], [1000 - 16 * i for i in range(50)]
    frames = [[box(a), box(b)] for a, b in zip(rightward, leftward, strict=True)]
    first, second = people(frames)
    assert xs(first) == rightward
    assert xs(second) == leftward


def test_people_who_cross_behind_each_other_are_not_swapped() -> None:
    rightward, leftward = [200 + 16 * i for i in range(50)], [1000 - 16 * i for i in range(50)]
    frames = [[box(a)] if abs(a - b) < 120 else [box(a), box(b)] for a, b in zip(rightward, leftward, strict=True)]
    assert sum(len(frame) == 1 for frame in frames) >= 7
    first, second = people(frames)
    assert xs(first) == rightward
    assert xs(second) == [b for a, b in zip(rightward, leftward, strict=True) if abs(a - b) >= 120]


def test_who_stays_is_not_taken_for_who_vanishes_beside_him() -> None:
    frames = [[box(300), box(340)]] * 15 + [[box(340)]] * 15
    assert [xs(person) for person in people(frames)] == [[300] * 15, [340] * 30]


def test_a_face_of_quite_another_size_in_the_same_place_is_somebody_else() -> None:
    assert [len(person.frames) for person in people([[box(300)]] * 20 + [[box(300, size=320)]] * 20)] == [20, 20]


def test_who_is_away_for_a_while_is_the_same_person() -> None:
    away = [[box(300)]] * 20 + [[]] * 60 + [[box(340)]] * 20
    [person] = people(away)
    assert person.frames == [*range(20), *range(80, 100)]


def test_who_appears_elsewhere_in_another_size_is_somebody_else() -> None:
    frames = [[box(300)]] * 20 + [[]] * 40 + [[box(360, size=260)]] * 20
    assert [len(person.frames) for person in people(frames)] == [20, 20]


def test_order_is_by_appearance_then_from_left_to_right() -> None:
    frames = [[box(900), box(500)]] * 10 + [[box(900), box(500), box(100)]] * 20
    assert [round(person.mean_x()) for person in people(frames)] == [500, 900, 100]


def test_an_instant_is_not_a_person() -> None:
    frames = [[box(300)] for _ in range(40)]
    for ping in (3, 4, 20):
        frames[ping] = [box(300), box(900, size=200)]
    assert [len(person.frames) for person in people(frames)] == [40]


def test_a_photograph_has_people_too() -> None:
    assert [person.frames for person in people([[box(300)]], start=7)] == [[7]]


def test_frames_are_numbered_from_the_scene_s_start() -> None:
    assert people([[box(300)]] * 5, start=100)[0].frames == [100, 101, 102, 103, 104]
