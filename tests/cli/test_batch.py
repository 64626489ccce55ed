"""A list of jobs by the command's own code, with the embedded engine."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import wave
from pathlib import Path

import pytest

from heygem.cli import batch
from heygem.errors import InputError
from heygem.media.video_source import VideoSource
from heygem.model_manager import ModelManager
from heygem.settings import Settings

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


class Desk:
    """Runs the command in a folder with a clip, a broken clip and a speech of 0.4 s."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.out = folder, folder / "out"
        shutil.copy(PRESENTER, folder / "presenter.mp4")
        (folder / "broken.mp4").write_text("hello")
        with wave.open(str(folder / "speech.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(range(256)) * 50)
        for path in folder.iterdir():
            os.utime(path, (1e9, 1e9))
        self.settings = Settings(models_dir=folder / "models", cache_dir=folder / "cache", device="cpu")
        models = ModelManager(10**9)
        monkeypatch.setattr("heygem.model_manager.get_model_manager", lambda settings: models)
        monkeypatch.setenv("COLUMNS", "200")

    def run(self, *lines: str) -> int:
        (self.folder / "jobs.csv").write_text("\n".join(lines), encoding="utf-8")
        parser = argparse.ArgumentParser()
        batch.add_parser(parser.add_subparsers())
        args = parser.parse_args(["batch", str(self.folder / "jobs.csv"), "--out", str(self.out)])
        return batch.run(args, self.settings)

    def results(self) -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in sorted(self.out.glob("*.mp4"))}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


LIST = ("video,audio,crf", "presenter.mp4,speech.wav,30", "broken.mp4,speech.wav,", "presenter.mp4,speech.wav,40")


def test_one_bad_line_sinks_no_other_and_what_is_whole_is_not_made_again(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run(*LIST) == 1
    shown = capsys.readouterr().out
    assert "3: broken.mp4" in shown and "unreadable" in shown
    first = desk.results()
    assert list(first) == ["presenter-speech-2.mp4", "presenter-speech.mp4"]
    facts = json.loads((desk.out / "presenter-speech-2.json").read_text(encoding="utf-8"))
    assert facts["options"]["crf"] == 40 and facts["frames"] == len(
        list(VideoSource(desk.out / "presenter-speech-2.mp4").frames())
    )

    assert desk.run(*LIST[:2], LIST[3]) == 0
    assert desk.results() == first
    assert capsys.readouterr().out.count("已有") == 2

    os.utime(desk.folder / "speech.wav")  # from here on the speech is newer than any result
    desk.run(*LIST[:2])
    assert len(desk.results()) == 3


def test_results_of_other_options_are_not_taken_for_it(desk: Desk) -> None:
    desk.run(*LIST[:2])
    with (desk.out / "presenter-speech.mp4").open("ab") as file:
        file.write(b"damaged")
    desk.run(*LIST[:2])
    assert len(desk.results()) == 2
    desk.run("video,audio,crf", "presenter.mp4,speech.wav,31")
    assert len(desk.results()) == 3


def test_a_mistake_in_the_list_begins_nothing(desk: Desk) -> None:
    with pytest.raises(InputError) as caught:
        desk.run(*LIST, "presenter.mp4,gone.wav,")
    assert caught.value.code == "bad_batch_list"
    assert not desk.out.exists()
