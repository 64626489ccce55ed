"""Jobs in order, submitted, asked for and changed by their users. Knows nothing of videos, models or pages.

The jobs are kept in a `JobStore` on the disk: a process that is killed loses none, and the next one goes on.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from heygem.errors import QueueError, Text
from heygem.jobs.executors import ActorRow, Executor, LocalExecutor
from heygem.jobs.job import Job, JobError, JobRequest, JobStatus, Runner
from heygem.jobs.job_folder import check_inputs, drop_folder, drop_unused, new_job_id, sweep_leftovers, take_inputs
from heygem.jobs.job_history import HistoryPage, HistoryQuery
from heygem.jobs.run_log import logged_as
from heygem.jobs.store import STORE_NAME, JobStore
from heygem.jobs.waiting_time import with_times
from heygem.jobs.workers import LOOK_S, Workers

log = logging.getLogger(__name__)


class TaskQueue:
    """Begins jobs in the order they came: one at a time, or as many as the executor has room for.

    Each job has a folder, ``outputs_dir / job.id``. Its inputs lie there from submission until it is done, so whoever
    brought them may delete theirs; the inputs of a job that ended otherwise stay, so that it can be retried.

    Args:
        run: Called on the worker thread for each job; writes its result into the job's folder. Or an executor.
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
        run: Runner | Executor,
        *,
        outputs_dir: Path,
        capacity: int = 200,
        keep: int = 500,
        max_attempts: int = 2,
        can_claim: Callable[[], Text | None] = lambda: None,
        measure: Callable[[JobRequest], float | None] = lambda request: None,
        on_process_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._outputs_dir = outputs_dir
        self._capacity = capacity
        self._keep = keep
        self._measure = measure
        self._executor = run if isinstance(run, Executor) else LocalExecutor(run)
        self.store = JobStore(outputs_dir / STORE_NAME)
        self._workers = Workers(
            self._executor,
            self.store,
            outputs_dir,
            max_attempts=max_attempts,
            can_claim=can_claim,
            on_process_lost=on_process_lost,
        )

    @property
    def pause_reason(self) -> Text | None:
        """Why no job is begun at present, for users; None while nothing hinders it."""
        return self._workers.pause_reason

    def start(self) -> None:
        """Take up what a dead process left, and start the worker. Without it, `run_next` does a job on this thread."""
        sweep_leftovers(self._outputs_dir, self.store.states())
        self.recover()
        self._workers.start()

    def recover(self) -> list[Job]:
        """Put the jobs of dead processes back in their places, or interrupt them; they are returned."""
        return self._workers.recover()

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
        return self._workers.newest_picture(job_id)

    def jobs(self) -> list[Job]:
        """What waits and runs, and what ended of late; oldest first."""
        return self._fresh(self.store.jobs(self._keep))

    def history(self, query: HistoryQuery | None = None, *, limit: int = 50, offset: int = 0) -> HistoryPage:
        """Jobs of any age, the newest submission first."""
        return self.store.history(query or HistoryQuery(), limit=limit, offset=offset)

    def actors(self) -> list[ActorRow]:
        """The workers elsewhere that do the jobs; none where they are done here."""
        return self._executor.actors()

    def complaints(self) -> list[str]:
        """Why no job would run now, besides `pause_reason`: in English, for operators. Empty if one would."""
        found = []
        if not self._workers.is_at_work:
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
        self._workers.cancel(job_id)
        self._workers.tell()
        with logged_as(job_id):
            log.info("cancel asked: %s", job.status)
        return job

    def retry(self, job_id: str) -> Job:
        """Queue a failed, interrupted or cancelled job anew, behind all others; a preview before them.

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
        self._workers.tell()
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
            QueueError: with code job_unfinished, it runs; not_deleted, its files are still there, and so is it.
        """
        if self.store.get(job_id).status is JobStatus.QUEUED:
            self.store.cancel(job_id)
        self.store.delete(job_id, lambda: drop_folder(self._outputs_dir / job_id))
        with logged_as(job_id):
            log.info("deleted")
        self._workers.tell()

    def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
        """The job once it has ended, or as it is after `timeout_s`.

        Raises:
            JobNotFoundError: no job has that id.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        with self._workers.changed:
            while not (job := self.get(job_id)).status.is_final:
                left = LOOK_S if end is None else min(LOOK_S, end - time.monotonic())
                if left <= 0:
                    break
                self._workers.changed.wait(left)
            return job

    def run_next(self) -> Job | None:
        """Do the next waiting job on this thread; None if none waits or may begin. Never raises for a failed job."""
        done = self._workers.run_next()
        return None if done is None else self.get(done)

    def give_up(self, job_id: str, error: JobError) -> None:
        """Take the running job away from a worker that does not answer; only a new process can go on after that.

        Args:
            job_id: If it does not run any more, nothing happens.
            error: What its user is told if it had all its attempts.
        """
        self._workers.give_up(job_id, error)

    def stop(self, grace_s: float) -> None:
        """Begin no more jobs, and give those that run so many seconds; may be called again to give it less.

        Returns at once. A job that is not done by then waits again as if it had not been begun.
        """
        self._workers.stop(grace_s)

    def close(self, grace_s: float = 20.0) -> bool:
        """Stop, wait for the worker to end, and close the store; False if the worker has not ended in time."""
        self.stop(grace_s)
        is_ended = self._workers.join()
        self._executor.close()
        if not is_ended:
            return False
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
                    drop_unused(self._outputs_dir / job.id)
        self._workers.tell()
        for job in jobs:
            with logged_as(job.id):
                log.info("queued: clip %s, speech %s", job.request.video_name, job.request.audio_name)
        return [self.get(job_id) for job_id in ids]

    def _fresh(self, jobs: list[Job]) -> list[Job]:
        """`jobs` with what this process knows better than the store, and with the times until they are done."""
        newest = self._workers.progress()
        jobs = [replace(job, progress=newest[job.id]) if job.id in newest else job for job in jobs]
        return with_times(jobs, self.store.recent_work(), time.time())

    def _refuse_when_stopping(self) -> None:
        if self._workers.is_stopping:
            closing = Text("服务正在关闭，不再接受任务。", "The server is closing and takes no more jobs.")
            raise QueueError(closing, code="queue_closed")
