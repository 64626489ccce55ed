"""A worker's side of the store: claim a job, keep it, end it, and free what dead workers held. Knows no runner.

* A job is claimed in one transaction, the highest priority first, then in order. The attempt is counted there and not
  at its end, so that a job that kills the process is not begun for ever.
* Each claim has a fence number. Who was paused so long that somebody else took the job over has an old one: whatever
  they then write about the job is refused.
* A heartbeat carries progress out and the user's wish to cancel in, and renews the lease.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from heygem.errors import JobRequeued, Text
from heygem.jobs.job import Job, JobError, JobProgress, JobResult, JobStatus
from heygem.jobs.job_database import JobDatabase
from heygem.jobs.job_json import to_json
from heygem.jobs.job_rows import IN_ORDER, find_row, job_of, note
from heygem.jobs.process_identity import is_alive, own_identity, seconds_since_boot

LEASE_S = 900.0
"""How long a living process keeps a job without a sign of life, in seconds: longer than models take to load."""

INTERRUPTED = JobError(
    "interrupted",
    Text("每次运行该任务时服务都中断了。", "The server went down each time it ran this job."),
    Text("可以重试；如再次发生，请查看日志。", "Try it again; if it happens again, see the log."),
)

_WAIT_AGAIN = "state = 'queued', owner = NULL, started_s = NULL, progress = NULL"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do a job, until somebody else has it."""

    job: Job
    fence: int


class Claims:
    """What workers do with the jobs in a database.

    Args:
        database: Where they are.
        root: Where their relative paths begin.
        owner: Names this process; None: its own name.
        lease_s: See `LEASE_S`.

    Raises:
        QueueError: from every method, if the database cannot be used.
    """

    def __init__(
        self, database: JobDatabase, root: Path, *, owner: str | None = None, lease_s: float = LEASE_S
    ) -> None:
        self._database = database
        self._root = root
        self._owner = owner or own_identity()
        self._lease_s = lease_s

    def take(self) -> Claim | None:
        """Claim the next waiting job; None if there is none."""
        with self._database.writing() as db:
            row = db.execute(
                "UPDATE job SET state = 'running', owner = ?, lease_until = ?, started_s = ?,"
                " attempt = attempt + 1, fence = fence + 1, progress = NULL, cancel_asked = 0"
                f" WHERE seq = (SELECT seq FROM job WHERE state = 'queued' {IN_ORDER} LIMIT 1) RETURNING *",
                (self._owner, seconds_since_boot() + self._lease_s, time.time()),
            ).fetchone()
            if row is None:
                return None
            note(db, row["id"], "claimed")
        return self._claim(row)

    def heartbeat(self, claim: Claim, progress: JobProgress) -> bool:
        """Keep the job for another lease, and say how far it is.

        Returns:
            Whether the user wants it to stop.

        Raises:
            JobRequeued: somebody else has it by now.
        """
        until = seconds_since_boot() + self._lease_s
        with self._database.writing() as db:
            _change(db, claim, "lease_until = ?, progress = ?", until, to_json(progress, self._root))
            return bool(find_row(db, claim.job.id)["cancel_asked"])

    def finish(
        self,
        claim: Claim,
        status: JobStatus,
        *,
        progress: JobProgress | None = None,
        result: JobResult | None = None,
        error: JobError | None = None,
    ) -> None:
        """Note how the job ended; what it made is on the disk by now.

        Raises:
            JobRequeued: somebody else has it by now.
        """
        with self._database.writing() as db:
            said, made = (value and to_json(value, self._root) for value in (progress, result))
            _change(db, claim, "progress = coalesce(?, progress), result = ?", said, made)
            self._end(db, claim, status, error)

    def put_back(self, claim: Claim) -> None:
        """Let the job wait again where it was, as if this attempt had not been; one that was to be cancelled ends.

        Raises:
            JobRequeued: somebody else has it by now.
        """
        with self._database.writing() as db:
            self._put_back(db, claim)

    def crashed(self, claim: Claim, error: JobError, max_attempts: int) -> None:
        """Let the job wait for another attempt in a new process, or interrupt it if it had all of them.

        One that was to be cancelled ends.

        Raises:
            JobRequeued: somebody else has it by now.
        """
        with self._database.writing() as db:
            self._free(db, claim, error, max_attempts)

    def recover(self, max_attempts: int, may_be_cause: Callable[[Job], bool] = lambda job: True) -> list[str]:
        """Free the jobs of processes that died, or gave no sign of life for a whole lease.

        They keep their place in the queue. One that had all its attempts is interrupted, and one that was to be
        cancelled is.

        Args:
            max_attempts: How often a job may take its process down with it.
            may_be_cause: Whether a job may be what its process died of; if not, it costs it no attempt.

        Returns:
            Their ids.
        """
        with self._database.writing() as db:
            rows = db.execute("SELECT * FROM job WHERE state = 'running' ORDER BY place").fetchall()
            lost = [row for row in rows if self._is_lost(row)]
            for claim in map(self._claim, lost):
                if may_be_cause(claim.job):
                    self._free(db, claim, INTERRUPTED, max_attempts)
                else:
                    self._put_back(db, claim)
        return [row["id"] for row in lost]

    def _is_lost(self, row: sqlite3.Row) -> bool:
        """Whether a running job has nobody who runs it. This process knows what it does itself."""
        if row["owner"] == self._owner:
            return False
        return not is_alive(row["owner"]) or bool(row["lease_until"] < seconds_since_boot())

    def _claim(self, row: sqlite3.Row) -> Claim:
        return Claim(job_of(row, self._root), row["fence"])

    def _put_back(self, db: sqlite3.Connection, claim: Claim) -> None:
        if _is_unwanted(db, claim):
            self._end(db, claim, JobStatus.CANCELLED, None)
        else:
            _change(db, claim, f"{_WAIT_AGAIN}, attempt = attempt - 1")
            note(db, claim.job.id, "put back")

    def _free(self, db: sqlite3.Connection, claim: Claim, error: JobError, max_attempts: int) -> None:
        if _is_unwanted(db, claim):
            self._end(db, claim, JobStatus.CANCELLED, None)
        elif claim.job.attempt >= max_attempts:
            self._end(db, claim, JobStatus.INTERRUPTED, error)
        else:
            _change(db, claim, _WAIT_AGAIN)
            note(db, claim.job.id, f"recovered ({error.code})")

    def _end(self, db: sqlite3.Connection, claim: Claim, status: JobStatus, error: JobError | None) -> None:
        why = None if error is None else to_json(error, self._root)
        _change(db, claim, "state = ?, owner = NULL, ended_s = ?, error = ?", status.value, time.time(), why)
        note(db, claim.job.id, status.value if error is None else f"{status.value} ({error.code})")


def _is_unwanted(db: sqlite3.Connection, claim: Claim) -> bool:
    """Whether the user has asked to cancel the job since it was claimed."""
    row = db.execute("SELECT cancel_asked FROM job WHERE id = ?", (claim.job.id,)).fetchone()
    return row is not None and bool(row["cancel_asked"])


def _change(db: sqlite3.Connection, claim: Claim, assignments: str, *values: object) -> None:
    """Change the claimed row, and only if it still belongs to that claim."""
    changed = db.execute(
        f"UPDATE job SET {assignments} WHERE id = ? AND fence = ? AND state = 'running'",
        (*values, claim.job.id, claim.fence),
    )
    if changed.rowcount != 1:
        raise JobRequeued
