"""Pages of mapped files leave memory and come back; what was written is not touched."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from heygem.runtime.mapped import give_back_pages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ONLY LINUX TELLS WHAT IS MAPPED")

SIZE = 4 << 20


def resident_kb(file: Path) -> int:
    """How much of the mappings of a file is in this process's memory."""
    total, is_this = 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        words = line.split(maxsplit=5)
        if "-" in words[0]:
            is_this = words[-1] == str(file)
        elif is_this and words[0] == "Rss:":
            total += int(words[1])
    return total


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Its name has a space, as folders of users do."""
    path = tmp_path / "a b.bin"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    return path


def test_pages_are_given_back_and_come_again(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        before = bytes(mapped)
        assert resident_kb(file) == SIZE >> 10
        give_back_pages(file)
        assert resident_kb(file) == 0
        assert bytes(mapped) == before


def test_what_was_written_stays(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        mapped[:3] = b"new"
        give_back_pages(file)
        assert mapped[:3] == b"new"


def test_other_files_keep_theirs(file: Path, tmp_path: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert len(bytes(mapped)) == SIZE
        give_back_pages(tmp_path / "b.bin")
        assert resident_kb(file) == SIZE >> 10
