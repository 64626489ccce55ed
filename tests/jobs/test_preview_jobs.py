"""A preview as a job: before all others, by the real runner with the embedded lips, and what it says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored_jobs import add, claim_names, new_job

from heygem.jobs.former_jobs import seconds_per_pixel
from heygem.jobs.job import Job, JobKind, JobRequest, JobStatus
from heygem.jobs.run_job import make_runner, speech_seconds
from heygem.jobs.store import JobStore
from heygem.jobs.verify_result import verify_result
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.settings import Settings

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """5.93 s: a second of silence, then noise that comes and goes."""
    return write_speech(tmp_path / "speech.wav", 5.93)


def write_speech(path: Path, seconds: float) -> Path:
    times = np.arange(round(seconds * 16_000)) / 16_000
    noise = np.random.default_rng(0).standard_normal(len(times)) * np.sin(12 * times) ** 2 * (times > 0.93) * 0.12
    write_wav(path, noise, 16_000)
    return path


def a_preview(name: str) -> Job:
    job = new_job(name)
    return replace(job, request=replace(job.request, kind=JobKind.PREVIEW))


def test_previews_go_before_all_that_waits(store: JobStore) -> None:
    add(store, "a", "b")
    store.add([a_preview("look")], capacity=9)
    add(store, "c")
    store.move_to_front(store.jobs(0)[1].id)
    store.add([a_preview("look again")], capacity=9)
    assert [job.position for job in store.jobs(0)] == [4, 2, 3, 5, 1]
    assert claim_names(store) == ["look again", "b", "look", "a", "c"]


def test_a_preview_that_is_tried_again_goes_before_all_that_waits(store: JobStore) -> None:
    [job_id] = store.add([a_preview("look")], capacity=9)
    store.cancel(job_id)
    add(store, "a")
    store.retry(job_id, capacity=9, check=lambda request: None)
    assert claim_names(store) == ["look", "a"]


def test_it_takes_the_time_of_its_own_seconds(speech: Path) -> None:
    request = JobRequest(PRESENTER, speech, kind=JobKind.PREVIEW)
    assert speech_seconds(request) == 5
    assert speech_seconds(replace(request, kind=JobKind.VIDEO)) == pytest.approx(5.93)
    assert speech_seconds(replace(request, audio=PRESENTER.parent / "golden" / "speechlike_16k_4s.wav")) == 4


def test_the_runner_makes_the_seconds_that_it_names(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem.model_manager.get_model_manager", lambda settings: ModelManager(10**9))
    settings = Settings(
        outputs_dir=tmp_path / "out", models_dir=tmp_path / "models", cache_dir=tmp_path / "cache", device="cpu"
    )
    (tmp_path / "out" / "abc").mkdir(parents=True)
    request = JobRequest(PRESENTER, speech, RenderOptions(label_duration_s=4), kind=JobKind.PREVIEW)
    run = make_runner(settings)
    result = run(Job("abc", request, JobStatus.RUNNING, queued_s=0.0), Silent())
    assert result.part_s is not None
    start, stop = result.part_s
    assert 0.6 <= start <= 0.93 and stop == pytest.approx(min(start + 5, 5.93))
    assert len(list(VideoSource(result.output).frames())) == 125
    facts = json.loads(result.output.with_suffix(".json").read_text(encoding="utf-8"))
    assert facts["preview"] == {"from_s": start, "to_s": stop} and facts["speech_s"] == pytest.approx(5.93)
    assert facts["faceless_s"] == [] and facts["frames"] == 125
    assert [check.code for check in verify_result(result.output)][:3] == ["aigc_found", "label_visible", "hash_same"]
    assert seconds_per_pixel(settings.outputs_dir, {"lips": "demo", "enhancer": None}, "cpu/fp32") is None
    short = replace(request, audio=write_speech(tmp_path / "short.wav", 0.61))
    assert run(Job("abc", short, JobStatus.RUNNING, queued_s=0.0), Silent()).part_s == (0, 0.61)
