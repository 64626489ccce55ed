"""Memory that was freed and that the C library keeps. Knows nothing of who held it."""

from __future__ import annotations

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's


def give_back_free_pages() -> None:
    """Return it to the system, holes between what is in use included. Takes milliseconds; other libraries keep it."""
    if _trim is not None:
        _trim(0)
