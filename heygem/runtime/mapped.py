"""Files that a library has mapped into this process's memory, and never unmaps. Knows nothing of networks."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_MADV_DONTNEED = 4
_MAPS = Path("/proc/self/maps")


def give_back_pages(file: Path) -> None:
    """Take what was read of a file mapped for reading out of this process's memory. What is asked for once more comes
    back, as a rule from the system's cache. Elsewhere than on Linux this does nothing.

    Args:
        file: As the system names it; if it is not mapped, or mapped for writing, nothing happens.

    Raises:
        OSError: the system refuses.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    name = os.fsencode(file.resolve())
    for line in _MAPS.read_bytes().splitlines():
        span, access, _, _, _, *path = line.split(maxsplit=5)
        if path != [name] or b"w" in access:
            continue
        begin, end = (int(address, 16) for address in span.split(b"-"))
        if libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_DONTNEED) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(file))
