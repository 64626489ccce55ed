from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.errors import WeightsMissingError
from heygem.faces import haar
from heygem.faces.haar import HaarDetector
from heygem.frame import ColourSpace, Frame
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


def test_opencv_without_its_cascades_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(haar, "_CASCADE", "haarcascade_of_another_opencv")
    with pytest.raises(WeightsMissingError, match="haarcascade_of_another_opencv"):
        HaarDetector()
