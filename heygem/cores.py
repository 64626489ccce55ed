"""Small pieces of work, spread over the processor's cores: a thread for each core. Knows nothing of what is done.

Torch would share out every single operation instead. For operations of a few microseconds that costs more than it
saves, and while ffmpeg wants the cores too each of them waits for the slowest core.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

import cv2
import torch

T = TypeVar("T")
R = TypeVar("R")

_CPU = torch.device("cpu")
_PIXELS_PER_THREAD = 2**20
_building = threading.Lock()


def each(
    work: Callable[[T], R], items: Iterable[T], device: torch.device = _CPU, *, pixels: int | None = None
) -> list[R]:
    """What `work` returns for each of `items`, in their order. It is done with all of them, even if it fails for one.

    Args:
        work: Called on several threads at once; may not call `each` itself.
        items: What it is called with.
        device: Where it computes. A GPU takes its orders one after the other, so they are given from here.
        pixels: Of the picture that a piece of work belongs to, where a piece is hundreds of operations. In a small
            picture these are so short that threads wait for Python's lock longer than they compute: two take .8 of the
            time of four at 720p, four take .6 of the time of two at 4K. None: a piece is few long operations.

    Raises:
        Exception: what `work` raised for the first item for which it raised anything.
    """
    if device.type != "cpu":
        return [work(item) for item in items]
    threads = torch.get_num_threads()
    if pixels is not None:
        threads = min(threads, max(2, pixels // _PIXELS_PER_THREAD))
    with _building:
        pool = _pool(threads)
    futures = [pool.submit(work, item) for item in items]
    wait(futures)
    return [future.result() for future in futures]


def _use_one_thread() -> None:
    """Let torch use one thread in the calling thread."""
    torch.set_num_threads(1)
    torch.get_num_threads()  # settles it: a thread that never asked takes over what any other sets later


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """So many threads, in each of which torch and OpenCV use one."""
    cv2.setNumThreads(1)
    cores = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, "cores", initializer=_use_one_thread)
    everyone = threading.Barrier(threads)
    wait([pool.submit(everyone.wait) for _ in range(threads)])
    # What a thread sets holds for itself and for threads that begin later; those are not meant.
    torch.set_num_threads(cores)
    return pool
