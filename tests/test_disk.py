from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from heygem.disk import cannot_write, disk_full, flush


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
