"""Chooses the constant frame rate at which a clip is read, from the times of its pictures. Knows nothing of files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

DEFAULT_FPS = Fraction(25)
"""For stills and for clips slower than SLOWEST_FPS."""

SLOWEST_FPS = 5
FASTEST_FPS = 60

_STANDARD_RATES = (
    Fraction(10),
    Fraction(12),
    Fraction(15),
    Fraction(20),
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
)
_ABBREVIATED = Fraction(1, 100_000)
_LARGEST_NUMERATOR = 1_000_000
"""Above it a rate from a header is an artefact of division, and too fine for the timescale of an mp4."""


@dataclass(frozen=True, slots=True)
class FrameRate:
    """What was chosen.

    Attributes:
        fps: Pictures per second.
        is_variable: The clip has no constant rate of its own.
    """

    fps: Fraction
    is_variable: bool


def choose_rate(times: Sequence[int], tick: Fraction, stated: Iterable[Fraction | None]) -> FrameRate:
    """The clip's own rate where it is constant, else a standard one near what it mostly shows.

    Args:
        times: When pictures are shown, ascending, in ticks.
        tick: Length of a tick in seconds.
        stated: Rates that the container claims; believed only if the times agree. None entries are passed over.

    Returns:
        A rate of 5 to 60 per second.
    """
    claims = [_by_the_book(rate) for rate in stated if rate is not None and 0 < rate.numerator <= _LARGEST_NUMERATOR]
    if len(times) < 2 or times[-1] <= times[0]:
        return FrameRate(_usable(claims[0]) if claims and len(times) != 1 else DEFAULT_FPS, False)
    for rate in (*claims, *_STANDARD_RATES):
        if _is_constant(times, tick, rate):
            return FrameRate(_usable(rate), False)
    gaps = sorted(later - earlier for earlier, later in pairwise(times) if later > earlier)
    # The quarter of shortest gaps: a phone that drops pictures and a clip joined from 30 and 15 both play at 30.
    typical = 1 / (gaps[len(gaps) // 4] * tick)
    if typical < SLOWEST_FPS:
        return FrameRate(DEFAULT_FPS, True)
    return FrameRate(min(_STANDARD_RATES, key=lambda rate: abs(math.log(rate / typical))), True)


def _is_constant(times: Sequence[int], tick: Fraction, rate: Fraction) -> bool:
    """Every picture is within a rounding of its place: 1.5 ticks, or 1.5 ms where a coarser clock was copied."""
    tolerance = float(max(tick * Fraction(3, 2), Fraction(3, 2000)))
    seconds_per_tick, seconds_per_frame = float(tick), float(1 / rate)
    return all(
        abs((time - times[0]) * seconds_per_tick - number * seconds_per_frame) <= tolerance
        for number, time in enumerate(times)
    )


def _by_the_book(rate: Fraction) -> Fraction:
    """The standard rate that `rate` is an abbreviation of (29.97 is 30000/1001), else itself."""
    return next((standard for standard in _STANDARD_RATES if abs(rate / standard - 1) < _ABBREVIATED), rate)


def _usable(rate: Fraction) -> Fraction:
    """`rate` held within limits; fast clips keep every n-th picture, so that motion stays even."""
    if rate < SLOWEST_FPS:
        return DEFAULT_FPS
    return rate / math.ceil(rate / FASTEST_FPS)
