"""Several processes that train one model: each alone on its own core, every few steps they average.

One single-threaded process per core is several times faster than one process with as many threads, because the nets are
narrow (their layers are too small to share out). They meet in shared memory; no network is involved.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import wait as wait_for_any
from multiprocessing.process import BaseProcess
from threading import BrokenBarrierError, Thread
from typing import Protocol, TypeVar

import torch
from torch import Tensor
from torch import multiprocessing as mp

T = TypeVar("T", covariant=True)

log = logging.getLogger(__name__)

_SHARED_MEMORY = "/dev/shm"

_PATIENCE_S = 600.0
"""How long one process waits for the others before it takes them for dead."""


class Barrier(Protocol):
    """What of a multiprocessing barrier is used."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for all."""
        ...

    def abort(self) -> None:
        """Free all that wait, with an error."""
        ...


@dataclass(frozen=True, slots=True)
class Replica:
    """One of the processes.

    Attributes:
        rank: 0 is the process that began it, the only one that reports and saves.
        world: How many there are.
        meeting: (world, values) float32 in shared memory; None for one process alone.
        barrier: All wait here for each other; None for one process alone.
    """

    rank: int
    world: int
    meeting: Tensor | None = None
    barrier: Barrier | None = None

    @property
    def leads(self) -> bool:
        """Whether this is the one that reports and saves."""
        return self.rank == 0

    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Give `tensors` the mean of those of all processes, in place. All must call it equally often.

        Raises:
            RuntimeError: another process ended early.
            ValueError: they do not fit into the shared memory.
        """
        if self.meeting is None or self.barrier is None:
            return
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        if flat.numel() > self.meeting.shape[1]:
            raise ValueError(f"{flat.numel()} values do not fit into {self.meeting.shape[1]}.")
        try:
            self.meeting[self.rank, : flat.numel()] = flat
            self.barrier.wait(_PATIENCE_S)
            mean = self.meeting[:, : flat.numel()].mean(0)
            # Nobody may write the next values before everybody has read these.
            self.barrier.wait(_PATIENCE_S)
        except BrokenBarrierError as error:
            raise RuntimeError("Another training process ended early.") from error
        for tensor, values in zip(tensors, torch.split(mean, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(values.view_as(tensor))


class Job(Protocol[T]):
    """What every process does. Must survive pickling."""

    def __call__(self, replica: Replica) -> T:
        """Train, and return what the leader is asked for."""
        ...


class InThisProcess:
    """Calls a function in this process; a copy that was sent to another one calls nothing.

    Args:
        function: May hold what cannot be sent: queues, locks, windows.
    """

    def __init__(self, function: Callable[..., None] | None) -> None:
        self._function = function

    def __call__(self, *args: object) -> None:
        """Call it here."""
        if self._function is not None:
            self._function(*args)

    def __reduce__(self) -> tuple[type[InThisProcess], tuple[None]]:
        return InThisProcess, (None,)


def run_replicas(job: Job[T], world: int, values: int) -> T:
    """Run `job` in `world` processes, this one among them.

    Args:
        job: Called once in each.
        world: Number of processes; fewer where the shared memory has no room for all, as in many containers.
        values: How many numbers `Replica.average` is given at most.

    Returns:
        What `job` returned in this process.

    Raises:
        RuntimeError: another process ended early.
    """
    with _single_threaded():
        world = min(world, _places(values))
        if world == 1:
            return job(Replica(0, 1))
        context = mp.get_context("spawn")
        meeting: Tensor = torch.zeros(world, values).share_memory_()  # type: ignore[no-untyped-call]
        barrier = context.Barrier(world)
        others = [
            context.Process(target=_run, args=(job, Replica(rank, world, meeting, barrier)), daemon=True)
            for rank in range(1, world)
        ]
        for process in others:
            process.start()
        Thread(target=_abort_if_one_fails, args=(others, barrier), daemon=True).start()
        finished = False
        try:
            result = job(Replica(0, world, meeting, barrier))
            finished = True
        finally:
            if not finished:
                barrier.abort()
                for process in others:
                    process.terminate()  # it would see that after some steps; who cancelled waits
            for process in others:
                process.join()
        return result


def _places(values: int) -> int:
    """How many processes have room for so many values each in the shared memory, and at least one."""
    free = shutil.disk_usage(_SHARED_MEMORY).free
    places = max(1, free * 9 // 10 // (max(1, values) * torch.float32.itemsize))
    log.info("%s has %d MB free: room for %d processes", _SHARED_MEMORY, free >> 20, places)
    return places


def _run(job: Callable[[Replica], object], replica: Replica) -> None:
    """A process that is not the leader. It ends when the leader does, however that ended."""
    Thread(target=_end_with_parent, daemon=True).start()
    with _single_threaded():
        try:
            job(replica)
        except BaseException:
            if replica.barrier is not None:
                replica.barrier.abort()
            raise


def _abort_if_one_fails(processes: Sequence[BaseProcess], barrier: Barrier) -> None:
    """One that was killed, for want of memory say, cannot tell: nobody is to wait for it."""
    running = list(processes)
    while running:
        wait_for_any([process.sentinel for process in running])
        ended = [process for process in running if process.exitcode is not None]
        if any(process.exitcode for process in ended):
            barrier.abort()
            return
        running = [process for process in running if process not in ended]


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Within it torch computes on one core, and treats numbers near 0 as 0 (they cost a hundred times more)."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
