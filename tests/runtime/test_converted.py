"""The folder of converted networks: whole entries or none, and never larger than it may be."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from heygem.runtime.converted import ConvertedNetworks


def of_size(size: int):
    return lambda folder: (folder / "network.bin").write_bytes(b"x" * size)


def put(kept: ConvertedNetworks, key: str, size: int = 1000) -> None:
    assert kept.put(key, of_size(size)) is not None


def test_what_was_put_is_found_by_its_key(tmp_path: Path) -> None:
    kept = ConvertedNetworks(tmp_path / "networks", 10_000)
    put(kept, "a")
    found = kept.get("a")
    assert found is not None and (found / "network.bin").read_bytes() == b"x" * 1000
    assert kept.get("b") is None


def test_the_least_recently_used_go_first_and_the_newest_stays(tmp_path: Path) -> None:
    kept = ConvertedNetworks(tmp_path, 3_000)
    for age, key in ((300, "a"), (200, "b")):
        put(kept, key)
        os.utime(tmp_path / key, (time.time() - age,) * 2)
    assert kept.get("a") is not None  # used now
    put(kept, "c")
    assert [kept.get(key) is not None for key in "abc"] == [True, False, True]
    put(kept, "d", size=5_000)
    assert [kept.get(key) is not None for key in "acd"] == [False, False, True]


def test_what_was_not_finished_is_no_entry_and_goes(tmp_path: Path) -> None:
    kept = ConvertedNetworks(tmp_path, 10_000)

    def fail(folder: Path) -> None:
        of_size(10)(folder)
        raise OSError("the disk is full")

    assert kept.put("a", fail) is None and kept.get("a") is None
    abandoned = tmp_path / "dead.part"
    abandoned.mkdir()
    put(kept, "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "dead.part"]  # another process may be at it
    os.utime(abandoned, (time.time() - 7200,) * 2)
    put(kept, "c")
    assert not abandoned.exists()


def test_a_disk_that_refuses_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    assert ConvertedNetworks(tmp_path / "file", 1).put("a", of_size(1)) is None
    assert "无法保存转换后的模型" in caplog.text
