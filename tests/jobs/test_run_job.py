"""The queue's runner: a job that ends leaves no segments of an earlier attempt, and errors name its user's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from heygem.errors import MediaError, Text
from heygem.jobs.job import Job, JobRequest, JobStatus
from heygem.jobs.run_job import make_runner
from heygem.model_manager import ModelManager
from heygem.pipeline.progress import Silent
from heygem.settings import Settings


def test_a_job_that_fails_early_leaves_no_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heygem.model_manager.get_model_manager", lambda settings: ModelManager(10**9))
    settings = Settings(outputs_dir=tmp_path, models_dir=tmp_path / "models", cache_dir=tmp_path / "c", device="cpu")
    segments = tmp_path / "0123456789ab" / ".result.mp4.segments"
    segments.mkdir(parents=True)
    (segments / "journal.jsonl").touch()
    for name in ("clip", "speech"):
        (segments.parent / name).write_text("hello")
    request = JobRequest(segments.parent / "clip", segments.parent / "speech", audio_name="问候.wav")
    with pytest.raises(MediaError) as caught:
        make_runner(settings)(Job(segments.parent.name, request, JobStatus.RUNNING, queued_s=0.0), Silent())
    assert not segments.exists()
    assert "“问候.wav”" in str(caught.value) and "'问候.wav'" in caught.value.text.en, "a name that its user never gave"
    assert caught.value.text == Text(*str(caught.value).split(" ", 1))
