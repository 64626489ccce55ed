"""How a stored picture is turned to be shown. Knows display matrices, not files.

ffmpeg could turn pictures by itself, but which hints it honours differs by version (Exif since 8), and the size of a
raw picture must be known before the first one is read. So it is told not to, and given these filters.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Orientation:
    """Filters that turn a picture upright.

    Attributes:
        filters: (name, positional argument or None) for ffmpeg, in order.
        swaps_sides: Width and height change places.
    """

    filters: tuple[tuple[str, str | None], ...] = ()
    swaps_sides: bool = False


def read_orientation(display_matrix: bytes) -> Orientation:
    """The nearest quarter turn, with or without a mirror; slanted matrices do not occur in recordings.

    Args:
        display_matrix: Nine native int32 (ISO/IEC 14496-12, ``matrix`` of a track header), rows a b u, c d v, x y w.
    """
    a, b, _, c, d = struct.unpack("=5i", display_matrix[:20])
    if abs(a) >= abs(b):
        flips = (("hflip", a < 0), ("vflip", d < 0))
        return Orientation(tuple((name, None) for name, is_on in flips if is_on))
    is_mirrored = (b > 0) == (c > 0)
    turn = ("clock" if b > 0 else "cclock") if not is_mirrored else ("cclock_flip" if b > 0 else "clock_flip")
    return Orientation((("transpose", turn),), swaps_sides=True)
