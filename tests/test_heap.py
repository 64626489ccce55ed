"""Holes between what is in use go back to the system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from heygem.heap import give_back_free_pages

BLOCK, BLOCKS = 100_000, 2000


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_holes_go_back() -> None:
    kept = [bytes([1]) * BLOCK for _ in range(BLOCKS)]
    del kept[1::2]
    before = resident_mb()
    give_back_free_pages()
    assert before - resident_mb() > 0.3 * BLOCK * BLOCKS / 1e6
    assert len(kept) == BLOCKS // 2
