"""One long video drawn by several actors: they draw segments side by side, and the first of them joins all.

What the drawing needs to know of the clip is found out once, by the first, and handed on. A share that does not arrive
is drawn by the first one when it joins: helpers can only help.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from heygem.cluster.messages import RunUnwound, Task
from heygem.cluster.pool import Pool, Seat
from heygem.cluster.remote_run import LISTEN_S, follow, raise_if_failed, settle
from heygem.errors import HeyGemError, JobUnwound
from heygem.jobs.job import Job, JobKind
from heygem.pipeline.progress import Progress, Stage
from heygem.pipeline.shares import GROUNDWORK, JOURNAL, LONG_SEGMENTS, SEGMENT_S, Share

log = logging.getLogger(__name__)


def most_shares(job: Job) -> int:
    """How many may draw a job's video; 1 if it is too short to be worth it."""
    segments = int((job.speech_s or 0.0) // SEGMENT_S)
    return segments if job.request.kind is JobKind.VIDEO and segments > LONG_SEGMENTS else 1


def draw_shares(
    pool: Pool, seat: Seat, actor: str, task: Task, most: int, progress: Progress, check: Callable[[], None]
) -> Task:
    """Have a video's segments drawn by this actor and by those that are free.

    Args:
        pool, seat, actor: The first of them.
        task: The whole job.
        most: Shares there may be.
        progress, check: As for `follow`.

    Returns:
        The task that remains: to join what is there.

    Raises:
        HeyGemError: the first one failed, as `raise_if_failed`.
        WorkerLostError: the first one is lost.
        JobUnwound: from `progress` and `check`.
    """
    groundwork = follow(pool, seat, actor, replace(task, share=GROUNDWORK, out="groundwork"), progress, check)
    raise_if_failed(groundwork)
    task = replace(task, groundwork=groundwork.files)
    # Only now: seats that another job waits for are taken by now.
    seats: list[Seat] = []
    while len(seats) < most - 1 and (free := pool.take(task.job_id)) is not None:
        seats.append(free)
    if not seats:
        return task
    log.info("%d actors draw it", 1 + len(seats))
    steps = [
        replace(task, share=Share(number, 1 + len(seats)), out=f"share-{number}") for number in range(1 + len(seats))
    ]
    helpers = [_Helper(pool, helper, step) for helper, step in zip(seats, steps[1:], strict=True)]
    together = _Together(progress, helpers)
    try:
        for helper in helpers:
            helper.start()
        own = follow(pool, seat, actor, steps[0], together, check)
        raise_if_failed(own)
        while alive := [helper for helper in helpers if helper.is_alive()]:
            together.wait()
            check()
            alive[0].join(LISTEN_S)
    finally:
        for helper in helpers:
            helper.is_unwanted = True
    drawn = [own.files, *(helper.files for helper in helpers)]
    return replace(task, shares=tuple(files for files in drawn if any(name.endswith(JOURNAL) for name in files)))


class _Helper(threading.Thread):
    """One that draws a share on a seat of its own, and leaves it. It is its own `Progress`."""

    def __init__(self, pool: Pool, seat: Seat, task: Task) -> None:
        super().__init__(name=f"ray-{task.job_id}-{task.share.number}", daemon=True)
        self.files: tuple[str, ...] = ()
        self.is_unwanted = False
        self.drawn = 0
        self._first: int | None = None
        self._pool = pool
        self._seat = seat
        self._task = task

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Count what is drawn.

        Raises:
            RunUnwound: nobody wants it any more.
        """
        if self.is_unwanted:
            raise RunUnwound
        if stage is Stage.DRAWING:
            self._first = done if self._first is None else self._first
            self.drawn = done - self._first

    def run(self) -> None:
        """Draw it."""
        try:
            actor = self._pool.actor(self._seat, lambda: self.tick(Stage.LOADING, 0))
            ended = follow(self._pool, self._seat, actor, self._task, self, lambda: None)
            raise_if_failed(ended)
            self.files = ended.files
        except (HeyGemError, RuntimeError, JobUnwound) as error:
            log.warning("share %d was not drawn on %s: %r", self._task.share.number, self._seat.node.address, error)
        finally:
            settle(self._pool, self._seat, lambda: False)
            self._pool.leave(self._seat)


class _Together:
    """The progress of all shares as that of one."""

    def __init__(self, progress: Progress, helpers: Sequence[_Helper]) -> None:
        self._own: tuple[int, int | None] = (0, None)
        self._progress = progress
        self._helpers = tuple(helpers)

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Pass it on, with what the helpers have drawn by now."""
        if stage is Stage.DRAWING:
            self._own = (done, total)
            done += sum(helper.drawn for helper in self._helpers)
        self._progress.tick(stage, done, total)

    def wait(self) -> None:
        """The first one has handed its share over: what the others draw is all the progress that there is."""
        done, total = self._own
        self.tick(Stage.DRAWING, done, total)
