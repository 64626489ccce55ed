"""Names of speakers, and where their models lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from heygem.errors import OptionError
from heygem.weights.speakers import LIPS, speaker_folder, speaker_names


@pytest.mark.parametrize("name", ["anna", "Anna_2", "王芳", "हिन्दी", "น้ำ", "e\u0301lan", "a-b", "7", "x" * 40])
def test_letters_of_any_script_digits_and_two_signs_are_a_name(tmp_path: Path, name: str) -> None:
    assert speaker_folder(name, tmp_path) == tmp_path / "speakers" / name


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "..", "a.b", "a\n", "\u0301a", "a\u200f", "x" * 41])
def test_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match="cannot be called") as caught:
        speaker_folder(name, tmp_path)
    assert caught.value.code == "bad_name"


def test_speakers_are_whole_folders(tmp_path: Path) -> None:
    assert speaker_names(tmp_path) == []
    for folder in ("zoe", "anna", "anna.part"):
        (tmp_path / "speakers" / folder).mkdir(parents=True)
        (tmp_path / "speakers" / folder / LIPS).touch()
    (tmp_path / "speakers" / "empty").mkdir()
    assert speaker_names(tmp_path) == ["anna", "zoe"]
