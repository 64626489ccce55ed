"""What a piece of work costs: processor time, wall time, memory. Knows nothing of what is measured."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks.plan import Cost

_SAMPLE_S = 0.1
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def now() -> Cost:
    """Processor and wall time so far; differences of two are costs. Waits for the GPU, where one is in use."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
    times = os.times()
    return Cost(times.user + times.system + times.children_user + times.children_system, time.monotonic())


def since(before: Cost) -> Cost:
    """The cost since `before`, which `now` gave."""
    after = now()
    return Cost(after.core_s - before.core_s, after.wall_s - before.wall_s)


class Meter:
    """Adds up what stages cost, per frame."""

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}

    @contextmanager
    def of(self, stage: str, frames: int) -> Iterator[None]:
        """Count what the block costs, per frame."""
        before = now()
        yield
        self.add(stage, since(before), frames)

    def add(self, stage: str, cost: Cost, frames: int) -> None:
        """Count the cost of a stage."""
        self.costs[stage] = Cost(cost.core_s / frames, cost.wall_s / frames)


class MemoryWatch:
    """Looks at this process's memory, and at that of its children, every tenth of a second, on a thread of its own.

    Attributes:
        samples: (s since the epoch, MB resident in this process).
        peak_children_mb: The most that was resident in all children at once.
    """

    def __init__(self) -> None:
        self.samples: list[tuple[float, float]] = []
        self.peak_children_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory-watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            self.samples.append((time.time(), _resident_mb("self")))
            self.peak_children_mb = max(self.peak_children_mb, sum(map(_resident_mb, _children())))


class GpuWatch:
    """Asks the driver five times a second whether the GPU computes."""

    def __init__(self) -> None:
        query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200", "-i", "0"]
        self._child = subprocess.Popen(query, stdout=subprocess.PIPE, text=True)

    def end(self) -> float:
        """Ask no more; the share of the time in which it computed anything, 0..1."""
        self._child.terminate()
        shares = [float(line) / 100 for line in self._child.communicate()[0].splitlines() if line.strip().isdigit()]
        return sum(shares) / len(shares) if shares else 0.0


def peak_rss_mb() -> float:
    """The most that was ever resident in this process, MB.

    Not from getrusage: that of a process begins with what the process that started it had.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _resident_mb(process: str) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_MB
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0


def _children() -> list[str]:
    pids: list[str] = []
    for children in Path("/proc/self/task").glob("*/children"):
        try:
            pids += children.read_text(encoding="ascii").split()
        except (FileNotFoundError, ProcessLookupError):  # the thread has just ended
            continue
    return pids
