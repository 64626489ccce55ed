from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from heygem.colour_space import ColourSpace
from heygem.errors import WeightsMissingError
from heygem.faces import haar
from heygem.faces.detections import find_faces
from heygem.faces.haar import HaarDetector
from heygem.frame import Frame
from heygem.media.video_source import VideoSource

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


@pytest.fixture(scope="module")
def frame() -> Frame:
    return next(VideoSource(PRESENTER).frames())


def test_finds_the_face_of_the_presenter(frame: Frame) -> None:
    [[face]] = HaarDetector().detect([frame])
    # Read off the picture: hairline to chin, cheek to cheek, pupils, tip of the nose, corners of the mouth.
    np.testing.assert_allclose(face.box, [335, 85, 520, 348], atol=25)
    eyes_nose_mouth = [[382, 172], [467, 172], [425, 230], [401, 278], [450, 278]]
    np.testing.assert_allclose(face.landmarks, eyes_nose_mouth, atol=18)  # a tenth of the face
    assert 0.2 <= face.score <= 1


def test_answers_in_pixels_of_the_frame_whatever_its_size(frame: Frame) -> None:
    planes = [plane.repeat_interleave(2, 0).repeat_interleave(2, 1) for plane in (frame.y, frame.u, frame.v)]
    doubled = Frame(torch.cat([p.flatten() for p in planes]), 2 * frame.width, 2 * frame.height, frame.colour)
    [[small], [large]] = HaarDetector().detect([frame, doubled])
    np.testing.assert_allclose(large.box, 2 * small.box, atol=12)


def test_sees_nothing_in_an_empty_picture_and_in_noise() -> None:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 256, (640 * 360 * 3 // 2,), generator=generator, dtype=torch.uint8)
    empty = torch.full_like(noise, 128)
    frames = [Frame(data, 640, 360, ColourSpace()) for data in (noise, empty)]
    assert HaarDetector().detect(frames) == [[], []]


def moved(frame: Frame, right: int) -> Frame:
    """The picture shifted around its own border."""
    planes = [frame.y.roll(right, 1), frame.u.roll(right // 2, 1), frame.v.roll(right // 2, 1)]
    return Frame(torch.cat([plane.flatten() for plane in planes]), frame.width, frame.height, frame.colour)


def empty(frame: Frame) -> Frame:
    return Frame(torch.full_like(frame.data, 128), frame.width, frame.height, frame.colour)


def scaled(frame: Frame, factor: float, centre: NDArray[np.float64]) -> Frame:
    """The luma as many times larger, about a point; the chroma as it is."""
    matrix = np.column_stack([factor * np.eye(2), (1 - factor) * centre])
    luma = cv2.warpAffine(frame.y.numpy(), matrix, (frame.width, frame.height), borderMode=cv2.BORDER_REPLICATE)
    planes = [torch.from_numpy(luma), frame.u, frame.v]
    return Frame(torch.cat([plane.flatten() for plane in planes]), frame.width, frame.height, frame.colour)


def beside(left: Frame, right: Frame) -> Frame:
    planes = [torch.cat([getattr(left, name), getattr(right, name)], 1).flatten() for name in ("y", "u", "v")]
    return Frame(torch.cat(planes), left.width + right.width, left.height, left.colour)


@pytest.fixture
def whole_searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever all of a picture is searched."""
    calls: list[int] = []
    search = HaarDetector._everywhere
    monkeypatch.setattr(HaarDetector, "_everywhere", lambda self, luma: calls.append(1) or search(self, luma))
    return calls


def test_between_two_pictures_of_a_batch_the_face_is_found_where_a_whole_search_finds_it(
    whole_searches: list[int],
) -> None:
    detector = HaarDetector()
    frames = list(islice(VideoSource(PRESENTER).frames(), 16))
    together = detector.detect(frames)
    assert len(whole_searches) == 2
    alone = [detector.detect([frame])[0] for frame in frames]
    for [near], [anywhere] in zip(together, alone, strict=True):
        np.testing.assert_allclose(near.box, anywhere.box, atol=12)
        np.testing.assert_allclose(near.landmarks, anywhere.landmarks, atol=12)
        assert near.score == pytest.approx(anywhere.score, abs=0.4)


def test_a_face_that_is_elsewhere_between_is_found(frame: Frame) -> None:
    [[_], [far], [_]] = HaarDetector().detect([frame, moved(frame, 250), frame])
    np.testing.assert_allclose(far.box, [585, 85, 770, 348], atol=25)


def test_a_face_that_is_seen_between_only_is_found(frame: Frame) -> None:
    blank = empty(frame)
    assert [len(faces) for faces in HaarDetector().detect([blank, frame, blank, blank])] == [0, 1, 0, 0]
    assert [len(faces) for faces in HaarDetector().detect([frame, blank, frame, blank])] == [1, 0, 1, 0]


def test_a_face_that_moved_far_is_found_on_its_way(frame: Frame) -> None:
    frames = [moved(frame, shift) for shift in (0, 80, 160, 240)]
    lefts = [face.box[0] for [face] in HaarDetector().detect(frames)]
    np.testing.assert_allclose(lefts, [335, 415, 495, 575], atol=25)


def test_a_face_that_is_larger_or_smaller_between_is_found_in_its_size(frame: Frame, whole_searches: list[int]) -> None:
    centre = np.array([427.0, 216.0])
    [[face], [near], [_], [far], [_]] = HaarDetector().detect(
        [frame, scaled(frame, 1.2, centre), frame, scaled(frame, 1 / 1.2, centre), frame]
    )
    assert len(whole_searches) == 2
    corners = face.box.reshape(2, 2) - centre
    np.testing.assert_allclose(near.box.reshape(2, 2), centre + 1.2 * corners, atol=12)
    np.testing.assert_allclose(far.box.reshape(2, 2), centre + corners / 1.2, atol=12)


def test_each_of_several_faces_is_followed(frame: Frame, whole_searches: list[int]) -> None:
    pair = beside(frame, moved(frame, 40))
    found = HaarDetector().detect([pair, moved(pair, 10), moved(pair, 20)])
    assert len(whole_searches) == 2
    for number, faces in enumerate(found):
        lefts = sorted(face.box[0] for face in faces)
        np.testing.assert_allclose(lefts, [335 + 10 * number, 854 + 375 + 10 * number], atol=25)
        assert faces[0].score >= faces[1].score


def test_a_face_that_goes_away_and_comes_back_is_followed(frame: Frame, whole_searches: list[int]) -> None:
    shifts = [250 - abs(250 - 31 * number) for number in range(17)]
    lefts = [face.box[0] for [face] in HaarDetector().detect([moved(frame, shift) for shift in shifts])]
    np.testing.assert_allclose(lefts, np.array(shifts) + 335, atol=25)
    assert len(whole_searches) == 3  # once where the face is farthest, and from there on everybody knows where it goes


def test_where_somebody_leaves_is_searched_for_by_halves(frame: Frame, whole_searches: list[int]) -> None:
    both = beside(frame, frame)
    found = HaarDetector().detect([both] * 11 + [beside(frame, empty(frame))] * 6)
    assert [len(faces) for faces in found] == [2] * 11 + [1] * 6
    assert len(whole_searches) == 2 + 4


@pytest.mark.usefixtures("four_threads")
def test_threads_may_come_to_the_pictures_in_any_order(frame: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = HaarDetector()
    frames = [moved(frame, 3 * number) for number in range(11)]
    frames[6] = empty(frame)
    together = detector.detect(frames)

    def one_by_one_backwards(work: Callable[[object], object], items: Sequence[object]) -> list[object]:
        return [work(item) for item in reversed(items)][::-1]

    monkeypatch.setattr(haar, "each", one_by_one_backwards)
    for ours, theirs in zip(together, detector.detect(frames), strict=True):
        assert [face.score for face in ours] == [face.score for face in theirs]
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one.box, other.box)


def test_what_follows_the_first_batches_of_a_clip_does_not_change_their_faces() -> None:
    detector = HaarDetector()
    clip = list(VideoSource(PRESENTER).frames())
    assert detector.batch < len(clip)
    beginning, whole = (
        find_faces(frames, detector, on_batch=lambda done: None) for frames in (clip[: detector.batch], clip)
    )
    assert beginning.counts.sum() == detector.batch
    np.testing.assert_array_equal(beginning.boxes, whole.boxes[: detector.batch])
    np.testing.assert_array_equal(beginning.landmarks, whole.landmarks[: detector.batch])


def test_opencv_without_its_cascades_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(haar, "_CASCADE", "haarcascade_of_another_opencv")
    with pytest.raises(WeightsMissingError, match="haarcascade_of_another_opencv"):
        HaarDetector()
