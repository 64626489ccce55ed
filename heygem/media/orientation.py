"""How a stored picture is turned to be shown. Knows decoded pictures and their display matrices, not files.

ffmpeg could turn pictures by itself, but which hints it honours differs by version (Exif since 8), and the size of a
raw picture must be known before the first one is read. So it is told not to, and given these filters.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from av.buffer import Buffer
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame


@dataclass(frozen=True, slots=True)
class Orientation:
    """Filters that turn a picture upright.

    Attributes:
        filters: (name, positional argument or None) for ffmpeg, in order.
        swaps_sides: Width and height change places.
    """

    filters: tuple[tuple[str, str | None], ...] = ()
    swaps_sides: bool = False


def _unheard_of(kinds: type[Type], number: Any) -> Type:
    """A name for a kind of side data that PyAV does not know: one of its own, so that it passes for no other."""
    kind = object.__new__(kinds)
    kind._name_, kind._value_ = f"UNKNOWN_{number}", number
    return kind


# PyAV 18.1 knows 28 kinds, and fails to list any of a picture's where ffmpeg has put one of a higher number beside
# them: Exif, which every TIFF has, or the second view of a spatial video. Numbers that it knows never come here.
Type._missing_ = classmethod(_unheard_of)  # type: ignore[assignment, method-assign]


def orientation_of(picture: VideoFrame) -> Orientation:
    """How a decoded picture says that it is turned; ffmpeg makes one matrix of Exif and of a track's header."""
    matrix = picture.side_data.get("DISPLAYMATRIX")
    return read_orientation(bytes(matrix)) if isinstance(matrix, Buffer) else Orientation()


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
