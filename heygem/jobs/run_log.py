"""The run log: one file, one line per event, each with time, level and job. Knows nothing of what is logged.

A line is ``YYYY-MM-DD HH:MM:SS LEVEL [job id or -] message``. Text of users cannot forge one: line breaks inside a
message are replaced, and every line of a traceback is indented. Nor can it command the terminal that shows the log:
control characters are written out, as in ``\\x1b``.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from unicodedata import category

from heygem.jobs.log_file import LogFile

LOGGED = ("heygem", "uvicorn.error")
"""Logger trees that go to the run log: ours, and the server's own failures."""

_job_id: ContextVar[str] = ContextVar("job_id", default="-")


@contextmanager
def logged_as(job_id: str) -> Iterator[None]:
    """Lines logged inside belong to this job; those of threads started inside only if they run in a copied context."""
    token = _job_id.set(job_id)
    try:
        yield
    finally:
        _job_id.reset(token)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the run log, without its traceback."""

    number: int
    """Counted from 1 since the start of the process."""
    time_s: float
    """Seconds since the epoch."""
    level: str
    job_id: str
    message: str


class RunLog:
    """The open run log and its last lines."""

    def __init__(self, path: Path, handlers: list[logging.Handler], tail: _Tail) -> None:
        self.path = path
        self._handlers = handlers
        self._tail = tail

    def tail(self) -> list[LogLine]:
        """The last lines, oldest first."""
        return list(self._tail.lines)

    def close(self) -> None:
        """Stop logging here and close the file."""
        for name in LOGGED:
            for handler in self._handlers:
                logging.getLogger(name).removeHandler(handler)
        for handler in self._handlers:
            handler.close()


def open_run_log(path: Path, *, keep: int = 300, max_bytes: int = 10_000_000, keep_files: int = 5) -> RunLog:
    """Send what is logged to a file, to stderr and to memory.

    Args:
        path: The file; its folder is made, and an existing file is appended to.
        keep: Lines that stay in memory.
        max_bytes: Size at which the file is copied away and emptied.
        keep_files: Older parts that stay beside it.

    Raises:
        OSError: the file cannot be written, or another process writes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tail = _Tail(keep)
    handlers: list[logging.Handler] = [
        LogFile(path, max_bytes=max_bytes, keep=keep_files),
        logging.StreamHandler(sys.stderr),
        tail,
    ]
    for handler in handlers:
        handler.setFormatter(_OneLine())
    for name in LOGGED:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        for handler in handlers:
            logger.addHandler(handler)
    # The server tells of each start and stop at this level; only what goes wrong is wanted.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return RunLog(path, handlers, tail)


class _OneLine(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s [%(job_id)s] %(message)s", "%Y-%m-%d %H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - name given by the base class
        record.job_id = _job_id.get()
        record.message = _without_breaks(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - name given by the base class
        lines = super().formatException(ei).splitlines()  # type: ignore[arg-type]
        return "\n".join(f"    {_without_controls(line)}" for line in lines)


class _Tail(logging.Handler):
    def __init__(self, keep: int) -> None:
        super().__init__()
        self.lines: deque[LogLine] = deque(maxlen=keep)
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self._count += 1
        message = _without_breaks(record.getMessage())
        self.lines.append(LogLine(self._count, record.created, record.levelname, _job_id.get(), message))


def _without_breaks(text: str) -> str:
    """`text` on one line, whatever counts as a line break to a reader of the file."""
    return _without_controls(" ".join(text.splitlines()))


def _without_controls(line: str) -> str:
    return "".join(f"\\x{ord(letter):02x}" if category(letter) == "Cc" else letter for letter in line)
