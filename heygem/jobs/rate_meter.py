"""How fast a job goes and when its stage will end. Knows nothing of queues."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from heygem.jobs.job import JobProgress
from heygem.pipeline.progress import Stage


class RateMeter:
    """Turns ticks into progress with a rate over the last seconds.

    Args:
        window_s: Seconds that the rate is taken over: long enough to be calm, short enough to follow a change.
        clock: Seconds from any fixed moment.
    """

    def __init__(self, *, window_s: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s = window_s
        self._clock = clock
        self._stage: Stage | None = None
        self._seen: deque[tuple[float, int]] = deque()

    def tick(self, stage: Stage, done: int, total: int | None) -> JobProgress:
        """Note that `done` of `total` frames of `stage` are done, and say how it goes."""
        if stage is not self._stage or (self._seen and done < self._seen[-1][1]):
            self._stage = stage
            self._seen.clear()
        now = self._clock()
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - self._window_s:
            self._seen.popleft()
        then, done_then = self._seen[0]
        rate = (done - done_then) / (now - then) if now > then and done > done_then else None
        eta = (total - done) / rate if rate and total and total >= done else None
        return JobProgress(stage, done, total, rate, eta)
