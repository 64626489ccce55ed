"""A job while it runs: its progress kept, its end written down, whatever the runner does. Knows no queue, no videos."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto

from heygem.errors import (
    NOTHING,
    DeviceLostError,
    HeyGemError,
    JobCancelled,
    JobRequeued,
    QueueError,
    Text,
    WorkerLostError,
)
from heygem.jobs.claims import Claim, Claims
from heygem.jobs.job import Job, JobError, JobProgress, JobStatus, Runner
from heygem.jobs.rate_meter import RateMeter
from heygem.pipeline.progress import Stage

log = logging.getLogger(__name__)

INTERNAL_ERROR = JobError(
    "internal", Text("内部错误，详情见日志。", "Internal error; the log has the details."), hint=NOTHING
)

_BEAT_S = 1.0
"""Seconds between two heartbeats: each is a write to the disk, and a cancel from another process waits for one."""

_PICTURE_S = 1.0
"""Seconds between two pictures of what is drawn: pages do not look more often."""


class Ending(Enum):
    """What became of an attempt."""

    DONE = auto()
    NOT_DONE = auto()
    """It failed, was cancelled, or was put back."""
    PROCESS_LOST = auto()
    """Only a new process can go on."""


class RunningJob:
    """One attempt at a job. It is the `Progress` that the runner is given, and a `Viewer`.

    Args:
        claim: The right to do it.
        claims: Where that is kept.
        max_attempts: How often it may take the process down with it.

    Attributes:
        progress: How far it is; None until the first tick.
        newest: A small JPEG of a frame drawn a moment ago; None until there is one. Never on the disk.
    """

    def __init__(self, claim: Claim, claims: Claims, max_attempts: int) -> None:
        self.progress: JobProgress | None = None
        self.newest: bytes | None = None
        self._claim = claim
        self._claims = claims
        self._max_attempts = max_attempts
        self._meter = RateMeter()
        self._is_cancelled = threading.Event()
        self._stop_at = float("inf")
        self._beat_at = float("-inf")
        self._beat_failed = False
        self._picture_at = float("-inf")
        self._pictures = 0

    @property
    def job(self) -> Job:
        """The job as it was claimed."""
        return self._claim.job

    def cancel(self) -> None:
        """Let the next tick raise JobCancelled."""
        self._is_cancelled.set()

    def stop_at(self, monotonic_s: float) -> None:
        """Let ticks from that moment on raise JobRequeued."""
        self._stop_at = monotonic_s

    def put_back(self) -> None:
        """Let the job wait again although its runner has not come to its end; what the runner does is of no effect."""
        self._write(lambda: self._claims.put_back(self._claim), tries=1)

    def give_up(self, error: JobError) -> bool:
        """Count the attempt as one that took the process down; False if the job had come to an end."""
        try:
            self._claims.crashed(self._claim, error, self._max_attempts)
        except JobRequeued:
            return False
        except QueueError as fault:
            # The attempt was counted at its beginning, and the next process finds the job's owner dead.
            log.error("the end of the job could not be written: %s %s", fault, fault.hint)
        return True

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Note how far the job is.

        Raises:
            JobCancelled: the user stopped it.
            JobRequeued: the server stops, or somebody else has the job by now.
        """
        self.progress = replace(self._meter.tick(stage, done, total), pictures=self._pictures)
        now = time.monotonic()
        if self._is_cancelled.is_set():
            raise JobCancelled
        if now >= self._stop_at:
            raise JobRequeued
        if now - self._beat_at >= _BEAT_S:
            self._beat_at = now
            self._beat(self.progress)

    def show(self, picture: Callable[[], bytes]) -> None:
        """Keep a picture of a frame, once a second."""
        now = time.monotonic()
        if now - self._picture_at >= _PICTURE_S:
            self._picture_at = now
            self.newest = picture()
            self._pictures += 1

    def run(self, run: Runner) -> Ending:
        """Do it, and write down how it ended."""
        log.info("started, attempt %d", self.job.attempt)
        began_s = time.monotonic()
        try:
            result = run(self.job, self)
        except JobCancelled:
            log.info("cancelled after %.1f s", time.monotonic() - began_s)
            self._finish(JobStatus.CANCELLED)
            return Ending.NOT_DONE
        except JobRequeued:
            log.info("stopped after %.1f s, to be run again", time.monotonic() - began_s)
            self._write(lambda: self._claims.put_back(self._claim))
            return Ending.NOT_DONE
        except WorkerLostError as error:
            log.error("the worker is lost after %.1f s (%s): %s", time.monotonic() - began_s, error.code, error)
            why = _told(error)
            self._write(lambda: self._claims.crashed(self._claim, why, self._max_attempts))
            return Ending.NOT_DONE
        except DeviceLostError as error:
            log.error("the device is lost (%s): %s", error.code, error)
            why = _told(error)
            self._write(lambda: self._claims.crashed(self._claim, why, self._max_attempts))
            return Ending.PROCESS_LOST
        except HeyGemError as error:
            log.warning("failed (%s): %s %s", error.code, error, error.hint)
            self._finish(JobStatus.FAILED, _told(error))
            return Ending.NOT_DONE
        except (Exception, SystemExit):  # a bug, ours or a library's, ends its job and not the worker
            log.exception("failed with an internal error")
            self._finish(JobStatus.FAILED, INTERNAL_ERROR)
            return Ending.NOT_DONE
        except BaseException:  # Ctrl-C, where a job runs on the main thread
            self._write(lambda: self._claims.put_back(self._claim))
            raise
        is_ours = self._write(
            lambda: self._claims.finish(self._claim, JobStatus.DONE, progress=self.progress, result=result)
        )
        if is_ours:
            log.info("done in %.1f s: %s", time.monotonic() - began_s, result.output)
        return Ending.DONE if is_ours else Ending.NOT_DONE

    def _finish(self, status: JobStatus, error: JobError | None = None) -> None:
        self._write(lambda: self._claims.finish(self._claim, status, progress=self.progress, error=error))

    def _beat(self, progress: JobProgress) -> None:
        try:
            wants_stop = self._claims.heartbeat(self._claim, progress)
        except QueueError as error:
            # The job does not need the store until its end, and the disk may have room again by then.
            if not self._beat_failed:
                log.warning("progress could not be kept: %s", error)
            self._beat_failed = True
            return
        self._beat_failed = False
        if wants_stop:
            raise JobCancelled

    def _write(self, write: Callable[[], None], tries: int | None = None) -> bool:
        """Write down what became of the job, however long that takes: the disk may be full.

        Args:
            write: Changes the store.
            tries: After so many the row is left: the next process finds its owner dead. None: until the server stops.

        Returns:
            Whether it was written; if not, somebody else has the job.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                write()
                return True
            except JobRequeued:
                log.warning("somebody else has the job by now; what was done here does not count")
                return False
            except QueueError as error:
                if attempt == 1:
                    log.error("the end of the job could not be written: %s %s", error, error.hint)
                if attempt == tries or time.monotonic() >= self._stop_at:
                    return False
                time.sleep(_BEAT_S)


def _told(error: HeyGemError) -> JobError:
    return JobError(error.code, error.text, error.hint)
