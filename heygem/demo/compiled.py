"""The door to numba: loops over pixels and vertices as machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """`loop` compiled on its first call, and kept on disk for the next process."""
    return cast(Loop, numba.njit(cache=True, fastmath=True, nogil=True)(loop))
