"""Watches running jobs: tells the log how they go, and their owner when one stands still. Knows not what jobs do."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from heygem.errors import Text
from heygem.jobs.job import Job, JobError, JobKind, JobProgress, JobResult, Runner
from heygem.jobs.rate_meter import RateMeter
from heygem.jobs.run_log import logged_as
from heygem.pipeline.progress import Progress, Stage, Viewer

log = logging.getLogger(__name__)

OnStall = Callable[[str, JobError], None]
"""Told which job stands still, and the cause that its user is to read."""


class Watchdog:
    """A heartbeat in the log while a job runs, and an end to one that makes no progress.

    A thread cannot be ended from outside. So the watchdog logs where every thread is and calls `on_stall`, which ends
    the process that does the job, this one or an actor's: the attempt counts, and the queue goes on.

    Args:
        stall_s: Seconds without progress after which a job stands still; loading counts.
        on_stall: Called once per job that stands still, on the watchdog's thread.
        beat_s: Seconds between two heartbeats.
        clock: Seconds from any fixed moment.
    """

    def __init__(
        self,
        *,
        stall_s: float,
        on_stall: OnStall,
        beat_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stall_s = stall_s
        self._on_stall = on_stall
        self._beat_s = beat_s
        self._clock = clock
        self._guard = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._frames_drawn = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def frames_drawn(self) -> int:
        """Frames of results that were drawn since the start of the process."""
        return self._frames_drawn

    @property
    def frame_rate_hz(self) -> float:
        """Frames of a result drawn per second of late; 0 while none are."""
        with self._guard:
            drawing = [running.progress for running in self._running.values() if running.is_of_frames]
        return sum(progress.rate_hz or 0.0 for progress in drawing if progress and progress.stage is Stage.DRAWING)

    def watched(self, run: Runner) -> Runner:
        """`run`, with this watchdog looking on."""

        def watched_run(job: Job, progress: Progress) -> JobResult:
            is_of_frames = job.request.kind is not JobKind.SPEAKER
            watched = _Running(job.id, progress, self._clock, self._count, is_of_frames=is_of_frames)
            with self._guard:
                self._running[job.id] = watched
            try:
                return run(job, watched)
            finally:
                with self._guard:
                    del self._running[job.id]

        return watched_run

    def start(self) -> None:
        """Start to look. Without it, `look` does so once."""
        self._thread = threading.Thread(target=self._look_for_ever, name="watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Write the heartbeats that are due, and see whether a job stands still."""
        with self._guard:
            everyone = list(self._running.values())
        for running in everyone:
            with logged_as(running.job_id):
                if running.is_beat_due(self._beat_s):
                    log.info("%s", running.describe())
                still_s = running.seconds_still()
                if still_s >= self._stall_s and not running.is_told:
                    running.is_told = True
                    self._tell(running, still_s)

    def _tell(self, running: _Running, still_s: float) -> None:
        log.error("no progress for %.0f s: %s", still_s, running.describe())
        for line in _stacks():
            log.error("%s", line)
        stage = running.progress.stage if running.progress else "start"
        cause = Text(
            f"任务在 {still_s:.0f} 秒内没有任何进展（阶段 {stage}），已被结束。",
            f"The job made no progress for {still_s:.0f} s (stage {stage}) and was ended.",
        )
        hint = Text("日志记录了停在何处。", "The log says where it stood.")
        self._on_stall(running.job_id, JobError("stalled", cause, hint))

    def _look_for_ever(self) -> None:
        while not self._stop.wait(min(1.0, self._beat_s / 4, self._stall_s / 4)):
            self.look()

    def _count(self, frames: int) -> None:
        with self._guard:
            self._frames_drawn += frames


class _Running:
    """The running job's progress on its way to the queue."""

    def __init__(
        self,
        job_id: str,
        progress: Progress,
        clock: Callable[[], float],
        on_drawn: Callable[[int], None],
        *,
        is_of_frames: bool,
    ) -> None:
        self.job_id = job_id
        self.is_of_frames = is_of_frames  # else what it "draws" are samples
        self.progress: JobProgress | None = None
        self.is_told = False
        self._queue = progress
        self._clock = clock
        self._on_drawn = on_drawn
        self._meter = RateMeter(clock=clock)
        self._stage_since_s = self._progress_s = self._beat_s = clock()

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Note the progress and pass it on."""
        before, now = self.progress, self._clock()
        is_new_stage = before is None or before.stage is not stage
        if before is None or is_new_stage or done != before.done:
            self._progress_s = now
        self.progress = self._meter.tick(stage, done, total)
        if is_new_stage:
            self._stage_since_s = self._beat_s = now
            log.info("%s", self.describe())
        if stage is Stage.DRAWING and self.is_of_frames:
            # A job that was resumed begins in the middle.
            drawn_before = max(0, done - 1) if before is None or is_new_stage else before.done
            self._on_drawn(max(0, done - drawn_before))
        self._queue.tick(stage, done, total)

    def show(self, picture: Callable[[], bytes]) -> None:
        """Pass the picture on, if the queue would like to see it."""
        if isinstance(self._queue, Viewer):
            self._queue.show(picture)

    def seconds_still(self) -> float:
        """Seconds since the last progress."""
        return self._clock() - self._progress_s

    def is_beat_due(self, beat_s: float) -> bool:
        """Whether the last heartbeat, or the stage's start, is `beat_s` ago; counted from now on if so."""
        now = self._clock()
        if now - self._beat_s < beat_s:
            return False
        self._beat_s = now
        return True

    @property
    def _unit(self) -> str:
        is_drawing = self.progress is not None and self.progress.stage is Stage.DRAWING
        return "samples" if is_drawing and not self.is_of_frames else "frames"

    def describe(self) -> str:
        """Stage, how much is done of it, how fast, and what is left."""
        progress = self.progress
        if progress is None:
            return "starting"
        words, seconds = str(progress.stage), self._clock() - self._stage_since_s
        if seconds >= 1:
            words += f" for {seconds:.0f} s"
        if progress.total:
            words += f": {progress.done}/{progress.total} {self._unit}"
            if progress.rate_hz is not None:
                words += f", {progress.rate_hz:.1f} {self._unit}/s"
        elif progress.done:
            words += f": {progress.done} so far"  # need not be frames
        if progress.eta_s is not None:
            words += f", {progress.eta_s:.0f} s left"
        return words


def _stacks() -> list[str]:
    """Where each thread is, outermost call first, in one line per thread."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    here = threading.get_ident()
    lines = []
    for ident, frame in sys._current_frames().items():
        if ident != here:
            calls = (f"{Path(call.filename).name}:{call.lineno} {call.name}" for call in traceback.extract_stack(frame))
            lines.append(f"thread {names.get(ident, ident)}: {' > '.join(calls)}")
    return lines
