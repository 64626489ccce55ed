"""What may be asked of the jobs of the past, and the answer. Knows how it is said to SQLite; opens nothing."""

from __future__ import annotations

from dataclasses import dataclass

from heygem.jobs.job import Job, JobStatus


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which jobs; each condition that is given must hold."""

    words: str = ""
    """Each of them occurs in the name of the clip or of the speech, or in an id; large and small letters are one."""
    states: tuple[JobStatus, ...] = ()
    """One of these; empty: any."""
    since_s: float | None = None
    """Submitted at this time or later, seconds since the epoch."""
    until_s: float | None = None
    """Submitted before this time."""

    def where(self) -> tuple[str, list[object]]:
        """The condition for SQLite, and its values."""
        parts: list[str] = ["1"]
        values: list[object] = []
        for word in self.words.casefold().split():
            parts.append("instr(search, ?) > 0")
            values.append(word)
        if self.states:
            parts.append(f"state IN ({', '.join('?' * len(self.states))})")
            values.extend(self.states)
        if self.since_s is not None:
            parts.append("queued_s >= ?")
            values.append(self.since_s)
        if self.until_s is not None:
            parts.append("queued_s < ?")
            values.append(self.until_s)
        return " AND ".join(parts), values


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A part of an answer."""

    jobs: list[Job]
    """The newest submission first."""
    total: int
    """Jobs in the whole answer."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job."""

    at_s: float
    """Seconds since the epoch."""
    what: str
    """submitted, claimed, put back, recovered, retried, moved to front, cancel asked, or a final state; after the last
    ones and recovered, why, as in ``failed (no_face)``."""
