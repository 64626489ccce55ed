"""Downloads that are asked for by name, one at a time on a thread of its own, and how they go. Knows no page."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from heygem.errors import DownloadError, HeyGemError, Text
from heygem.weights.download import Watcher, download
from heygem.weights.manifest import CHECKPOINTS, Checkpoint

log = logging.getLogger(__name__)

Fetch: TypeAlias = "Callable[[Checkpoint, Path, Watcher], object]"

_RATE_S = 5.0
"""Seconds that the rate is taken over."""


@dataclass(frozen=True, slots=True)
class Download:
    """One file on its way, at one moment."""

    is_begun: bool = False
    """False while it waits for another one."""
    is_ending: bool = False
    """It was cancelled, and the server has not let go yet."""
    done: int = 0
    """Bytes that are there, with those of an earlier try; all of them while the file is being verified."""
    rate: float | None = None
    """Bytes per second of late; None until that can be told."""
    error: HeyGemError | None = None
    """Why it ended without the file. What came so far is kept, and it may be asked for again."""

    @property
    def is_active(self) -> bool:
        """It waits or is on its way."""
        return self.error is None


class DownloadDesk:
    """Fetches checkpoints into a folder, verified. May be used from any thread; all methods return at once.

    Args:
        models_dir: Where to.
        fetch: Fetches one and verifies it.
        clock: Seconds from any fixed moment.
    """

    def __init__(self, models_dir: Path, fetch: Fetch = download, clock: Callable[[], float] = time.monotonic) -> None:
        self._models_dir = models_dir
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque()
        self._downloads: dict[str, Download] = {}
        self._thread: threading.Thread | None = None

    def begin(self, names: Iterable[str]) -> None:
        """Fetch these checkpoints after those that were asked for before; one that is under way is left alone."""
        with self._lock:
            for name in names:
                before = self._downloads.get(name)
                if name in CHECKPOINTS and (before is None or not before.is_active):
                    self._downloads[name] = Download()
                    self._waiting.append(name)
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="download", daemon=True)
                self._thread.start()

    def cancel(self, name: str) -> None:
        """Stop fetching a checkpoint. What came so far is kept."""
        with self._lock:
            found = self._downloads.get(name)
            if found is None:
                return
            if found.is_begun and found.is_active:
                self._downloads[name] = replace(found, is_ending=True)
            else:
                del self._downloads[name]
                if name in self._waiting:
                    self._waiting.remove(name)

    def downloads(self) -> dict[str, Download]:
        """Those that wait, are under way, or failed, by name; not those that were done."""
        with self._lock:
            return dict(self._downloads)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                name = self._waiting.popleft()
                self._downloads[name] = Download(is_begun=True)
            error = self._outcome(name)
            with self._lock:
                if error is None or self._downloads[name].is_ending:  # whose failure nobody waits for
                    del self._downloads[name]
                else:
                    self._downloads[name] = Download(error=error)

    def _outcome(self, name: str) -> HeyGemError | None:
        """Fetch it: None if it is there, or nobody wants it any more."""
        checkpoint = CHECKPOINTS[name]
        try:
            meter = _Meter(self._clock, lambda done, rate: self._note(name, done, rate))
            self._fetch(checkpoint, self._models_dir, meter.watch)
        except _CancelledError:
            log.info("%s: the download was cancelled", checkpoint.filename)
        except HeyGemError as error:
            log.warning("%s %s", error, error.hint)
            return error
        except Exception:  # whatever it was, the next file is to be fetched, and the user is to know
            log.exception("%s could not be fetched", checkpoint.filename)
            return DownloadError(
                Text(
                    f"无法下载 {checkpoint.filename}，详情见运行日志。",
                    f"{checkpoint.filename} could not be fetched; the run log has the details.",
                )
            )
        else:
            log.info("%s is here and verified", checkpoint.filename)
        return None

    def _note(self, name: str, done: int, rate: float | None) -> None:
        """Raises `_CancelledError` if nobody wants the file any more."""
        with self._lock:
            found = self._downloads[name]
            if found.is_ending:
                raise _CancelledError
            self._downloads[name] = replace(found, done=done, rate=rate)


class _CancelledError(Exception):
    """The user does not want the file any more."""


class _Meter:
    """Watches one download, and tells how far it is and how fast it goes."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[int, float | None], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._seen: deque[tuple[float, int]] = deque()

    def watch(self, done: int, total: int) -> None:
        """Called as bytes come."""
        now = self._clock()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # it was begun anew
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _RATE_S:
            self._seen.popleft()
        then, done_then = self._seen[0]
        self._tell(done, (done - done_then) / (now - then) if now > then else None)
