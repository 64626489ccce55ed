"""Networks in OpenVINO's form, kept on disk. An entry is whole or absent; several processes may share a folder.

Knows files and their hashes; knows nothing of networks.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

log = logging.getLogger(__name__)

_SUMS = "sums.json"
_UNFINISHED = ".part"
_ABANDONED_AFTER_S = 3600.0
"""Age at which what was never finished belongs to a process that died."""
_DAMAGED = (OSError, ValueError, AttributeError)


class ConvertedNetworks:
    """Folders of files by key; the least recently used go first.

    Args:
        folder: Made when it is first needed.
        max_bytes: Size that the entries are held under; the newest stays even if it alone is larger.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def get(self, key: str) -> Path | None:
        """The folder of an entry, each of its files as it was written; None if there is none, or it got damaged."""
        entry = self._folder / key
        if not entry.is_dir():
            return None
        try:
            sums = json.loads((entry / _SUMS).read_text(encoding="utf-8"))
            broken = [name for name, digest in sums.items() if _sha256(entry / name) != digest]
        except _DAMAGED as error:
            broken = [repr(error)]
        if broken:
            log.warning(
                "转换后的模型已损坏，将重新转换 / a converted network is damaged: %s %s", entry, ", ".join(broken)
            )
            shutil.rmtree(entry, ignore_errors=True)
            return None
        try:
            os.utime(entry)
        except OSError as error:  # it is not ours, say: it is the next to go, no more
            log.debug("cannot mark %s as used: %s", entry, error)
        return entry

    def put(self, key: str, write: Callable[[Path], None]) -> Path | None:
        """Keep what `write` writes into the folder that it is given; None and a warning if the disk refuses."""
        entry, unfinished = self._folder / key, self._folder / f"{uuid4().hex}{_UNFINISHED}"
        try:
            unfinished.mkdir(parents=True)
            write(unfinished)
            sums = {path.name: _sha256(path) for path in sorted(unfinished.iterdir())}
            (unfinished / _SUMS).write_text(json.dumps(sums), encoding="utf-8")
            if not entry.is_dir():  # else another process was faster
                unfinished.rename(entry)
            self._prune(entry)
        except (OSError, RuntimeError) as error:  # OpenVINO says RuntimeError of a disk that is full
            log.warning("无法保存转换后的模型 / cannot keep a converted network in %s: %s", self._folder, error)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return entry if entry.is_dir() else None

    def _prune(self, newest: Path) -> None:
        total, entries = _bytes_in(newest), []
        for path in self._folder.iterdir():
            age_s = time.time() - path.stat().st_mtime
            if path.suffix == _UNFINISHED:
                if age_s > _ABANDONED_AFTER_S:
                    shutil.rmtree(path, ignore_errors=True)
            elif path != newest and path.is_dir():
                entries.append((age_s, path))
        for _, path in sorted(entries):
            total += _bytes_in(path)
            if total > self._max_bytes:
                shutil.rmtree(path, ignore_errors=True)


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
