"""``python -m heygem inspect`` in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heygem.cli import main

DATA = Path(__file__).resolve().parents[1] / "data"
PRESENTER, SPEECH = str(DATA / "presenter.mp4"), str(DATA / "golden" / "speechlike_16k_4s.wav")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODELS", "OUTPUTS", "CACHE"):
        monkeypatch.setenv(f"HEYGEM_{name}_DIR", str(tmp_path / name))
    monkeypatch.setenv("COLUMNS", "200")


def test_what_can_only_be_heard_is_the_speech(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", SPEECH, PRESENTER, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["speech"]["file"] == SPEECH and [clip["file"] for clip in facts["clips"]] == [PRESENTER]


def test_the_table_names_each_file_and_a_refusal_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bad = tmp_path / "a[b].mp4"
    bad.write_text("hello")
    assert main(["inspect", PRESENTER, str(bad)]) == 1
    out = capsys.readouterr().out
    assert "presenter.mp4" in out.replace("\n", "") and "a[b].mp4" in out and "unreadable" in out and "854×480" in out
