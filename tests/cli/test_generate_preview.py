"""``heygem generate --preview``, up to what it asks of the producer."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from heygem.cli import generate
from heygem.settings import Settings


@pytest.mark.parametrize(("flags", "name"), [(["--preview"], "a-b-preview.mp4"), ([], "a-b.mp4")])
def test_it_asks_for_the_hardest_part_under_a_name_of_its_own(
    flags: list[str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, bool]] = []

    class Producer:
        def __init__(self, *parts: Any) -> None:
            pass

        def produce(self, video: Path, audio: Path, output: Path, *parts: Any, **more: Any) -> SimpleNamespace:
            asked.append((output.name, more["is_preview"]))
            return SimpleNamespace(output=output, summary="", notices=(), part_s=(1.5, 6.54) if flags else None)

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("heygem.jobs.produce.Producer", Producer)
    monkeypatch.setattr("heygem.model_manager.get_model_manager", lambda settings: None)
    parser = argparse.ArgumentParser()
    generate.add_parser(parser.add_subparsers())
    args = parser.parse_args(
        ["generate", "--audio", "b.wav", "--video", "a.mp4", "--out", str(tmp_path), "--device", "cpu", *flags]
    )
    assert generate.run(args, Settings(outputs_dir=tmp_path)) == 0
    assert asked == [(name, bool(flags))]
    assert ("seconds 1.5 to 6.5" in capsys.readouterr().out) == bool(flags)
