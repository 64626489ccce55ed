"""Colour tags of a clip: what the file says, what its values mean, what is written into the result.

Numbers are those of ITU-T H.273, which ffmpeg uses; names are those of ffmpeg's ``setparams`` filter.
"""

from __future__ import annotations

from dataclasses import dataclass

from heygem.colour_space import ColourSpace, Matrix

_PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
}
_TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}
_MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020nc",
    10: "bt2020c",
}
_MEANING: dict[str, Matrix] = {
    "fcc": "bt601",
    "bt470bg": "bt601",
    "smpte170m": "bt601",
    "bt709": "bt709",
    "smpte240m": "bt709",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
}
_NO_MATRICES = {
    8: "YCgCo",
    11: "YDzDx",
    12: "chroma-derived NCL",
    13: "chroma-derived CL",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
"""Ways to store colour that are no matrix of Y, Cb and Cr which anything here could convert."""

HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
"""PQ and HLG (ITU-R BT.2100)."""

_LARGEST_SD = (1024, 576)
"""Pictures up to this size are taken for BT.601 where the file does not say, as players do."""


@dataclass(frozen=True, slots=True)
class ColourTags:
    """How a file labels its colours; None where it does not.

    Attributes:
        primaries, transfer, matrix: Names in ffmpeg's ``setparams``.
        full_range: Y spans 0..255.
    """

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    full_range: bool = False

    @property
    def is_hdr(self) -> bool:
        """Brightness follows PQ or HLG."""
        return self.transfer in HDR_TRANSFERS

    def meaning(self, width: int, height: int) -> ColourSpace:
        """Matrix and range of the values; by the size of the picture where the file does not name a matrix."""
        if self.matrix is not None:
            return ColourSpace(_MEANING[self.matrix], self.full_range)
        is_sd = max(width, height) <= _LARGEST_SD[0] and min(width, height) <= _LARGEST_SD[1]
        return ColourSpace("bt601" if is_sd else "bt709", self.full_range)


SDR = ColourTags("bt709", "bt709", "bt709")
"""What tone-mapped and RGB sources become."""


def unreadable_matrix(matrix: int) -> str | None:
    """The name of what a number of H.273 stands for, if it is a way to store colour that nothing here can read."""
    return _NO_MATRICES.get(matrix)


def read_tags(*, primaries: int, transfer: int, matrix: int, value_range: int) -> ColourTags:
    """Tags from the numbers of a decoded picture. Numbers without a name above are dropped: they say nothing to us.

    Args:
        primaries, transfer, matrix: Numbers of H.273.
        value_range: 2 is full range, 1 limited, 0 unknown (which is limited).
    """
    return ColourTags(_PRIMARIES.get(primaries), _TRANSFERS.get(transfer), _MATRICES.get(matrix), value_range == 2)
