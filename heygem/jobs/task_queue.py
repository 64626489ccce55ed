"""Jobs in order, one at a time, on one worker thread. Knows nothing of videos, models or pages."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from heygem.errors import NOTHING, HeyGemError, JobCancelled, JobNotFoundError, QueueError, QueueFullError, Text
from heygem.jobs.job import Job, JobError, JobRequest, JobStatus, Runner
from heygem.jobs.job_folder import drop_inputs, take_inputs
from heygem.jobs.rate_meter import RateMeter
from heygem.jobs.run_log import logged_as
from heygem.pipeline.progress import Stage

log = logging.getLogger(__name__)

_INTERNAL_ERROR = JobError(
    "internal", Text("内部错误，详情见日志。", "Internal error; the log has the details."), hint=NOTHING
)


class TaskQueue:
    """Runs jobs in the order they came, one at a time: one device, one job.

    Each job has a folder, ``outputs_dir / job.id``. Its inputs lie there from submission to its end, so whoever brought
    them may delete theirs; a job that made nothing leaves no folder.

    Args:
        run: Called on the worker thread for each job; writes its result into the job's folder.
        outputs_dir: Where each job gets its folder.
        capacity: Jobs that may wait.
        keep: Finished jobs that stay readable; the oldest are forgotten first, their results stay on disk.
    """

    def __init__(self, run: Runner, *, outputs_dir: Path, capacity: int = 200, keep: int = 500) -> None:
        self._run = run
        self._outputs_dir = outputs_dir
        self._capacity = capacity
        self._keep = keep
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[str] = deque()
        self._arriving = 0
        self._cancel_asked: set[str] = set()
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the worker. Without it, `run_next` does a job on the calling thread."""
        self._thread = threading.Thread(target=self._work, name="task-queue", daemon=True)
        self._thread.start()

    def submit(self, request: JobRequest) -> Job:
        """Queue one job.

        Raises:
            QueueFullError: too many jobs wait.
            QueueError: the queue is closed, or an input could not be stored.
            InputError: an input is not a file.
        """
        return self._submit([request], batch_id=None)[0]

    def submit_batch(self, requests: Sequence[JobRequest]) -> list[Job]:
        """Queue all of `requests` as one batch, or none. One that fails later does not stop the others.

        Raises:
            QueueFullError: they would not all fit.
            QueueError: the queue is closed, or an input could not be stored.
            InputError: an input is not a file.
        """
        return self._submit(requests, batch_id=secrets.token_hex(4))

    def get(self, job_id: str) -> Job:
        """The job as it is now.

        Raises:
            JobNotFoundError: no job has that id, or it ended long ago.
        """
        with self._changed:
            if job_id not in self._jobs:
                raise JobNotFoundError(Text(f"没有任务 {job_id}。", f"There is no job {job_id}."))
            job = self._jobs[job_id]
            if job.status is JobStatus.QUEUED:
                return replace(job, position=self._waiting.index(job_id) + 1)
            return job

    def jobs(self) -> list[Job]:
        """Every job the queue remembers, oldest first."""
        with self._changed:
            positions = {job_id: index for index, job_id in enumerate(self._waiting, start=1)}
            return [replace(job, position=positions.get(job.id)) for job in self._jobs.values()]

    def cancel(self, job_id: str) -> Job:
        """Drop a waiting job now; ask a running one to stop at its next tick. One that has ended is left as it is.

        Raises:
            JobNotFoundError: no job has that id.
        """
        with self._changed:
            job = self.get(job_id)
            if job.status is JobStatus.RUNNING:
                self._cancel_asked.add(job_id)
            if job.status is not JobStatus.QUEUED:
                return job
            self._waiting.remove(job_id)
            job = self._set(job_id, status=JobStatus.CANCELLED, ended_s=time.time())
            self._forget_oldest()
        drop_inputs(self._outputs_dir / job_id, keep_folder=False)
        with logged_as(job_id):
            log.info("cancelled before it ran")
        return job

    def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
        """The job once it has ended, or as it is after `timeout_s`.

        Raises:
            JobNotFoundError: no job has that id.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.get(job_id).status.is_final, timeout_s)
            return self.get(job_id)

    def run_next(self) -> Job | None:
        """Do the next waiting job on this thread; None if there is none. Never raises for a failed job."""
        with self._changed:
            if not self._waiting:
                return None
            job = self._set(self._waiting.popleft(), status=JobStatus.RUNNING, started_s=time.time())
        with logged_as(job.id):
            end = self._outcome(job)
            drop_inputs(self._outputs_dir / job.id, keep_folder=end["status"] is JobStatus.DONE)
        with self._changed:
            self._cancel_asked.discard(job.id)
            ended = self._set(job.id, ended_s=time.time(), **end)
            self._forget_oldest()
            return ended

    def close(self, timeout_s: float = 20.0) -> bool:
        """Cancel everything and wait for the worker to end; False if it has not after `timeout_s`."""
        with self._changed:
            self._closing = True
            unfinished = [job.id for job in self._jobs.values() if not job.status.is_final]
            self._changed.notify_all()
        for job_id in unfinished:
            self.cancel(job_id)
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _submit(self, requests: Sequence[JobRequest], batch_id: str | None) -> list[Job]:
        self._reserve(len(requests))
        jobs: list[Job] = []
        try:
            # Outside the lock: inputs on another disk are copied, which takes time.
            for request in requests:
                job_id = secrets.token_hex(6)
                ours = take_inputs(request, self._outputs_dir / job_id)
                jobs.append(Job(job_id, ours, JobStatus.QUEUED, queued_s=time.time(), batch_id=batch_id))
            with self._changed:
                self._refuse_when_closing()
                for job in jobs:
                    self._jobs[job.id] = job
                    self._waiting.append(job.id)
                self._changed.notify_all()
        except BaseException:
            for job in jobs:
                drop_inputs(self._outputs_dir / job.id, keep_folder=False)
            raise
        finally:
            with self._changed:
                self._arriving -= len(requests)
        for job in jobs:
            with logged_as(job.id):
                log.info("queued: clip %s, speech %s", job.request.video_name, job.request.audio_name)
        return [self.get(job.id) for job in jobs]

    def _reserve(self, count: int) -> None:
        """Keep places for jobs whose inputs are being stored."""
        with self._changed:
            self._refuse_when_closing()
            waiting = len(self._waiting) + self._arriving
            if waiting + count > self._capacity:
                raise QueueFullError(
                    Text(
                        f"已有 {waiting} 个任务在排队，再加 {count} 个会超过上限 {self._capacity}。",
                        f"{waiting} jobs wait; {count} more exceed the limit of {self._capacity}.",
                    ),
                    hint=Text("请等一些任务完成后再提交。", "Wait until some have finished."),
                )
            self._arriving += count

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise QueueError(
                Text("服务正在关闭，不再接受任务。", "The server is closing and takes no more jobs."),
                code="queue_closed",
            )

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    return
            self.run_next()

    def _outcome(self, job: Job) -> dict[str, Any]:
        """Run the job; what of it is to change."""
        log.info("started")
        began_s = time.monotonic()
        try:
            result = self._run(job, _Reporter(self, job.id))
        except JobCancelled:
            log.info("cancelled after %.1f s", time.monotonic() - began_s)
            return {"status": JobStatus.CANCELLED}
        except HeyGemError as error:
            log.warning("failed (%s): %s %s", error.code, error, error.hint)
            return {"status": JobStatus.FAILED, "error": JobError(error.code, error.text, error.hint)}
        except (Exception, SystemExit):  # a bug, ours or a library's, ends its job and not the worker
            log.exception("failed with an internal error")
            return {"status": JobStatus.FAILED, "error": _INTERNAL_ERROR}
        log.info("done in %.1f s: %s", time.monotonic() - began_s, result.output)
        return {"status": JobStatus.DONE, "result": result}

    def _set(self, job_id: str, **changes: Any) -> Job:
        with self._changed:
            job = replace(self._jobs[job_id], **changes)
            self._jobs[job_id] = job
            self._changed.notify_all()
            return job

    def _is_cancel_asked(self, job_id: str) -> bool:
        with self._changed:
            return job_id in self._cancel_asked

    def _forget_oldest(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.status.is_final]
        for job_id in ended[: max(0, len(ended) - self._keep)]:
            del self._jobs[job_id]


class _Reporter:
    """A running job's progress, kept in the queue."""

    def __init__(self, queue: TaskQueue, job_id: str) -> None:
        self._queue = queue
        self._job_id = job_id
        self._meter = RateMeter()

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        if self._queue._is_cancel_asked(self._job_id):
            raise JobCancelled
        self._queue._set(self._job_id, progress=self._meter.tick(stage, done, total))
