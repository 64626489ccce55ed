"""A speaker's folder appears whole or not at all; what killed processes left is swept, what is being made is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from heygem.errors import OptionError
from heygem.training.speaker_folder import delete_speaker, free_folder, sweep_unfinished, whole_or_nothing
from heygem.weights.speakers import LIPS, speaker_names


def speakers(models: Path) -> list[str]:
    return sorted(path.name for path in (models / "speakers").iterdir())


def make(models: Path, name: str) -> Path:
    with whole_or_nothing(free_folder(name, models)) as part:
        (part / LIPS).touch()
    return models / "speakers" / name


def test_it_appears_when_it_is_whole(tmp_path: Path) -> None:
    with whole_or_nothing(free_folder("anna", tmp_path)) as part:
        (part / LIPS).touch()
        assert speaker_names(tmp_path) == []
    assert speaker_names(tmp_path) == ["anna"] and speakers(tmp_path) == ["anna"]
    with pytest.raises(OptionError) as caught:
        free_folder("anna", tmp_path)
    assert caught.value.code == "name_taken"


def test_it_is_on_the_disk_before_it_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr("heygem.training.speaker_folder.flush", lambda path: flushed.append(path.name))
    folder = free_folder("anna", tmp_path)
    rename = Path.rename

    def noted(path: Path, target: Path) -> Path:
        flushed.append("appears")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", noted)
    with whole_or_nothing(folder) as part:
        (part / LIPS).touch()
        assert flushed == []
    assert flushed == [LIPS, "anna.part", "appears", "speakers"]


def test_what_a_killed_process_left_is_swept_and_what_is_being_made_is_not(tmp_path: Path) -> None:
    left = tmp_path / "speakers" / "left.part"
    left.mkdir(parents=True)
    (left / "crops.npy").touch()
    (left.parent / "a file.part").touch()
    with whole_or_nothing(free_folder("anna", tmp_path)) as part:
        sweep_unfinished(tmp_path)
        assert part.is_dir() and not left.exists()
    sweep_unfinished(tmp_path / "no models")


def test_a_name_that_another_process_trains_is_taken_until_that_ends(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom heygem.training.speaker_folder import whole_or_nothing\n"
        "with whole_or_nothing(pathlib.Path(sys.argv[1])):\n    print('in', flush=True)\n    sys.stdin.read()"
    )
    folder = free_folder("anna", tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "in\n"
    with pytest.raises(OptionError, match="being trained") as caught, whole_or_nothing(folder):
        pass
    assert caught.value.code == "name_taken"
    sweep_unfinished(tmp_path)
    assert speakers(tmp_path) == ["anna.part"]
    child.kill()
    child.communicate()
    make(tmp_path, "anna")
    assert speakers(tmp_path) == ["anna"]


def test_a_speaker_is_deleted_and_the_name_is_free_again(tmp_path: Path) -> None:
    make(tmp_path, "anna")
    make(tmp_path, "李")
    delete_speaker("anna", tmp_path)
    delete_speaker("anna", tmp_path)
    assert speakers(tmp_path) == ["李"]
    free_folder("anna", tmp_path)
    with pytest.raises(OptionError) as caught:
        delete_speaker("../speakers", tmp_path)
    assert caught.value.code == "bad_name"
