"""What a page may submit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from heygem.errors import InputError, SettingsError
from heygem.jobs.job import JobRequest
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings
from heygem.ui.uploads import Uploads, check_input_dir

DATA = Path(__file__).resolve().parents[1] / "data"
OPTIONS = RenderOptions()


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    (tmp_path / "speech").write_bytes((DATA / "golden" / "speechlike_16k_4s.wav").read_bytes())
    (tmp_path / "clip").write_bytes((DATA / "presenter.mp4").read_bytes())
    (tmp_path / "bad").write_text("no clip")
    return Uploads(tmp_path, Settings(max_batch_clips=2))


def code_of(call, *args) -> str:
    with pytest.raises(InputError) as caught:
        call(*args)
    assert caught.value.text.zh and caught.value.text.en and caught.value.hint.zh and caught.value.hint.en
    return caught.value.code


def batch(uploads: Uploads, *clips: Path, speech: Path | None = None) -> list[JobRequest]:
    return uploads.checked([JobRequest(clip, speech or uploads.folder / "speech") for clip in clips])


def test_a_bad_clip_stops_a_single_job_and_not_a_batch(uploads: Uploads):
    speech, clip, bad = (str(uploads.folder / name) for name in ("speech", "clip", "bad"))
    assert uploads.request(clip, speech, OPTIONS).video == uploads.folder / "clip"
    assert code_of(uploads.request, bad, speech, OPTIONS) == "unreadable"
    assert [request.video.name for request in batch(uploads, Path(bad), Path(clip))] == ["bad", "clip"]


def test_any_speech_without_sound_stops_a_batch(uploads: Uploads):
    clip, bad = uploads.folder / "clip", uploads.folder / "bad"
    requests = [JobRequest(clip, uploads.folder / "speech"), JobRequest(clip, bad)]
    assert code_of(uploads.checked, requests) == "unreadable"


def test_a_batch_has_a_limit(uploads: Uploads):
    assert code_of(batch, uploads, *[uploads.folder / "clip"] * 3) == "too_many_clips"


def test_links_and_files_from_elsewhere_are_refused(uploads: Uploads):
    speech = str(uploads.folder / "speech")
    (uploads.folder / "link").symlink_to(uploads.folder / "clip")
    (uploads.folder / "out").symlink_to(DATA / "presenter.mp4")
    assert code_of(uploads.request, str(uploads.folder / "link"), speech, OPTIONS) == "symlink"
    assert code_of(uploads.request, str(uploads.folder / "out"), speech, OPTIONS) == "not_uploaded"
    assert code_of(batch, uploads, DATA / "presenter.mp4") == "not_uploaded"
    assert code_of(batch, uploads, uploads.folder / "out") == "not_uploaded"


def test_a_batch_may_have_files_of_the_folder_that_is_allowed(uploads: Uploads):
    allowed = Uploads(uploads.folder, replace(uploads.settings, input_dir=DATA / "golden"))
    clip, speech = uploads.folder / "clip", DATA / "golden" / "speechlike_16k_4s.wav"
    assert [request.audio for request in batch(allowed, clip, speech=speech)] == [speech]
    assert code_of(batch, allowed, DATA / "presenter.mp4") == "not_uploaded"
    assert code_of(batch, allowed, DATA / "golden" / "gone.mp4") == "no_such_path"
    assert code_of(batch, allowed, DATA / "golden" / ".." / "presenter.mp4") == "no_such_path"


def test_a_folder_for_inputs_that_is_not_there_is_told_at_the_start(tmp_path):
    check_input_dir(Settings())
    check_input_dir(Settings(input_dir=tmp_path))
    (tmp_path / "file").touch()
    for name in ("gone", "file"):
        with pytest.raises(SettingsError) as found:
            check_input_dir(Settings(input_dir=tmp_path / name))
        assert f"{tmp_path / name}" in found.value.text.en and found.value.hint.en
