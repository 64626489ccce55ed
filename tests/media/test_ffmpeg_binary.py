import os
from pathlib import Path

import imageio_ffmpeg
import pytest

from heygem.media.ffmpeg_binary import ffmpeg_binary


@pytest.fixture(autouse=True)
def fresh():
    ffmpeg_binary.cache_clear()
    yield
    ffmpeg_binary.cache_clear()


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, banner: str) -> str:
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho 'ffmpeg version {banner} Copyright'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return str(program)


@pytest.mark.parametrize("banner", ["5.1.9-0+deb12u1", "n9.0.2-17-g2a571b6068", "7.0.2-static", "N-117000-gabcdef"])
def test_the_one_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, banner: str):
    assert ffmpeg_binary() != put_on_path(tmp_path, monkeypatch, banner)
    ffmpeg_binary.cache_clear()
    assert ffmpeg_binary() == str(tmp_path / "ffmpeg")


@pytest.mark.parametrize("banner", ["4.4.2-0ubuntu0.22.04.1", "5.0.1", "n4.2"])
def test_one_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog, banner: str):
    put_on_path(tmp_path, monkeypatch, banner)
    assert ffmpeg_binary() == imageio_ffmpeg.get_ffmpeg_exe()
    assert "older" in caplog.text


def test_without_one_on_path_the_bundled_one_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg_binary() == imageio_ffmpeg.get_ffmpeg_exe()
