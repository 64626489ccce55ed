from __future__ import annotations

import re
from pathlib import Path

import pytest

from heygem.weights.manifest import CHECKPOINTS, Checkpoint

README = Path(__file__).parents[2] / "models" / "README.md"


def rows() -> dict[str, list[str]]:
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row for row in cells[1:]}


def test_the_table_for_people_lists_the_same_checkpoints() -> None:
    assert list(rows()) == list(CHECKPOINTS)


@pytest.mark.parametrize("checkpoint", CHECKPOINTS.values())
def test_the_table_for_people_says_the_same(checkpoint: Checkpoint) -> None:
    _, files, source, size, sha256, licence, purpose = rows()[checkpoint.name]
    assert re.findall("`(.+?)`", files) == [checkpoint.filename, *checkpoint.other_filenames]
    assert re.findall("<(http.+?)>", source) == list(checkpoint.urls or (checkpoint.page,))
    assert int(size) == checkpoint.bytes
    assert re.findall("`(.+?)`", sha256) == list(checkpoint.accepted_sha256)
    assert (licence, purpose) == (checkpoint.licence.en, checkpoint.purpose.en)


@pytest.mark.parametrize("checkpoint", CHECKPOINTS.values())
def test_entries_are_well_formed(checkpoint: Checkpoint) -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in checkpoint.accepted_sha256)
    assert all(url.startswith("https://") for url in (*checkpoint.urls, checkpoint.page))
    assert all(name in CHECKPOINTS for name in checkpoint.stand_ins)
    assert CHECKPOINTS[checkpoint.name] is checkpoint


def test_wav2lip_weights_say_that_they_are_not_for_business() -> None:
    for name in ("wav2lip", "wav2lip-sd"):
        assert "research and personal use only" in CHECKPOINTS[name].licence.en
        assert "禁止商用" in CHECKPOINTS[name].licence.zh
