"""``heygem verify``: what it prints, and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from heygem.cli import main
from heygem.errors import Text
from heygem.jobs import verify_result
from heygem.jobs.marking import Marking
from heygem.jobs.verify_result import Check
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.settings import Settings

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


@pytest.fixture
def unlabelled(tmp_path: Path) -> Path:
    return Path(shutil.copy(PRESENTER, tmp_path))


def test_what_is_missing_is_listed_and_ends_with_1(unlabelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(unlabelled)]) == 1
    said = capsys.readouterr().out
    assert "aigc_missing" in said and "label_not_visible" in said and "A label is missing" in said


@pytest.mark.parametrize(("ok", "status"), [(True, 0), (None, 0), (False, 1)])
def test_only_what_is_missing_is_held_against_a_file(
    ok: bool | None, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [Check("first", True, Text("有", "is there")), Check("second", ok, Text("也", "too"))]
    monkeypatch.setattr(verify_result, "verify_result", lambda path: checks)
    assert main(["verify", "any.mp4"]) == status
    assert ("It is labelled." in capsys.readouterr().out) == (status == 0)


def test_scripts_get_the_same_as_json(unlabelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tagged = tmp_path / "tagged.mp4"
    options = ["-c", "copy", "-movflags", "use_metadata_tags"]
    for key, value in Marking.of(Settings()).metadata("a1").items():
        options += ["-metadata", f"{key}={value}"]
    subprocess.run([ffmpeg_binary(), "-v", "error", "-i", unlabelled, *options, tagged], check=True)
    assert main(["verify", "--json", str(tagged)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["file"] == str(tagged) and answer["labelled"] is False
    assert [(check["code"], check["ok"]) for check in answer["checks"]][:3] == [
        ("aigc_found", True),
        ("label_not_visible", False),
        ("manifest_none", None),
    ]
    assert all(check["text"]["zh"] and check["text"]["en"] for check in answer["checks"])


def test_what_is_no_video_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("notes")
    assert main(["verify", str(path)]) == 2
    assert "notes.txt" in capsys.readouterr().err


def test_a_name_with_brackets_is_shown_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "[red].mp4")]) == 2
    assert "“[red].mp4”" in capsys.readouterr().err
