"""One row of the table of jobs: found, read, and its history written. Knows the columns; begins no transaction."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from heygem.errors import JobNotFoundError, QueueFullError, Text
from heygem.jobs.job import Job, JobError, JobProgress, JobRequest, JobResult, JobStatus
from heygem.jobs.job_json import from_json

IN_ORDER = "ORDER BY priority DESC, place"
"""The order in which waiting jobs run."""


def find_row(db: sqlite3.Connection, job_id: str) -> sqlite3.Row:
    """The row of a job.

    Raises:
        JobNotFoundError: no job has that id.
    """
    row: sqlite3.Row | None = db.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFoundError(Text(f"没有任务 {job_id}。", f"There is no job {job_id}."))
    return row


def job_of(row: sqlite3.Row, root: Path, position: int | None = None) -> Job:
    """The job that a row holds; its paths begin at `root`."""
    progress, result, error = row["progress"], row["result"], row["error"]
    return Job(
        id=row["id"],
        request=from_json(JobRequest, row["request"], root),
        status=JobStatus(row["state"]),
        queued_s=row["queued_s"],
        batch_id=row["batch_id"],
        position=position,
        speech_s=row["speech_s"],
        attempt=row["attempt"],
        progress=None if progress is None else from_json(JobProgress, progress, root),
        result=None if result is None else from_json(JobResult, result, root),
        error=None if error is None else from_json(JobError, error, root),
        started_s=row["started_s"],
        ended_s=row["ended_s"],
    )


def note(db: sqlite3.Connection, job_id: str, what: str) -> None:
    """Add to a job's history."""
    db.execute("INSERT INTO event (job_id, at_s, what) VALUES (?, ?, ?)", (job_id, time.time(), what))


def check_room(db: sqlite3.Connection, count: int, capacity: int) -> None:
    """See that `count` more jobs may wait.

    Raises:
        QueueFullError: they may not.
    """
    (waiting,) = db.execute("SELECT count(*) FROM job WHERE state = 'queued'").fetchone()
    if waiting + count > capacity:
        raise QueueFullError(
            Text(
                f"已有 {waiting} 个任务在排队，再加 {count} 个会超过上限 {capacity}。",
                f"{waiting} jobs wait; {count} more exceed the limit of {capacity}.",
            ),
            hint=Text("请等一些任务完成后再提交。", "Wait until some have finished."),
        )
