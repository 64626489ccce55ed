"""A long result drawn by several: who draws which segments, and how their segments come together. Knows no network."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from heygem.disk import cannot_write

log = logging.getLogger(__name__)

T = TypeVar("T")

SEGMENT_S = Fraction(10)
"""Seconds of the result in a segment: what is drawn again at the most."""

LONG_SEGMENTS = 3
"""A result of no more segments than this is drawn in one go: drawing it again costs less than joining is worth."""

JOURNAL = "journal.jsonl"
"""Name of the journal among the segments."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several draws: segments that follow one another. The whole is drawn, and joined, by one alone.

    Attributes:
        number: Counted from 0.
        of: How many there are; 0: nothing is drawn, but all is found out that the drawing needs.
    """

    number: int = 0
    of: int = 1

    @property
    def is_whole(self) -> bool:
        """Nobody else draws."""
        return self.of == 1

    def among(self, segments: Sequence[T]) -> Sequence[T]:
        """This share of the segments."""
        if self.of == 0:
            return segments[:0]
        count = len(segments)
        return segments[count * self.number // self.of : count * (self.number + 1) // self.of]


WHOLE = Share()
GROUNDWORK = Share(of=0)


def gather(folder: Path, shares: Sequence[Path]) -> None:
    """Bring the segments of several together in one folder, as if one had drawn them all.

    A share that was made from anything else than the first one is left out; what is missing is drawn by whoever joins.

    Args:
        folder: Of the segments of the result; made, and not there before.
        shares: The folders of the shares' segments, on the same disk; their segments are moved away.

    Raises:
        EncodeError: the folder cannot be written.
    """
    facts: bytes | None = None
    lines: list[bytes] = []
    try:
        folder.mkdir()
        for share in shares:
            first, *rest = (share / JOURNAL).read_bytes().splitlines(keepends=True)
            if facts is not None and first != facts:
                log.warning("a share was drawn by something else; it is drawn anew")
                continue
            facts = first
            lines += rest
            for segment in share.glob("*.mp4"):
                segment.rename(folder / segment.name)
        (folder / JOURNAL).write_bytes((facts or b"") + b"".join(lines))
    except OSError as error:
        raise cannot_write(folder, error) from error
