"""The command as a user runs it, in a process of its own; in this one where that tells nothing more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from heygem.cli import main
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav

ROOT = Path(__file__).parents[2]
PRESENTER = ROOT / "tests" / "data" / "presenter.mp4"


Done = subprocess.CompletedProcess[str]


def environment(folder: Path) -> dict[str, str]:
    return {
        "HEYGEM_MODELS_DIR": str(folder / "models"),
        "HEYGEM_CACHE_DIR": str(folder / "cache"),
        "COLUMNS": "400",  # paths of tests are long, and a table cuts what does not fit
    }


def heygem(*arguments: str, folder: Path) -> Done:
    env, command = os.environ | environment(folder), [sys.executable, "-m", "heygem", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def heygem_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """The same without a process of its own: three core-seconds less."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Done:
        try:
            status = main(arguments)
        except SystemExit as end:  # argparse's
            status = int(end.code or 0)
        return Done(arguments, status, *capsys.readouterr())

    return run


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    write_wav(path, np.sin(np.arange(6_400) / 9) * 0.3, 16_000)  # 0.4 s
    return path


def test_one_bad_clip_does_not_stop_the_others(tmp_path: Path, sound: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("hello")
    again = tmp_path / "again.mp4"
    again.write_bytes(PRESENTER.read_bytes())
    clips = [str(PRESENTER), str(bad), str(again)]
    out = tmp_path / "out"
    done = heygem("generate", "--audio", str(sound), "--video", *clips, "--out", str(out), folder=tmp_path)
    assert done.returncode == 1
    assert sorted(path.name for path in out.iterdir()) == [
        "again-speech.json",
        "again-speech.mp4",
        "presenter-speech.json",
        "presenter-speech.mp4",
    ]
    assert len(list(VideoSource(out / "again-speech.mp4").frames())) == 10
    assert "unreadable" in done.stdout and "bad.mp4" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_results_are_never_overwritten_and_options_arrive(tmp_path: Path, sound: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "presenter-speech.mp4").write_bytes(b"precious")
    options = ["--mask", "box", "--pads", "1", "2", "3", "4", "--fps", "30000/1001", "--crf", "30", "--extend", "loop"]
    arguments = ["--audio", str(sound), "--video", str(PRESENTER), "--out", str(out), *options]
    done = heygem("generate", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / "presenter-speech.mp4").read_bytes() == b"precious"
    facts = json.loads((out / "presenter-speech-2.json").read_text(encoding="utf-8"))
    assert facts["options"]["pads"] == [1, 2, 3, 4] and facts["options"]["mask"] == "box"
    assert facts["fps"] == "30000/1001" and facts["frames"] == 12


def test_wrong_options_are_one_clear_sentence(sound: Path, heygem_here: Callable[..., Done]) -> None:
    arguments = ["--audio", str(sound), "--video", str(PRESENTER), "--enhancer-strength", "3"]
    done = heygem_here("generate", *arguments)
    assert done.returncode == 2
    assert "bad_option" in done.stderr and "enhancer-strength" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_option_with_its_default(heygem_here: Callable[..., Done]) -> None:
    text = heygem_here("generate", "--help").stdout
    for option in ("--lips", "--enhancer", "--enhancer-strength", "--face", "--pads", "--smooth", "--mask", "--extend"):
        assert option in text
    for option in ("--sync-offset-ms", "--fps", "--crf", "--codec", "--device", "--precision", "--detector", "--tail"):
        assert option in text
    for default in (
        "default: auto",
        "default: lower-face",
        "default: pingpong",
        "default: 18",
        "default: (0, 10, 0, 0)",
    ):
        assert default in " ".join(text.split())


def test_doctor_reports_and_judges(tmp_path: Path, heygem_here: Callable[..., Done]) -> None:
    done = heygem("doctor", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for subject in ("Python", "torch", "NVIDIA driver", "ffmpeg", "libx264", "wav2lip", "HEYGEM_OUTPUTS_DIR", "disk"):
        assert subject in done.stdout
    (tmp_path / "models").mkdir(exist_ok=True)
    (tmp_path / "models" / "GFPGANv1.4.pth").write_text("<!doctype html><html>")
    done = heygem_here("doctor")
    assert done.returncode == 1
    assert "GFPGANv1.4.pth" in done.stdout


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("a file")
    made = [
        "generate",
        "--audio",
        str(PRESENTER),
        "--video",
        str(PRESENTER),
        "--out",
        str(tmp_path / "taken" / "deeper"),
    ]
    assert main(made) == 2
    assert "encode_failed" in capsys.readouterr().err
