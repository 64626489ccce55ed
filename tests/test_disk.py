from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from heygem.disk import appearing, cannot_write, companion, disk_full, flush


def test_files_and_folders_are_flushed_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    flushed: list[int] = []
    descriptors: list[int] = []

    def fsync(descriptor: int) -> None:
        descriptors.append(descriptor)
        flushed.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    paths = [tmp_path / "file", tmp_path]
    for path in paths:
        flush(path)
    assert flushed == [path.stat().st_ino for path in paths]
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_file_appears_when_all_of_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "result"
    flushed: list[tuple[int, bool]] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append((os.fstat(descriptor).st_ino, path.exists())))
    with appearing(path) as part:
        part.write_bytes(b"abc")
        assert part.parent == tmp_path and not path.exists()
    assert flushed == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]
    assert path.read_bytes() == b"abc" and list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_cut_short_is_gone_and_what_it_was_to_replace_stays(tmp_path: Path) -> None:
    (tmp_path / "result").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), appearing(tmp_path / "result") as part:
        part.write_bytes(b"ab")
        raise KeyboardInterrupt
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_the_longest_names_have_companions(tmp_path: Path) -> None:
    path = tmp_path / ("视" * 83 + ".mp4")  # 253 bytes
    path.touch()
    companion(path, ".segments").touch()
    assert companion(path, ".part").name == "." + "视" * 65 + ".mp4.part"
    assert companion(tmp_path / "a.mp4", ".part").name == ".a.mp4.part"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_has_words_of_its_own(number: int) -> None:
    error = cannot_write(Path("/somewhere/result.mp4"), OSError(number, os.strerror(number)))
    assert error.code == "disk_full"
    assert error.text.en == "The disk is full: 'result.mp4' cannot be written."


def test_what_else_keeps_a_file_from_being_written_is_told_in_the_systems_words() -> None:
    error = cannot_write(Path("/somewhere/result.mp4"), PermissionError(errno.EACCES, "Permission denied"))
    assert error.code != "disk_full"
    assert error.text.en == "Writing 'result.mp4' failed: Permission denied"


def test_a_full_disk_can_be_told_without_a_file() -> None:
    assert disk_full(None).text.en == "The disk is full."
