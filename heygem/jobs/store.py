"""Jobs that outlive the process: submitted, asked for, changed by their users. Knows no threads, no runner, no files.

What workers do with them is in `claims`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from heygem.errors import QueueError, Text
from heygem.jobs.claims import LEASE_S, Claims
from heygem.jobs.job import Job, JobKind, JobRequest, JobStatus
from heygem.jobs.job_database import JobDatabase
from heygem.jobs.job_history import HistoryPage, HistoryQuery, JobEvent
from heygem.jobs.job_json import to_json
from heygem.jobs.job_rows import IN_ORDER, check_room, find_row, job_of, note

STORE_NAME = "queue.sqlite3"
"""Name of the file, among the jobs' folders."""

_IS_UNFINISHED = "state IN ('queued', 'running')"


class JobStore:
    """Every job that was ever submitted and not deleted.

    May be used from any thread, and from several processes at once. Paths below the file's folder are kept relative to
    it, so that the folder may be moved.

    Args:
        path: The file, on a disk of this machine.
        owner: Names this process; None: its own name.
        lease_s: How long a living process keeps a job without a sign of life.

    Attributes:
        claims: The workers' side.

    Raises:
        QueueError: the file cannot be used; also from every method.
    """

    def __init__(self, path: Path, *, owner: str | None = None, lease_s: float = LEASE_S) -> None:
        self._root = path.absolute().parent
        self._database = JobDatabase(path)
        self.claims = Claims(self._database, self._root, owner=owner, lease_s=lease_s)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def check_writable(self) -> None:
        """Raise the QueueError that the next change would meet, as far as can be told without one."""
        with self._database.writing():
            pass

    def add(self, jobs: Sequence[Job], *, capacity: int, submission: str | None = None) -> list[str]:
        """Queue all of `jobs`, in this order and behind all others, or none; a preview to the front: its user waits.

        Args:
            jobs: Their ids are new.
            capacity: Jobs that may wait.
            submission: Names the submission. One of that name that is here already is left as it is.

        Returns:
            The ids of the jobs: of those given, or of those of the earlier submission.

        Raises:
            QueueFullError: they would not all fit.
        """
        with self._database.writing() as db:
            known = _of_submission(db, submission)
            if known:
                return known
            check_room(db, len(jobs), capacity)
            for batch_id in {job.batch_id for job in jobs} - {None}:
                db.execute("INSERT INTO batch VALUES (?, ?)", (batch_id, time.time()))
            (last,) = db.execute("SELECT coalesce(max(place), 0) FROM job").fetchone()
            for item, job in enumerate(jobs):
                self._insert(db, job, last + 1 + item, submission, item)
                if job.request.kind is JobKind.PREVIEW:
                    _to_front(db, job.id)
        return [job.id for job in jobs]

    def check_submission(self, count: int, capacity: int, submission: str | None) -> list[str]:
        """Tell what `add` would, before anything is stored for it.

        Returns:
            The ids of the jobs of an earlier submission of that name; empty if there was none.

        Raises:
            QueueFullError: `count` more jobs would not fit.
        """
        with self._database.reading() as db:
            known = _of_submission(db, submission)
            if not known:
                check_room(db, count, capacity)
            return known

    def get(self, job_id: str) -> Job:
        """The job as it is now, with its position.

        Raises:
            JobNotFoundError: no job has that id.
        """
        with self._database.reading() as db:
            row = find_row(db, job_id)
            if row["state"] != JobStatus.QUEUED:
                return job_of(row, self._root)
            (position,) = db.execute(
                "SELECT count(*) FROM job WHERE state = 'queued'"
                " AND (priority > :priority OR (priority = :priority AND place <= :place))",
                {"priority": row["priority"], "place": row["place"]},
            ).fetchone()
            return job_of(row, self._root, position)

    def jobs(self, ended: int) -> list[Job]:
        """Every job that waits or runs, and the last `ended` ones of the others; oldest first."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM (SELECT * FROM job WHERE state NOT IN ('queued', 'running') ORDER BY seq DESC LIMIT ?)"
                f" UNION ALL SELECT * FROM job WHERE {_IS_UNFINISHED} ORDER BY seq",
                (ended,),
            ).fetchall()
            waiting = db.execute(f"SELECT id FROM job WHERE state = 'queued' {IN_ORDER}").fetchall()
        positions = {row["id"]: position for position, row in enumerate(waiting, start=1)}
        return [job_of(row, self._root, positions.get(row["id"])) for row in rows]

    def batch(self, batch_id: str) -> list[Job]:
        """The jobs of a batch, in the order of their submission; empty if there is none of that id."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM job WHERE batch_id = ? ORDER BY seq", (batch_id,)).fetchall()
        return [job_of(row, self._root) for row in rows]

    def mark(self) -> tuple[int, int]:
        """Equal to an earlier answer of this store if nothing was changed since, by whichever process."""
        with self._database.reading() as db:
            (others,) = db.execute("PRAGMA data_version").fetchone()
            return db.total_changes, others

    def history(self, query: HistoryQuery, *, limit: int, offset: int = 0) -> HistoryPage:
        """A page of the jobs that `query` asks for, the newest submission first."""
        where, values = query.where()
        with self._database.reading() as db:
            (total,) = db.execute(f"SELECT count(*) FROM job WHERE {where}", values).fetchone()
            rows = db.execute(
                f"SELECT * FROM job WHERE {where} ORDER BY queued_s DESC, seq DESC LIMIT ? OFFSET ?",
                [*values, limit, offset],
            ).fetchall()
        return HistoryPage([job_of(row, self._root) for row in rows], total)

    def events(self, job_id: str) -> list[JobEvent]:
        """What happened to a job, in order.

        Raises:
            JobNotFoundError: no job has that id.
        """
        with self._database.reading() as db:
            find_row(db, job_id)
            rows = db.execute("SELECT at_s, what FROM event WHERE job_id = ? ORDER BY n", (job_id,)).fetchall()
        return [JobEvent(row["at_s"], row["what"]) for row in rows]

    def states(self) -> dict[str, JobStatus]:
        """The state of every job, by id."""
        with self._database.reading() as db:
            return {row["id"]: JobStatus(row["state"]) for row in db.execute("SELECT id, state FROM job")}

    def recent_work(self, limit: int = 20) -> list[tuple[float, float]]:
        """Seconds of work and of speech of the jobs that were done last.

        Not of previews, which spend most of their time on finding their seconds.
        """
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT ended_s - started_s, speech_s FROM job WHERE state = 'done' AND speech_s IS NOT NULL"
                " AND json_extract(request, '$.kind') IS NOT ? ORDER BY ended_s DESC LIMIT ?",
                (JobKind.PREVIEW.value, limit),
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def cancel(self, job_id: str) -> Job:
        """End a waiting job; note of a running one that it is to stop. One that has ended is left as it is.

        Raises:
            JobNotFoundError: no job has that id.
        """
        with self._database.writing() as db:
            state = find_row(db, job_id)["state"]
            if state == JobStatus.QUEUED:
                db.execute("UPDATE job SET state = 'cancelled', ended_s = ? WHERE id = ?", (time.time(), job_id))
                note(db, job_id, "cancelled")
            elif state == JobStatus.RUNNING:
                db.execute("UPDATE job SET cancel_asked = 1 WHERE id = ?", (job_id,))
                note(db, job_id, "cancel asked")
            return job_of(find_row(db, job_id), self._root)

    def retry(self, job_id: str, *, capacity: int, check: Callable[[JobRequest], None]) -> None:
        """Queue a failed, interrupted or cancelled job anew, where `add` would, and with all its attempts.

        Args:
            job_id: The job.
            capacity: Jobs that may wait.
            check: Raises if what was asked for cannot be done any more.

        Raises:
            JobNotFoundError: no job has that id.
            QueueError: with code not_retryable: it waits, runs or is done.
            QueueFullError: it would not fit.
        """
        with self._database.writing() as db:
            job = job_of(find_row(db, job_id), self._root)
            if not job.status.is_final or job.status is JobStatus.DONE:
                raise QueueError(
                    Text(
                        "只有失败、中断或取消的任务可以重试。", "Only a job that failed or was stopped can be retried."
                    ),
                    code="not_retryable",
                )
            check_room(db, 1, capacity)
            check(job.request)
            db.execute(
                "UPDATE job SET state = 'queued', priority = 0, place = (SELECT max(place) + 1 FROM job), attempt = 0,"
                " progress = NULL, error = NULL, queued_s = ?, started_s = NULL, ended_s = NULL WHERE id = ?",
                (time.time(), job_id),
            )
            note(db, job_id, "retried")
            if job.request.kind is JobKind.PREVIEW:
                _to_front(db, job_id)

    def move_to_front(self, job_id: str) -> None:
        """Make a waiting job the next to run; any other is left as it is.

        Raises:
            JobNotFoundError: no job has that id.
        """
        with self._database.writing() as db:
            if find_row(db, job_id)["state"] == JobStatus.QUEUED:
                _to_front(db, job_id)

    def delete(self, job_id: str, drop_files: Callable[[], None]) -> None:
        """Forget a job that has ended.

        Args:
            job_id: The job.
            drop_files: Deletes its files. Called while nobody can retry it, and before it is forgotten: if the process
                dies in between, or this raises, its user still sees it and can delete it again.

        Raises:
            JobNotFoundError: no job has that id.
            QueueError: with code job_unfinished: it waits or runs.
        """
        with self._database.writing() as db:
            row = find_row(db, job_id)
            if not JobStatus(row["state"]).is_final:
                raise QueueError(
                    Text("任务还没有结束，请先取消。", "The job has not ended yet; cancel it first."),
                    code="job_unfinished",
                )
            drop_files()
            db.execute("DELETE FROM job WHERE id = ?", (job_id,))
            db.execute(
                "DELETE FROM batch WHERE id = ? AND NOT EXISTS (SELECT 1 FROM job WHERE batch_id = batch.id)",
                (row["batch_id"],),
            )

    def _insert(self, db: sqlite3.Connection, job: Job, place: int, submission: str | None, item: int) -> None:
        request = job.request
        names = (job.id, job.batch_id or "", request.video_name, request.audio_name, request.speaker)
        row = {
            "id": job.id,
            "batch_id": job.batch_id,
            "request": to_json(request, self._root),
            "search": "\n".join(names).casefold(),
            "speech_s": job.speech_s,
            "state": JobStatus.QUEUED.value,
            "place": place,
            "queued_s": job.queued_s,
            "submission": submission,
            "item": item,
        }
        db.execute(f"INSERT INTO job ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()])
        note(db, job.id, "submitted")


def _to_front(db: sqlite3.Connection, job_id: str) -> None:
    db.execute(
        "UPDATE job SET priority = (SELECT max(priority) + 1 FROM job WHERE state = 'queued') WHERE id = ?", (job_id,)
    )
    note(db, job_id, "moved to front")


def _of_submission(db: sqlite3.Connection, submission: str | None) -> list[str]:
    rows = db.execute("SELECT id FROM job WHERE submission = ? ORDER BY item", (submission,))
    return [row["id"] for row in rows]  # none for NULL: it equals nothing
