"""A log file of bounded size under one fixed name, which ``tail -f`` can follow. Knows nothing of what is logged.

When the file has grown to its limit it is copied to ``NAME.1``, the older parts move on by one, and the file is emptied
in place. A file that is renamed instead would leave its followers behind: ``tail -f`` holds on to the file, not to the
name.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from pathlib import Path

from heygem.jobs.file_lock import lock

_CLOSED = -1


class LogFile(logging.Handler):
    """Appends records to a file, each in one write, and bounds the file's size.

    There is one writer: a line of another process could get lost between copying and emptying.

    Args:
        path: The file; its folder exists, and what the file holds already stays.
        max_bytes: Size at which it is copied away and emptied.
        keep: Older parts that stay.
        follow_s: How long to wait, once before the file is emptied and once after, for those who follow it: whoever has
            not read the end by then misses it, and whoever has not looked since would not notice that the file began
            anew. ``tail -f`` looks once a second where the file system does not notify it.

    Raises:
        OSError: the file cannot be written, or another process writes it.
    """

    def __init__(self, path: Path, *, max_bytes: int, keep: int, follow_s: float = 1.2) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._follow_s = follow_s
        # O_APPEND: after the file was emptied, the next line goes to its new end, not to the old one.
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not lock(self._descriptor):
                raise OSError(errno.EWOULDBLOCK, "another process writes it", str(path))
            self._size = os.fstat(self._descriptor).st_size
        except BaseException:
            os.close(self._descriptor)
            raise
        self._limit = max_bytes

    def emit(self, record: logging.LogRecord) -> None:
        """Append one record. A failure to write is told on stderr and goes no further."""
        try:
            line = memoryview((self.format(record) + "\n").encode("utf-8", "backslashreplace"))
            if self._size and self._size + len(line) > self._limit:
                self._rotate(record)
            while line:
                written = os.write(self._descriptor, line)
                self._size += written
                line = line[written:]
        except Exception:  # noqa: BLE001 - to log must not end what is logged; the base class tells stderr
            self.handleError(record)

    def close(self) -> None:
        """Close the file and let another process write it."""
        self.acquire()
        try:
            if self._descriptor != _CLOSED:
                os.close(self._descriptor)
                self._descriptor = _CLOSED
        finally:
            self.release()
        super().close()

    def _rotate(self, record: logging.LogRecord) -> None:
        try:
            self._copy_away()
        except OSError:  # a full disk, most likely
            self.handleError(record)
            # Nothing is emptied that was not copied. The next try comes a tenth later.
            self._limit = self._size + self._max_bytes // 10
            return
        time.sleep(self._follow_s)
        os.ftruncate(self._descriptor, 0)
        time.sleep(self._follow_s)
        self._size = 0
        self._limit = self._max_bytes

    def _copy_away(self) -> None:
        """Copy the file to ``NAME.1``; whole, whenever the process may die."""
        if self._keep == 0:
            return
        unfinished = self._part(0)
        try:
            shutil.copyfile(self._path, unfinished)
            for number in range(self._keep - 1, 0, -1):
                if self._part(number).exists():
                    self._part(number).replace(self._part(number + 1))
            unfinished.replace(self._part(1))
        finally:
            unfinished.unlink(missing_ok=True)

    def _part(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number or 'part'}")
