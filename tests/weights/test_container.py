from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from heygem.weights.container import Container, container_of

DIRECTORY = b"PK\x01\x02"
"""Before each entry of the directory, which lies behind the parts."""
LOCATOR = b"PK\x06\x07"
"""Before the 20 bytes that say where the end record of a large archive lies."""


def saved(folder: Path) -> bytes:
    torch.save({"x": torch.zeros(8192)}, folder / "whole.pth")
    return (folder / "whole.pth").read_bytes()


def newer_version(data: bytes) -> bytes:
    at = data.index(DIRECTORY) + 6
    return data[:at] + struct.pack("<H", 64) + data[at + 2 :]


def name_that_is_no_utf8(data: bytes) -> bytes:
    at = data.index(DIRECTORY) + 46
    return data[:at] + b"\xff" + data[at + 1 :]


def middle_lost(data: bytes) -> bytes:
    return data[:4] + data[data.index(LOCATOR) :]


@pytest.mark.parametrize(
    ("damage", "raised", "seen"),
    [
        (lambda data: data[:-30], zipfile.BadZipFile, type(None)),
        (middle_lost, zipfile.BadZipFile, OSError),
        (newer_version, NotImplementedError, type(None)),
        (name_that_is_no_utf8, UnicodeDecodeError, type(None)),
    ],
)
def test_what_zipfile_makes_of_a_damaged_checkpoint_is_not_raised(
    tmp_path: Path, damage: Callable[[bytes], bytes], raised: type[Exception], seen: type[object]
) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(damage(saved(tmp_path)))
    with pytest.raises(raised) as caught:
        zipfile.ZipFile(file)
    assert type(caught.value) is raised and isinstance(caught.value.__context__, seen)
    assert container_of(file) is Container.TORCH_ZIP


class BadSector(io.RawIOBase):
    """A file on a disk that gives all of it but one byte."""

    def __init__(self, data: bytes, at: int) -> None:
        self._whole, self._at = io.BytesIO(data), at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._whole.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        start = self._whole.tell()
        if start <= self._at < start + len(buffer):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._whole.readinto(buffer)


@pytest.mark.parametrize("lost", ["directory", "end record"])
def test_a_file_that_the_disk_does_not_give_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    data = saved(tmp_path)
    at = data.index(DIRECTORY) if lost == "directory" else len(data) - 1
    monkeypatch.setattr(io, "open", lambda *_args, **_kwargs: io.BufferedReader(BadSector(data, at)))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        container_of(tmp_path / "whole.pth")
