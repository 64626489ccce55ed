"""sha256 of files, remembered while the file does not change: 0.25 s per 350 MB is too much for every job.

What is remembered lies in ``.verified.json`` beside the checkpoints and in this process's memory. It spares time; it
is no protection against somebody who may write to that folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import threading
import time
from pathlib import Path

log = logging.getLogger(__name__)

SIDECAR = ".verified.json"

_SETTLED_NS = 1_000_000_000
"""A file that was written less than this ago is hashed again next time: a later change could bear the same time."""

_memory: dict[str, tuple[str, str]] = {}
_guard = threading.Lock()


def sha256_of(file: Path, models_dir: Path, *, is_read: bool = False) -> str:
    """Hash of the whole file: 64 hexadecimal digits.

    Args:
        file: What to hash.
        models_dir: Folder whose sidecar remembers it.
        is_read: The file is read whatever is remembered: a disk can lose what it holds, and nothing about the file
            changes.

    Raises:
        OSError: the file cannot be read.
    """
    name = str(file.resolve())
    stamp = _stamp(file)
    with _guard:
        known = _memory.get(name) or _read_sidecar(models_dir).get(name)
    if known is not None and known[0] == stamp and not is_read:
        return known[1]
    started_ns = time.time_ns()
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if started_ns - file.stat().st_mtime_ns > _SETTLED_NS and _stamp(file) == stamp:
        with _guard:
            _memory[name] = (stamp, digest)
            _write_sidecar(models_dir, name, (stamp, digest))
    return digest


def _stamp(file: Path) -> str:
    """Changes whenever the content does, unless somebody takes pains that it should not."""
    status = file.stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_dev}:{status.st_ino}"


def _read_sidecar(models_dir: Path) -> dict[str, tuple[str, str]]:
    path = models_dir / SIDECAR
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): (str(stamp), str(digest)) for name, (stamp, digest) in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("%s is unreadable and will be written anew: %s", path, error)
        return {}


def _write_sidecar(models_dir: Path, name: str, entry: tuple[str, str]) -> None:
    entries = {known: value for known, value in _read_sidecar(models_dir).items() if Path(known).exists()}
    entries[name] = entry
    try:
        handle, temporary = tempfile.mkstemp(dir=models_dir, prefix=SIDECAR)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(entries, stream, ensure_ascii=False, indent=1)
            Path(temporary).replace(models_dir / SIDECAR)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        # A folder that is read-only is a fair choice, and a disk can be full: this process alone remembers the hash.
        log.info("cannot remember hashes in %s: %s", models_dir, error)
