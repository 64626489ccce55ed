"""Detections kept on disk, so that a clip that comes again is not searched again.

An entry is found by the content of the video, never by its name. Knows nothing of how faces are found. Several
processes may share a folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

from heygem.faces.detections import Detections

log = logging.getLogger(__name__)

_VERSION = 2
"""Raise it when detections of the same clip by the same detector come to mean something else."""
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # zipfile's word for a part that says it is encrypted; NotImplementedError: or of an unknown method
    AttributeError,  # numpy hands out a part that is no array as bytes
)
"""What `Detections.load` raises of a damaged file."""
_ABANDONED_AFTER_S = 3600.0
"""Age at which a file that was never finished belongs to a process that died."""

_HASHES_KEPT = 1000
"""Files whose hashes stay in memory: a server sees new ones for ever."""

_FileState = tuple[int, int, int, int]


class DetectionCache:
    """Detections by content of video, detector and frame rate; the least recently used go first.

    A cache may fail: then it says so in the log, and the clip is searched again.

    Args:
        folder: Made when it is first needed.
        max_bytes: Size that the entries are held under.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._hashes: dict[_FileState, str] = {}
        self._lock = threading.Lock()

    def get(self, video: Path, detector: str, fps: Fraction) -> Detections | None:
        """What was put for a file of this content; None if nothing was, or it got damaged.

        Raises:
            OSError: `video` cannot be read.
        """
        entry = self._entry(video, detector, fps)
        try:
            detections = Detections.load(entry)
        except FileNotFoundError:
            return None
        except _DAMAGED as error:
            log.warning("Removed a damaged entry of the face cache, %s: %r", entry.name, error)
            _remove(entry)
            return None
        try:
            os.utime(entry)
        except OSError as error:  # it was removed meanwhile, or is not ours: it is the next to go, no more
            log.debug("Could not mark %s as used: %s", entry.name, error)
        return detections

    def put(self, video: Path, detector: str, fps: Fraction, detections: Detections) -> None:
        """Keep what was found in this file; another process sees all of it or nothing.

        Raises:
            OSError: `video` cannot be read.
        """
        entry = self._entry(video, detector, fps)
        unfinished = entry.with_name(f"{entry.stem}.{uuid4().hex}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            detections.save(unfinished)
            unfinished.replace(entry)
            self._prune()
        except OSError as error:  # a full disk, say: the job has its detections and goes on
            log.warning("Could not keep detections in %s: %s", self._folder, error)
            _remove(unfinished)

    def _entry(self, video: Path, detector: str, fps: Fraction) -> Path:
        key = "\n".join([str(_VERSION), self._content_hash(video), detector, str(fps)])
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.npz"

    def _content_hash(self, video: Path) -> str:
        """sha256 of the file, read once for each state in which the file is seen, whatever it is called."""
        stat = video.stat()
        state = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        with self._lock:
            known = self._hashes.get(state)
        if known is None:
            with video.open("rb") as file:
                known = hashlib.file_digest(file, "sha256").hexdigest()
            with self._lock:
                self._hashes[state] = known
                while len(self._hashes) > _HASHES_KEPT:
                    del self._hashes[next(iter(self._hashes))]
        return known

    def _prune(self) -> None:
        """Remove the least recently used entries until the rest fits, and what dead processes left unfinished."""
        entries = []
        for path in self._folder.iterdir():
            try:
                stat = path.stat()
            except FileNotFoundError:  # another process was faster
                continue
            if path.suffix == ".npz":
                entries.append((stat.st_mtime_ns, stat.st_size, path))
            elif path.suffix == ".part" and time.time() - stat.st_mtime > _ABANDONED_AFTER_S:
                _remove(path)
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._max_bytes:
                break
            _remove(path)
            total -= size


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("Could not remove %s: %s", path, error)
