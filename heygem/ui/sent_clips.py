"""Which upload became which job, so that a result can be shown beside its clip. In memory only: uploads go in a day.

Knows ids and paths; knows nothing of queues or pages.
"""

from __future__ import annotations

import threading
from pathlib import Path

_REMEMBERED = 200


class SentClips:
    """The uploads of the last jobs, for every page and after a refresh, too. May be used from any thread."""

    def __init__(self) -> None:
        self._clips: dict[str, Path] = {}
        self._lock = threading.Lock()

    def note(self, job_id: str, clip: Path) -> None:
        """`clip` became the job; what was noted long ago is forgotten."""
        with self._lock:
            self._clips[job_id] = clip
            while len(self._clips) > _REMEMBERED:
                del self._clips[next(iter(self._clips))]

    def clip_of(self, job_id: str) -> Path | None:
        """The upload, while it is there; None if it is gone or was never noted here."""
        with self._lock:
            clip = self._clips.get(job_id)
        return clip if clip is not None and clip.is_file() else None
