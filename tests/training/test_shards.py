from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from heygem.training.shards import Talker, Talkers, open_talkers, person_folder


def test_a_person_comes_back_as_it_was_saved_and_is_mapped(tmp_path: Path, people: Talkers) -> None:
    person = people.talkers[0]
    person.save(person_folder(tmp_path, 7))
    loaded = open_talkers(tmp_path, [7]).talkers[0]
    for field in fields(Talker):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(person, field.name))
    assert isinstance(loaded.crops, np.memmap)


def test_a_save_that_was_stopped_leaves_no_person(tmp_path: Path, people: Talkers) -> None:
    half = tmp_path / f"{person_folder(tmp_path, 7).name}.part"
    half.mkdir()
    (half / "crops.npy").write_bytes(b"half")
    with pytest.raises(FileNotFoundError):
        open_talkers(tmp_path, [7])
    people.talkers[0].save(person_folder(tmp_path, 7))
    assert [path.name for path in tmp_path.iterdir()] == ["00000007"]


def test_pictures_are_counted_through_all_people(people: Talkers) -> None:
    assert len(people) == 10
    found = [people.locate(picture) for picture in range(len(people))]
    assert [own for _, own in found] == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert [person is people.talkers[0] for person, _ in found] == [True] * 6 + [False] * 4
