"""What users are told of faces and of lengths."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem.faces.face import FaceTrack
from heygem.jobs.notices import face_notices, length_notices
from heygem.media.audio_file import AudioFile
from heygem.media.probe import probe_video

DATA = Path(__file__).resolve().parents[1] / "data"


def track_of(size_px: float, found: list[bool]) -> FaceTrack:
    seen = np.array(found)
    box = np.array([0, 0, size_px, size_px], np.float32)
    boxes = np.where(seen[:, None], box, np.nan).astype(np.float32)
    return FaceTrack(boxes, np.zeros((len(seen), 5, 2), np.float32), seen.astype(np.float32), seen, "test")


@pytest.mark.parametrize(
    ("size_px", "found", "codes"),
    [
        (96.0, [True] * 10, []),
        (47.0, [True] * 10, ["tiny_face"]),
        (200.0, [True] * 8 + [False] * 2, []),
        (200.0, [True] * 4 + [False] * 6, ["few_faces"]),
        (30.0, [True] * 4 + [False] * 6, ["few_faces", "tiny_face"]),
    ],
)
def test_few_and_tiny_faces_are_told(size_px: float, found: list[bool], codes: list[str]) -> None:
    notices = face_notices(track_of(size_px, found))
    assert [notice.code for notice in notices] == codes
    assert all(notice.text.zh and notice.text.en for notice in notices)
    if "few_faces" in codes:
        assert "40%" in notices[0].text.en and "40%" in notices[0].text.zh


@pytest.mark.parametrize(("clip_s", "codes"), [(5, []), (4, []), (3, ["clip_repeats"])])
def test_a_speech_that_outlasts_its_clip_is_told(clip_s: int, codes: list[str]) -> None:
    speech = AudioFile(DATA / "golden" / "speechlike_16k_4s.wav")
    clip = replace(probe_video(DATA / "presenter.mp4"), duration=Fraction(clip_s))
    assert [notice.code for notice in length_notices(clip, speech, "loop")] == codes
    assert length_notices(replace(clip, is_still=True), speech, "loop") == ()
