"""What the package does to the process before anything else."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

COUNT_HEAPS = """
import ctypes, sys, threading
{first}
libc, ready = ctypes.CDLL(None), threading.Barrier(17)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
def hold():
    libc.malloc(1000)
    ready.wait()
    ready.wait()
threads = [threading.Thread(target=hold) for _ in range(16)]
for thread in threads: thread.start()
ready.wait()
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
ready.wait()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_sixteen_threads_share_two_heaps(tmp_path: Path) -> None:
    def heaps(first: str) -> int:
        file = tmp_path / "heaps.xml"
        subprocess.run([sys.executable, "-c", COUNT_HEAPS.format(first=first), str(file)], check=True)
        return file.read_text().count("<heap ")

    assert heaps("import heygem") <= 2 < heaps("")
