"""Tiny clips and sounds, made by the real ffmpeg, each once per run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from heygem.media.ffmpeg_binary import ffmpeg_binary

Make = Callable[..., Path]
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")


def moving(rate: str = "25", seconds: str = "2", size: str = "160x120") -> list[str]:
    """Input options of a picture in which no two frames are alike."""
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds},noise=alls=12:allf=t"]


def run_ffmpeg(*args: str | Path, program: str | None = None) -> bytes:
    command = [program or ffmpeg_binary(), "-v", "error", "-nostdin", "-y", *map(str, args)]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.fixture(scope="session")
def raw() -> Callable[..., bytes]:
    """raw(path, pix_fmt) -> what ffmpeg itself decodes, picture by picture, without any conversion."""

    def decode(path: Path, pix_fmt: str = "yuv420p") -> bytes:
        options = ("-fps_mode", "passthrough", "-pix_fmt", pix_fmt, "-f", "rawvideo", "-")
        return run_ffmpeg("-i", f"file:{path}", *options)

    return decode


@pytest.fixture(scope="session")
def heard() -> Callable[..., NDArray[np.float32]]:
    """heard(path, channels) -> (samples, channels) float32 as ffmpeg decodes it."""

    def decode(path: Path, channels: int = 1) -> NDArray[np.float32]:
        raw = run_ffmpeg("-i", f"file:{path}", "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "f32le", "-")
        return np.frombuffer(raw, np.float32).reshape(-1, channels)

    return decode


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """make(name, *ffmpeg_options) -> path of that file."""
    folder = tmp_path_factory.mktemp("clips")
    made: dict[str, tuple[str | Path, ...]] = {}

    def make_file(name: str, *args: str | Path) -> Path:
        path = folder / name
        assert made.setdefault(name, args) == args, f"{name} is made in two ways"
        if not path.exists():
            run_ffmpeg(*args, path, program=imageio_ffmpeg.get_ffmpeg_exe())  # older ones cannot turn a picture
        return path

    return make_file


@pytest.fixture(scope="session")
def clip(make: Make) -> Path:
    """Two seconds at 25 per second with B-frames, 160 x 120."""
    return make("clip.mp4", *moving(), *H264, "-bf", "2")


@pytest.fixture(scope="session")
def speech(make: Make) -> Path:
    """1.2345 s of 16 kHz mono."""
    return make("speech.wav", "-f", "lavfi", "-i", "anoisesrc=r=16000:a=0.3:seed=1", "-af", "atrim=end_sample=19752")
