"""The median of repeated measurements, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated measurements of one thing."""

    median: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of `values`, of which there is at least one."""
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1], len(ordered))

    def shown(self, digits: int, factor: float = 1.0) -> str:
        """Median and, of several measurements, least and most: ``12.3 (11.9–14.0)``."""
        middle, low, high = (f"{value * factor:.{digits}f}" for value in (self.median, self.least, self.most))
        return middle if self.count == 1 else f"{middle} ({low}–{high})"
