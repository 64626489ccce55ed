"""Free space for results: whether jobs have to wait for it, what to say when it ran out. Knows nothing of queues."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from heygem.disk import disk_full, is_full
from heygem.errors import Text

log = logging.getLogger(__name__)

_LOW_TIMES = 5
"""How many times the space that jobs need before people are warned."""


class DiskState(StrEnum):
    """How much room there is."""

    OK = "ok"
    LOW = "low"
    FULL = "full"


class DiskGuard:
    """Asked before each job whether it has to wait. Tells the log of each change.

    Args:
        folder: Anywhere on the disk of the results; exists.
        min_free_bytes: Free space under which jobs wait.
        free_bytes: How much is free on the disk of a folder; raises OSError.
    """

    def __init__(
        self,
        folder: Path,
        min_free_bytes: int,
        *,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._free_bytes = free_bytes
        self._guard = threading.Lock()
        self._state = DiskState.OK

    def free_bytes(self) -> int:
        """Free space now.

        Raises:
            OSError: the disk is gone.
        """
        return self._free_bytes(self._folder)

    def reason_to_wait(self) -> Text | None:
        """Why no job may begin now, one sentence; None if one may."""
        try:
            free = self.free_bytes()
        except OSError as error:
            self._note(DiskState.FULL, f"the disk of the results cannot be read: {error.strerror}")
            return Text(
                f"无法读取结果所在的磁盘：{error.strerror}，任务等待中。",
                f"The disk of the results cannot be read: {error.strerror}. Jobs wait.",
            )
        here, wanted = free // 1_000_000, self._min_free_bytes // 1_000_000
        if free < self._min_free_bytes:
            self._note(DiskState.FULL, f"{here} MB are free for results and {wanted} MB are needed: jobs wait")
            # Without the number, which changes all the time: whoever is told the same again need not repeat it.
            return Text(
                f"磁盘剩余空间少于 {wanted} MB，任务等待中。",
                f"Less than {wanted} MB of disk are free. Jobs wait.",
            )
        state = DiskState.LOW if free < _LOW_TIMES * self._min_free_bytes else DiskState.OK
        self._note(state, f"{here} MB are free for results")
        return None

    def _note(self, state: DiskState, words: str) -> None:
        with self._guard:
            before, self._state = self._state, state
        if state is not before:
            log.log(logging.INFO if state is DiskState.OK else logging.WARNING, "disk %s: %s", state, words)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Make a full disk a cause that users understand, whatever was being written.

    Raises:
        EncodeError: with code disk_full, the disk or the user's share of it is full.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise disk_full(Path(str(error.filename)) if error.filename else None) from error
