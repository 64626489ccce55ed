"""What is said of files before their jobs run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.cli.inspect import as_json
from heygem.device import Placement
from heygem.faces.face import Face
from heygem.frame import Frame
from heygem.jobs.face_sample import FaceSample, sample_faces
from heygem.jobs.former_jobs import seconds_per_pixel
from heygem.jobs.preflight import KnownFiles, PreflightReport, preflight
from heygem.jobs.result_manifest import write_manifest
from heygem.media import video_source
from heygem.media.limits import Limits
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.model_manager import ModelManager
from heygem.settings import Settings

DATA = Path(__file__).resolve().parents[1] / "data"
PRESENTER, SPEECH = DATA / "presenter.mp4", DATA / "golden" / "speechlike_16k_4s.wav"
CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(models_dir=tmp_path / "models", outputs_dir=tmp_path / "outputs", cache_dir=tmp_path / "cache")


def look(settings: Settings, clips: Sequence[Path], speech: Path | None = SPEECH) -> PreflightReport:
    return preflight(clips, speech, settings=settings, models=ModelManager(10**9), placement=CPU)


def former_job(settings: Settings, seconds: float, lips: str = "demo") -> None:
    """A result of 100 frames of 10 x 10 pixels."""
    folder = settings.outputs_dir / f"{seconds}-{lips}"
    folder.mkdir(parents=True)
    (folder / "result.mp4").write_bytes(b"video")
    facts = {
        "placement": "cpu/fp32", "engines": {"lips": {"name": lips}}, "frames": 100, "size": [10, 10], "label": {},
        "seconds": {"all": seconds},
    }  # fmt: skip
    write_manifest(folder / "result.mp4", facts)


def test_a_good_clip_and_its_speech(settings: Settings) -> None:
    former_job(settings, 10.0)
    report = look(settings, [PRESENTER])
    [clip], speech = report.clips, report.speech
    assert report.is_fit and clip.refused is None and clip.info is not None and clip.faces is not None
    assert clip.faces.share == 1 and clip.faces.people == 1 and clip.faces.gaps_s == ()
    assert clip.faces.size_px > 48
    assert [notice.code for notice in clip.notices] == ["clip_repeats"]
    assert speech is not None and speech.audio is not None and float(speech.audio.duration) == 4
    pixels = 4 * float(clip.info.fps) * clip.info.width * clip.info.height
    assert report.expected_s == pytest.approx(pixels * 10 / (100 * 10 * 10))
    assert pixels * 0.15 / 8 < report.needed_bytes < pixels
    assert report.notices == () and report.free_bytes > 0
    assert "rendered faces only" in report.lips_note.en


def test_a_refused_file_is_reported_beside_the_others(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    report = look(settings, [tmp_path / "text.mp4", PRESENTER], tmp_path / "text.mp4")
    assert not report.is_fit
    assert [clip.refused.code if clip.refused else None for clip in report.clips] == ["unreadable", None]
    assert report.speech is not None and report.speech.refused is not None
    assert report.expected_s is None


def test_it_is_plain_values_for_scripts(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    facts = json.loads(json.dumps(as_json(look(settings, [PRESENTER, tmp_path / "text.mp4"]))))
    good, bad = facts["clips"]
    assert facts["fit"] is False and facts["expected_s"] is None
    assert good["refused"] is None and good["faces"]["share"] == 1 and good["size"] == [854, 480]
    assert bad["refused"]["code"] == "unreadable" and bad["refused"]["text"]["zh"]
    assert facts["speech"]["seconds"] == 4 and facts["speech"]["rate_hz"] == 16_000


def test_a_known_file_is_not_decoded_again(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, speech = shutil.copyfile(PRESENTER, tmp_path / "a.mp4"), shutil.copyfile(SPEECH, tmp_path / "a.wav")
    known, models = KnownFiles(Limits.of(settings)), ModelManager(10**9)

    def again() -> PreflightReport:
        report = preflight([clip], speech, settings=settings, models=models, placement=CPU, known=known)
        return replace(report, free_bytes=0)  # others write to the disk meanwhile

    first = again()
    with monkeypatch.context() as blind:
        for name in ("sample_faces", "take_speech"):
            blind.setattr(f"heygem.jobs.preflight.{name}", None)
        assert again() == first
    clip.write_text("changed")
    assert [report.refused is not None for report in again().clips] == [True]


def test_too_little_space_is_told(settings: Settings) -> None:
    free_mb = shutil.disk_usage(settings.models_dir.parent).free // 1_000_000
    report = look(replace(settings, min_free_mb=2 * free_mb), [PRESENTER])
    assert [notice.code for notice in report.notices] == ["low_disk"]
    # By the megabytes of the queue, which would begin the job.
    assert not look(replace(settings, min_free_mb=free_mb // 2), [PRESENTER]).notices


class Seer:
    """A detector that sees what it is told to, frame by frame."""

    identity, batch, at_once = "seer", 1, 1

    def __init__(self, seen: Sequence[Sequence[float]]) -> None:
        self._seen = iter(seen)

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        return [[_face(size) for size in next(self._seen)] for _ in frames]


def _face(size: float) -> Face:
    return Face(np.array([0, 0, size, size], np.float32), np.zeros((5, 2), np.float32), 1.0)


def seen(*sizes: Sequence[float]) -> FaceSample:
    source = VideoSource(PRESENTER)
    return sample_faces(source, Seer([*sizes, *[sizes[-1]] * 16]), source.info.estimated_frames)


def test_gaps_people_and_sizes_are_counted() -> None:
    sample = seen((100, 90), (), (), (40, 10), (40,))
    fps, length = VideoSource(PRESENTER).info.fps, VideoSource(PRESENTER).info.estimated_frames
    step = length / 16 / float(fps)
    assert sample.looked_at == 16 and sample.with_face == 14 and sample.people == 2
    assert sample.size_px == 40
    [(start, stop)] = sample.gaps_s
    assert start == pytest.approx(step / 2, abs=1.01 / fps) and stop == pytest.approx(2.5 * step, abs=1.01 / fps)
    assert [notice.code for notice in sample.notices] == ["tiny_face", "several_people"]


def test_few_faces_and_none() -> None:
    few = seen(*[()] * 10, (100,))
    assert few.share == 6 / 16
    assert [notice.code for notice in few.notices] == ["few_faces"] and "38%" in few.notices[0].text.en
    assert [notice.code for notice in seen(()).notices] == ["no_face"]


def test_what_lies_behind_the_speech_is_not_looked_at(settings: Settings, tmp_path: Path) -> None:
    speech = tmp_path / "second.wav"
    write_wav(speech, np.zeros(8_000), 16_000)
    [whole], [part] = look(settings, [PRESENTER], None).clips, look(settings, [PRESENTER], speech).clips
    assert whole.faces is not None and part.faces is not None
    assert (whole.faces.looked_at, part.faces.looked_at) == (16, 13)
    source = VideoSource(PRESENTER)
    (start, stop), *_ = sample_faces(source, Seer([*[(90.0,)] * 4, *[()] * 12]), 16).gaps_s
    fps = source.info.fps
    assert start == pytest.approx(3.5 / fps, abs=0.01) and stop == pytest.approx(16 / fps, abs=0.01)


def test_a_long_clip_is_entered_and_a_short_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    source = VideoSource(PRESENTER)
    read = [(number, frame.data.clone()) for number, frame in source.sample(4)]
    monkeypatch.setattr(video_source, "SOON_READ_S", 0)
    entered = [(number, frame.data.clone()) for number, frame in source.sample(4)]
    assert [number for number, _ in read] == [number for number, _ in entered]
    assert all(torch.equal(one, other) for (_, one), (_, other) in zip(read, entered, strict=True))


def test_the_pace_is_that_of_the_same_engines(settings: Settings) -> None:
    engines = {"lips": "demo", "enhancer": None}
    assert seconds_per_pixel(settings.outputs_dir, engines, "cpu/fp32") is None
    former_job(settings, 10.0)
    former_job(settings, 1.0, lips="wav2lip")
    (settings.outputs_dir / "other").mkdir()
    (settings.outputs_dir / "other" / "result.mp4").write_bytes(b"")
    (settings.outputs_dir / "other" / "result.json").write_text('{"file": {}, "label": {}, "engines": 3}')
    assert seconds_per_pixel(settings.outputs_dir, engines, "cpu/fp32") == pytest.approx(10 / 10_000)
    assert seconds_per_pixel(settings.outputs_dir, engines, "cuda/bf16") is None
    assert seconds_per_pixel(settings.outputs_dir, engines | {"enhancer": "gfpgan"}, "cpu/fp32") is None
