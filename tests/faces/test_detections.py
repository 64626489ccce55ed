from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch
from synthetic_detections import box, clip

from heygem.colour_space import ColourSpace
from heygem.faces.detections import Detections, find_faces
from heygem.faces.face import Face
from heygem.frame import Frame


class Counting:
    """Sees as many faces in a frame as its luma says, each as far right as its number."""

    identity = "counting/1"
    batch, at_once = 4, 1

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        self.batches.append(len(frames))
        return [
            [Face(box(n), np.full((5, 2), n, dtype=np.float32), 1 / (n + 1)) for n in range(int(frame.y[0, 0]))]
            for frame in frames
        ]


def frames_of(lumas: Sequence[int]) -> Iterator[Frame]:
    for luma in lumas:
        yield Frame(torch.full((64 * 36 * 3 // 2,), luma, dtype=torch.uint8), 64, 36, ColourSpace())


def test_every_face_of_every_frame_is_kept_in_order() -> None:
    detector = Counting()
    done: list[int] = []
    detections = find_faces(frames_of([1, 0, 2, 3, 0, 1]), detector, on_batch=done.append)
    assert detector.batches == [4, 2]
    assert done == [4, 6]
    assert detections.counts.tolist() == [1, 0, 2, 3, 0, 1]
    assert (detections.width, detections.height, detections.detector) == (64, 36, "counting/1")
    per_frame = [landmarks[:, 0, 0].tolist() for _, landmarks in detections.of_frames(1, 4)]
    assert per_frame == [[], [0, 1], [0, 1, 2]]
    np.testing.assert_allclose(detections.scores[1:3], [1, 0.5])
    assert not detections.cuts.any()


def test_cuts_are_found_on_the_way() -> None:
    detections = find_faces(frames_of([1] * 8), Counting(), on_batch=lambda done: None)
    assert detections.scenes() == [(0, 8)]
    detections = find_faces(frames_of([1] * 6 + [40] * 6), Counting(), on_batch=lambda done: None)
    assert detections.scenes() == [(0, 6), (6, 12)]


@pytest.mark.parametrize("then", [[40] * 9, [40, 40, *[1] * 7], [40, 41, 40, 41, 120, *[200] * 4]])
def test_what_is_known_of_the_first_frames_does_not_depend_on_what_follows(then: list[int]) -> None:
    lumas, count = [2] * 6 + then, 7
    whole = replace(find_faces(frames_of(lumas), Counting(), on_batch=lambda done: None), is_whole=True)
    beginning = find_faces(frames_of(lumas[: count + 3]), Counting(), on_batch=lambda done: None)
    known, same = beginning.first(count), whole.first(count)
    assert known is not None and same is not None
    for name in ("counts", "boxes", "landmarks", "scores", "cuts"):
        np.testing.assert_array_equal(getattr(known, name), getattr(same, name))
    assert len(known) == count and beginning.first(count + 1) is None
    assert (known.width, known.height, known.detector) == (64, 36, "counting/1")


def test_all_of_a_clip_is_all_there_is() -> None:
    whole = replace(clip([[box(10)]] * 5), is_whole=True)
    assert whole.first(5) is whole and whole.first(100) is whole
    shorter = whole.first(3)
    assert shorter is not None and len(shorter) == 3 and not shorter.is_whole


def test_the_caller_may_detect_in_his_own_way() -> None:
    halves: list[int] = []

    def in_halves(frames: Sequence[Frame]) -> list[list[Face]]:
        halves.append(len(frames))
        return [[] for _ in frames]

    detector = Counting()
    detections = find_faces(frames_of([1] * 5), detector, on_batch=lambda done: None, detect=in_halves)
    assert (halves, detector.batches, detections.counts.sum()) == ([4, 1], [], 0)


def test_frames_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def counted() -> Iterator[Frame]:
        for index, frame in enumerate(frames_of([1] * 12)):
            taken.append(index)
            yield frame

    class StoppedError(Exception):
        pass

    def stop(done: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        find_faces(counted(), Counting(), on_batch=stop)
    assert len(taken) == 4


class Pair(Counting):
    """Searches no batch before another one is in hand as well."""

    at_once = 2

    def __init__(self) -> None:
        super().__init__()
        self._both = Barrier(2)

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        self._both.wait(20)
        return super().detect(frames)


def test_several_batches_are_searched_at_once_and_kept_in_order() -> None:
    lumas = [1, 0, 2, 3, 0, 1, 5, 1, 1, 4, 0, 2, 0, 0, 3]
    done: list[int] = []
    together = find_faces(frames_of(lumas), Pair(), on_batch=done.append, at_once=2)
    alone = find_faces(frames_of(lumas), Counting(), on_batch=lambda done: None, at_once=2)
    assert together.counts.tolist() == alone.counts.tolist() == lumas
    assert np.array_equal(together.boxes, alone.boxes)
    assert done == [4, 8, 12, 15]


def test_a_search_that_fails_beside_another_is_told() -> None:
    class Breaking(Pair):
        def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
            super().detect(frames)
            raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        find_faces(frames_of([1] * 16), Breaking(), on_batch=lambda done: None, at_once=2)


def test_a_clip_without_frames_has_no_faces() -> None:
    detections = find_faces(frames_of([]), Counting(), on_batch=lambda done: None)
    assert (len(detections), len(detections.boxes), detections.scenes()) == (0, 0, [])


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    saved = replace(clip([[box(10), box(500)], [], [box(20)]], cuts=[2]), is_whole=True)
    saved.save(tmp_path / "it.npz")
    read = Detections.load(tmp_path / "it.npz")
    for name in ("counts", "boxes", "landmarks", "scores", "cuts"):
        np.testing.assert_array_equal(getattr(read, name), getattr(saved, name))
        assert getattr(read, name).dtype == getattr(saved, name).dtype
    assert (read.detector, read.width, read.height, read.is_whole) == ("invented/1", 1280, 720, True)


def test_parts_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected counts"):
        Detections(
            np.array([2], dtype=np.int32),
            np.zeros((1, 4), np.float32),
            np.zeros((1, 5, 2), np.float32),
            np.zeros(1, np.float32),
            np.zeros(1, bool),
            "d",
            64,
            36,
        )
