"""Where results go, and what they are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from heygem.cli.production import names_of, reserved_name
from heygem.errors import EncodeError
from heygem.jobs.job import JobRequest


@pytest.mark.parametrize("letter", ["n", "名", "😀"])
def test_a_name_fits_however_long_its_parts_are(tmp_path: Path, letter: str) -> None:
    longest = letter * (251 // len(letter.encode()))
    names = names_of(tmp_path, JobRequest(tmp_path / f"{longest}.mp4", tmp_path / f"{longest}.wav"))
    for path, _ in zip(names, range(3), strict=False):
        path.touch()
        path.with_name(f".{path.name[-200:]}.part").touch()
        path.with_name(f".{path.name[-200:]}.lock").touch()
        path.with_suffix(".json").touch()
        assert letter in path.stem


def test_a_name_of_an_older_system_does_not_stop_its_job(tmp_path: Path) -> None:
    clip = Path(os.fsdecode(b"/" + "片段".encode("gbk") + b" a.mp4"))
    request = JobRequest(clip, tmp_path / "b.wav", video_name="\ud800")
    assert next(names_of(tmp_path, request)).name.endswith(" a-b.mp4")
    for text in (str(next(names_of(tmp_path, request))), request.video_name, JobRequest(clip, clip).video_name):
        assert text.encode()


def test_two_processes_do_not_write_one_result(tmp_path: Path) -> None:
    request = JobRequest(tmp_path / "a.mp4", tmp_path / "b.wav")
    with reserved_name(tmp_path, request) as first, reserved_name(tmp_path, request) as second:
        assert [first.name, second.name] == ["a-b.mp4", "a-b-2.mp4"]
        first.touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a-b.mp4"], "what reserved them is left"
    with reserved_name(tmp_path, request) as third:
        assert third == second


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    request = JobRequest(tmp_path / "a.mp4", tmp_path / "b.wav")
    with pytest.raises(EncodeError, match="No such file"), reserved_name(tmp_path / "none", request):
        pass


def test_short_names_stay_whole(tmp_path: Path) -> None:
    names = names_of(tmp_path, JobRequest(tmp_path / "片段 a.mp4", tmp_path / "b.wav"))
    assert [next(names).name, next(names).name] == ["片段 a-b.mp4", "片段 a-b-2.mp4"]
