"""The queue's worker thread: claims jobs in order, has them carried out, writes their ends down. Knows no users."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from heygem.errors import QueueError, Text
from heygem.jobs.executors import Executor
from heygem.jobs.job import Job, JobError, JobProgress, Runner
from heygem.jobs.job_folder import drop_inputs
from heygem.jobs.run_log import logged_as
from heygem.jobs.running_job import Ending, RunningJob
from heygem.jobs.store import JobStore

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Seconds between two looks for what changed elsewhere: jobs of another process, a reason to wait that went away."""

_UNWIND_S = 0.7
"""Seconds that a job gets to come to its end when it has to stop, before it is put back without its leave."""


class Workers:
    """Begins waiting jobs in their order whenever the executor has room.

    Args:
        executor: Carries them out.
        store: Where the jobs are kept.
        outputs_dir: Where each has its folder.
        max_attempts: How often a job may take its worker down with it before it is interrupted.
        can_claim: Asked before each job: why none may begin now, or None.
        on_process_lost: Called when only a new process can go on: the job is put back, and no other is begun.

    Attributes:
        pause_reason: Why no job is begun at present, for users; None while nothing hinders it.
        changed: Held while what runs changes; told whenever a job began or ended.
    """

    def __init__(
        self,
        executor: Executor,
        store: JobStore,
        outputs_dir: Path,
        *,
        max_attempts: int,
        can_claim: Callable[[], Text | None],
        on_process_lost: Callable[[], None],
    ) -> None:
        self._executor = executor
        self._store = store
        self._outputs_dir = outputs_dir
        self._max_attempts = max_attempts
        self._can_claim = can_claim
        self._on_process_lost = on_process_lost
        self.pause_reason: Text | None = None
        self.changed = threading.Condition()
        self._news = threading.Event()
        self._running: dict[str, RunningJob] = {}
        self._stop_at: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_stopping(self) -> bool:
        """No job is begun any more."""
        return self._stop_at is not None

    @property
    def is_at_work(self) -> bool:
        """The thread lives and is to live on."""
        return self._thread is not None and self._thread.is_alive() and not self.is_stopping

    def start(self) -> None:
        """Start the thread. Without it, `run_next` does a job on the caller's."""
        self._thread = threading.Thread(target=self._work, name="task-queue", daemon=True)
        self._thread.start()

    def recover(self) -> list[Job]:
        """Put the jobs of dead processes back in their places, or interrupt them; they are returned."""
        lost = self._store.claims.recover(self._max_attempts, lambda job: not self._executor.is_apart(job))
        freed = [self._store.get(job_id) for job_id in lost]
        for job in freed:
            with logged_as(job.id):
                log.warning("the process that ran it is gone (attempt %d): %s", job.attempt, job.status)
        return freed

    def progress(self) -> dict[str, JobProgress]:
        """How far the jobs are that run here: newer than what the store has."""
        running = list(self._running.values())
        return {one.job.id: one.progress for one in running if one.progress is not None}

    def newest_picture(self, job_id: str) -> bytes | None:
        """A small JPEG of what a job drew a moment ago; None while there is none, or it does not run here."""
        running = self._running.get(job_id)
        return None if running is None else running.newest

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop at its next tick, if it runs here."""
        with self.changed:
            if job_id in self._running:
                self._running[job_id].cancel()

    def tell(self) -> None:
        """Let the thread and those who wait look again."""
        self._news.set()
        with self.changed:
            self.changed.notify_all()

    def run_next(self) -> str | None:
        """Begin the next waiting job; None if none waits or may begin. Never raises for a failed job."""
        if not self._executor.has_room() and self._running:
            return None
        reason = self._can_claim() or self._executor.reason_to_wait()
        if reason != self.pause_reason:
            self.pause_reason = reason
            log.info("%s", f"jobs wait: {reason}" if reason else "jobs go on")
        claim = self._store.claims.take() if reason is None and self._executor.has_room() else None
        if claim is None:
            return None
        running = RunningJob(claim, self._store.claims, self._max_attempts)
        job_id = running.job.id
        with self.changed:
            self._running[job_id] = running
            if self._stop_at is not None:  # since the thread looked last
                running.stop_at(self._stop_at)
            self.changed.notify_all()
        self._executor.carry_out(job_id, lambda run: self._see_through(running, run))
        return job_id

    def give_up(self, job_id: str, error: JobError) -> None:
        """Take a running job away from a worker that does not answer. One that has ended is left as it is."""
        running = self._running.get(job_id)
        if running is None or self._executor.give_up(job_id, error):
            return
        if running.give_up(error):
            self.stop(0)
            self._on_process_lost()

    def stop(self, grace_s: float) -> None:
        """Begin no more jobs, and give those that run so many seconds; may be called again to give them less."""
        stop_at = time.monotonic() + grace_s
        with self.changed:
            self._stop_at = stop_at if self._stop_at is None else min(stop_at, self._stop_at)
            for running in self._running.values():
                running.stop_at(self._stop_at)
        self.tell()

    def join(self) -> bool:
        """Wait until the thread and every job have ended; False if one has not in time. `stop` comes first."""
        while (self._thread is not None and self._thread.is_alive()) or (self._thread is not None and self._running):
            stop_at = self._stop_at
            if stop_at is not None and time.monotonic() > stop_at + _UNWIND_S:
                for running in list(self._running.values()):
                    running.put_back()
                return False
            time.sleep(0.02)
        return True

    def _see_through(self, running: RunningJob, run: Runner) -> None:
        job_id = running.job.id
        ending = None
        try:
            with logged_as(job_id):
                ending = running.run(run)
                if ending is Ending.DONE:
                    drop_inputs(self._outputs_dir / job_id)
        finally:
            with self.changed:
                self._running.pop(job_id, None)
            self.tell()
        if ending is Ending.PROCESS_LOST:
            self.stop(0)
            self._on_process_lost()

    def _work(self) -> None:
        is_told = False
        while self._stop_at is None:
            self._news.clear()
            try:
                if self.run_next() is None:
                    self._news.wait(LOOK_S)
                    self.recover()
                is_told = False
            except Exception as error:  # whatever it is: without its worker the queue stands still and says nothing
                # A full disk, mostly. It is told once; the next job begins when the store can be written again.
                if not is_told:
                    is_fault = not isinstance(error, QueueError)
                    log.error("no job can be begun: %s %s", error, getattr(error, "hint", ""), exc_info=is_fault)
                is_told = True
                self._news.wait(LOOK_S)
