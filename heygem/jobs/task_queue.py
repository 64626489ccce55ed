"""Jobs in order, one at a time, on one worker thread. Knows nothing of videos, models or pages.

The jobs are kept in a `JobStore` on the disk: a process that is killed loses none, and the next one goes on.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from heygem.errors import QueueError, Text
from heygem.jobs.job import Job, JobError, JobRequest, JobStatus, Runner
from heygem.jobs.job_folder import check_inputs, drop_folder, drop_inputs, new_job_id, sweep_leftovers, take_inputs
from heygem.jobs.job_history import HistoryPage, HistoryQuery
from heygem.jobs.run_log import logged_as
from heygem.jobs.running_job import Ending, RunningJob
from heygem.jobs.store import STORE_NAME, JobStore
from heygem.jobs.waiting_time import with_times

log = logging.getLogger(__name__)

_LOOK_S = 1.0
"""Seconds between two looks for what changed elsewhere: jobs of another process, a reason to wait that went away."""

_UNWIND_S = 0.7
"""Seconds that a job gets to come to its end when it has to stop, before it is put back without its leave."""


class TaskQueue:
    """Runs jobs in the order they came, one at a time: one device, one job.

    Each job has a folder, ``outputs_dir / job.id``. Its inputs lie there from submission until it is done, so whoever
    brought them may delete theirs; the inputs of a job that ended otherwise stay, so that it can be retried.

    Args:
        run: Called on the worker thread for each job; writes its result into the job's folder.
        outputs_dir: Where each job gets its folder, and where the store is. On a disk of this machine.
        capacity: Jobs that may wait.
        keep: Ended jobs that `jobs` lists; `history` has all of them.
        max_attempts: How often a job may take the process down with it before it is interrupted.
        can_claim: Asked before each job: why none may begin now, or None.
        measure: Length of a request's speech in seconds, None where that cannot be told; for the times to wait.
        on_process_lost: Called when only a new process can go on: the job is put back, and no other is begun.

    Attributes:
        store: Where the jobs are kept, for what needs no worker.

    Raises:
        QueueError: the store cannot be used; also from every method that asks or changes it.
    """

    def __init__(
        self,
        run: Runner,
        *,
        outputs_dir: Path,
        capacity: int = 200,
        keep: int = 500,
        max_attempts: int = 2,
        can_claim: Callable[[], Text | None] = lambda: None,
        measure: Callable[[JobRequest], float | None] = lambda request: None,
        on_process_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._run = run
        self._outputs_dir = outputs_dir
        self._capacity = capacity
        self._keep = keep
        self._max_attempts = max_attempts
        self._can_claim = can_claim
        self._measure = measure
        self._on_process_lost = on_process_lost
        self.store = JobStore(outputs_dir / STORE_NAME)
        self._changed = threading.Condition()
        self._news = threading.Event()
        self._running: RunningJob | None = None
        self._pause_reason: Text | None = None
        self._stop_at: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def pause_reason(self) -> Text | None:
        """Why no job is begun at present, for users; None while nothing hinders it."""
        return self._pause_reason

    def start(self) -> None:
        """Take up what a dead process left, and start the worker. Without it, `run_next` does a job on this thread."""
        sweep_leftovers(self._outputs_dir, self.store.states())
        self.recover()
        self._thread = threading.Thread(target=self._work, name="task-queue", daemon=True)
        self._thread.start()

    def recover(self) -> list[Job]:
        """Put the jobs of dead processes back in their places, or interrupt them; they are returned."""
        freed = [self.store.get(job_id) for job_id in self.store.claims.recover(self._max_attempts)]
        for job in freed:
            with logged_as(job.id):
                log.warning("the process that ran it is gone (attempt %d): %s", job.attempt, job.status)
        return freed

    def submit(self, request: JobRequest, *, submission: str | None = None) -> Job:
        """Queue one job. When this returns, it is on the disk.

        Args:
            request: What is to be made.
            submission: Names the submission: sent again by somebody who saw no answer, it returns the first time's job.

        Raises:
            QueueFullError: too many jobs wait.
            QueueError: the queue is closed, or an input could not be stored.
            InputError: an input is not a file.
        """
        return self._submit([request], None, submission)[0]

    def submit_batch(self, requests: Sequence[JobRequest], *, submission: str | None = None) -> list[Job]:
        """Queue all of `requests` as one batch, or none, like `submit`. One that fails later stops no other."""
        return self._submit(requests, secrets.token_hex(4), submission)

    def get(self, job_id: str) -> Job:
        """The job as it is now.

        Raises:
            JobNotFoundError: no job has that id.
        """
        job = self.store.get(job_id)
        others = [] if job.status.is_final else self.store.jobs(ended=0)  # its time depends on those before it
        return next((other for other in self._fresh(others) if other.id == job_id), job)

    def newest_picture(self, job_id: str) -> bytes | None:
        """A small JPEG of what a job drew a moment ago; None while there is none, or another process runs it."""
        return running.newest if (running := self._running) is not None and running.job.id == job_id else None

    def jobs(self) -> list[Job]:
        """What waits and runs, and what ended of late; oldest first."""
        return self._fresh(self.store.jobs(self._keep))

    def history(self, query: HistoryQuery | None = None, *, limit: int = 50, offset: int = 0) -> HistoryPage:
        """Jobs of any age, the newest submission first."""
        return self.store.history(query or HistoryQuery(), limit=limit, offset=offset)

    def complaints(self) -> list[str]:
        """Why no job would run now, besides `pause_reason`: in English, for operators. Empty if one would."""
        found = []
        if self._thread is None or not self._thread.is_alive() or self._stop_at is not None:
            found.append("The queue's worker does not run.")
        try:
            self.store.check_writable()
        except QueueError:  # names the file, which strangers need not read; the worker logs it
            found.append("The queue's file cannot be written.")
        return found

    def cancel(self, job_id: str) -> Job:
        """Drop a waiting job now; ask a running one to stop at its next tick. One that has ended is left as it is.

        Raises:
            JobNotFoundError: no job has that id.
        """
        job = self.store.cancel(job_id)
        with self._changed:
            if self._running is not None and self._running.job.id == job_id:
                self._running.cancel()
        self._tell()
        with logged_as(job_id):
            log.info("cancel asked: %s", job.status)
        return job

    def retry(self, job_id: str) -> Job:
        """Queue a failed, interrupted or cancelled job anew, behind all others.

        Raises:
            JobNotFoundError: no job has that id.
            InputError: with code inputs_gone, its inputs are not there any more.
            QueueError: it waits, runs or is done, or the queue is closed.
            QueueFullError: it would not fit.
        """
        self._refuse_when_stopping()
        self.store.retry(job_id, capacity=self._capacity, check=check_inputs)
        with logged_as(job_id):
            log.info("queued again")
        self._tell()
        return self.get(job_id)

    def move_to_front(self, job_id: str) -> Job:
        """Make a waiting job the next to run; any other is left as it is.

        Raises:
            JobNotFoundError: no job has that id.
        """
        self.store.move_to_front(job_id)
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """Forget a job that does not run, and delete its folder with its result.

        Raises:
            JobNotFoundError: no job has that id.
            QueueError: with code job_unfinished, it runs.
        """
        if self.store.get(job_id).status is JobStatus.QUEUED:
            self.store.cancel(job_id)
        self.store.delete(job_id, lambda: drop_folder(self._outputs_dir / job_id))
        with logged_as(job_id):
            log.info("deleted")
        self._tell()

    def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
        """The job once it has ended, or as it is after `timeout_s`.

        Raises:
            JobNotFoundError: no job has that id.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while not (job := self.get(job_id)).status.is_final:
                left = _LOOK_S if end is None else min(_LOOK_S, end - time.monotonic())
                if left <= 0:
                    break
                self._changed.wait(left)
            return job

    def run_next(self) -> Job | None:
        """Do the next waiting job on this thread; None if none waits or may begin. Never raises for a failed job."""
        done = self._run_next()
        return None if done is None else self.get(done)

    def give_up(self, job_id: str, error: JobError) -> None:
        """Take the running job away from a worker that does not answer; only a new process can go on after that.

        Args:
            job_id: If it does not run any more, nothing happens.
            error: What its user is told if it had all its attempts.
        """
        running = self._running
        if running is not None and running.job.id == job_id and running.give_up(error):
            self.stop(0)
            self._on_process_lost()

    def stop(self, grace_s: float) -> None:
        """Begin no more jobs, and give the running one so many seconds; may be called again to give it less.

        Returns at once. If the job is not done by then, it waits again as if it had not been begun.
        """
        stop_at = time.monotonic() + grace_s
        with self._changed:
            self._stop_at = stop_at if self._stop_at is None else min(stop_at, self._stop_at)
            if self._running is not None:
                self._running.stop_at(self._stop_at)
        self._tell()

    def close(self, grace_s: float = 20.0) -> bool:
        """Stop, wait for the worker to end, and close the store; False if the worker has not ended in time."""
        self.stop(grace_s)
        while self._thread is not None and self._thread.is_alive():
            running, stop_at = self._running, self._stop_at
            if stop_at is not None and time.monotonic() > stop_at + _UNWIND_S:
                if running is not None:
                    running.put_back()
                return False
            self._thread.join(0.02)
        self.store.close()
        return True

    def _submit(self, requests: Sequence[JobRequest], batch_id: str | None, submission: str | None) -> list[Job]:
        self._refuse_when_stopping()
        known = self.store.check_submission(len(requests), self._capacity, submission)
        if known or not requests:
            return [self.get(job_id) for job_id in known]
        jobs: list[Job] = []
        ids: list[str] = []
        try:
            # Outside every lock: inputs on another disk are copied, which takes time.
            for request in requests:
                job_id = new_job_id()
                ours = take_inputs(request, self._outputs_dir / job_id)
                jobs.append(Job(job_id, ours, JobStatus.QUEUED, time.time(), batch_id, speech_s=self._measure(ours)))
            ids = self.store.add(jobs, capacity=self._capacity, submission=submission)
        finally:
            for job in jobs:
                if job.id not in ids:
                    drop_folder(self._outputs_dir / job.id)
        self._tell()
        for job in jobs:
            with logged_as(job.id):
                log.info("queued: clip %s, speech %s", job.request.video_name, job.request.audio_name)
        return [self.get(job_id) for job_id in ids]

    def _run_next(self) -> str | None:
        reason = self._can_claim()
        if reason != self._pause_reason:
            self._pause_reason = reason
            log.info("%s", f"jobs wait: {reason}" if reason else "jobs go on")
        claim = self.store.claims.take() if reason is None else None
        if claim is None:
            return None
        running = RunningJob(claim, self.store.claims, self._max_attempts)
        with self._changed:
            self._running = running
            if self._stop_at is not None:  # since the worker looked last
                running.stop_at(self._stop_at)
            self._changed.notify_all()
        with logged_as(running.job.id):
            ending = running.run(self._run)
            if ending is Ending.DONE:
                drop_inputs(self._outputs_dir / running.job.id)
        with self._changed:
            self._running = None
            self._changed.notify_all()
        if ending is Ending.PROCESS_LOST:
            self.stop(0)
            self._on_process_lost()
        return running.job.id

    def _fresh(self, jobs: list[Job]) -> list[Job]:
        """`jobs` with what this process knows better than the store, and with the times until they are done."""
        running = self._running
        if running is not None and (progress := running.progress) is not None:
            jobs = [replace(job, progress=progress) if job.id == running.job.id else job for job in jobs]
        return with_times(jobs, self.store.recent_work(), time.time())

    def _refuse_when_stopping(self) -> None:
        if self._stop_at is not None:
            closing = Text("服务正在关闭，不再接受任务。", "The server is closing and takes no more jobs.")
            raise QueueError(closing, code="queue_closed")

    def _tell(self) -> None:
        """Let the worker and those who wait look again."""
        self._news.set()
        with self._changed:
            self._changed.notify_all()

    def _work(self) -> None:
        is_told = False
        while self._stop_at is None:
            self._news.clear()
            try:
                if self._run_next() is None:
                    self._news.wait(_LOOK_S)
                    self.recover()
                is_told = False
            except Exception as error:  # whatever it is: without its worker the queue stands still and says nothing
                # A full disk, mostly. It is told once; the next job begins when the store can be written again.
                if not is_told:
                    is_fault = not isinstance(error, QueueError)
                    log.error("no job can be begun: %s %s", error, getattr(error, "hint", ""), exc_info=is_fault)
                is_told = True
                self._news.wait(_LOOK_S)
