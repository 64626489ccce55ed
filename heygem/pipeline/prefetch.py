"""Read ahead on another thread. The only threading in the pipeline."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


def prefetch(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield `items` in order while a thread reads up to `depth` of them ahead.

    An exception in `items` is raised here, in place of the item that it prevented. Closing this generator, or an
    exception at its consumer, stops the thread and closes `items`: neither side can wait for the other for ever.
    """
    ahead: queue.Queue[_Read[T]] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    # In the consumer's context, so that what is logged while reading is known to belong to its job.
    reader = copy_context()
    thread = threading.Thread(target=reader.run, args=(_read, items, ahead, stop), name="prefetch", daemon=True)
    thread.start()
    try:
        while not (read := ahead.get()).is_end:
            yield read.items[0]
        if read.error is not None:
            try:
                raise read.error
            finally:
                del read  # or the error and this frame, in its traceback, hold each other and all that they came from
    finally:
        stop.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """One item, or none at the end, with the error that ended it."""

    items: tuple[T, ...] = ()
    error: BaseException | None = None

    @property
    def is_end(self) -> bool:
        return not self.items


def _read(items: Iterable[T], ahead: queue.Queue[_Read[T]], stop: threading.Event) -> None:
    source = iter(items)
    try:
        for item in source:
            if not _put(ahead, _Read((item,)), stop):
                return
        _put(ahead, _Read(), stop)
    except BaseException as error:  # noqa: BLE001 - raised again on the consumer's thread
        _put(ahead, _Read(error=error), stop)
    finally:
        if isinstance(source, Generator):
            source.close()


def _put(ahead: queue.Queue[_Read[T]], read: _Read[T], stop: threading.Event) -> bool:
    """Wait for room; False if the consumer left meanwhile."""
    while not stop.is_set():
        try:
            ahead.put(read, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
