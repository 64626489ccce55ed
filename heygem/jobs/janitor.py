"""Deletes what nobody needs any more: old results where that is wanted, and what crashes and aborted uploads left.

It never touches a job that waits or runs, nor anything in the folder of the outputs that it does not know.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from heygem.errors import QueueError
from heygem.jobs.job import Job, JobStatus
from heygem.jobs.job_folder import RESULT, drop_folder
from heygem.jobs.job_history import HistoryQuery
from heygem.jobs.store import JobStore
from heygem.settings import Settings

log = logging.getLogger(__name__)

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
_ABANDONED_AFTER_S = _HOUR_S
"""Age at which a file that was never finished belongs to a process that died."""
_UPLOAD_KEPT_S = _DAY_S
"""Age at which no open page is expected to submit an upload any more."""
_JOB_FOLDER = re.compile(r"[0-9a-f]{12}")
_ENDED = HistoryQuery(states=tuple(status for status in JobStatus if status.is_final))
_ALL = 2**31


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was deleted, or would be."""

    path: Path
    size: int
    """In bytes."""
    why: str


class Janitor:
    """Sweeps once, or every hour.

    Args:
        store: Where the jobs are.
        settings: Which folders, and how long results stay.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: JobStore, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._outputs = settings.outputs_dir
        self._uploads = settings.cache_dir / "uploads"
        self._keep_s = settings.keep_days * _DAY_S
        self._keep_bytes = settings.keep_gb * 1e9
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Sweep now and every hour, on a thread of its own."""
        self._thread = threading.Thread(target=self._sweep_for_ever, name="janitor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sweep no more; what is being deleted is given a second."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def sweep(self, *, dry_run: bool = False) -> list[Removal]:
        """Delete what is due, or with `dry_run` only tell it.

        What cannot be deleted is told in the log and left.

        Raises:
            QueueError: the jobs cannot be read; nothing was deleted.
        """
        removals = []
        for removal, delete in self._due():
            if self._stop.is_set():
                break
            if not dry_run:
                if not delete():
                    continue
                log.info("deleted %s (%.1f MB): %s", removal.path.name, removal.size / 1e6, removal.why)
            removals.append(removal)
        if not dry_run:
            _remove_empty_folders(self._uploads)
        return removals

    def _due(self) -> Iterator[tuple[Removal, Callable[[], bool]]]:
        """What is to go, each with what deletes it."""
        for job, why in self._due_jobs():
            folder = self._outputs / job.id
            yield Removal(folder, size_of(folder), why), partial(self._delete_job, job.id)
        for path, why in [*self._leftovers(), *self._old_uploads()]:
            yield Removal(path, size_of(path), why), partial(_delete, path)

    def _due_jobs(self) -> Iterator[tuple[Job, str]]:
        """Ended jobs whose results are too old or too much, the oldest first."""
        if not self._keep_s and not self._keep_bytes:
            return
        jobs = sorted(self._store.history(_ENDED, limit=_ALL).jobs, key=lambda job: job.ended_s or 0.0)
        sizes = [size_of(self._outputs / job.id) for job in jobs]
        total = sum(sizes)
        for job, size in zip(jobs, sizes, strict=True):
            age_s = self._clock() - (job.ended_s or 0.0)
            if self._keep_s and age_s > self._keep_s:
                yield job, f"older than {self._keep_s / _DAY_S:g} days"
            elif self._keep_bytes and total > self._keep_bytes:
                yield job, f"results exceed {self._keep_bytes / 1e9:g} GB"
            else:
                continue
            total -= size

    def _leftovers(self) -> Iterator[tuple[Path, str]]:
        """What processes that died left in the folder of the outputs."""
        # Listed before the states are read: a job that comes in between has a state and no folder here.
        entries = sorted(self._outputs.iterdir()) if self._outputs.is_dir() else []
        states = self._store.states()
        for entry in entries:
            if entry.is_symlink() or not self._is_abandoned(entry):
                continue
            if not entry.is_dir():
                if entry.suffix == ".part":
                    yield entry, "never finished"
            elif _JOB_FOLDER.fullmatch(entry.name):
                yield from self._leftovers_of(entry, states.get(entry.name))

    def _leftovers_of(self, folder: Path, state: JobStatus | None) -> Iterator[tuple[Path, str]]:
        if state is None and not (folder / RESULT).exists():
            yield folder, "folder without a job"
        elif state is None:
            log.warning("%s holds a result that belongs to no job; it is left", folder.name)
        elif state.is_final:
            unfinished = (path for path in _below(folder) if ".part" in path.name and path.is_file())
            yield from ((path, "never finished") for path in sorted(unfinished))
            if state is not JobStatus.INTERRUPTED:  # that one goes on with its segments, should its user want it
                yield from ((path, "segments of an ended job") for path in sorted(folder.glob("*.segments")))

    def _old_uploads(self) -> Iterator[tuple[Path, str]]:
        for path in sorted(_below(self._uploads)):
            if path.is_dir():
                continue
            # A file gets a folder of its own when it has arrived.
            has_arrived = path.parent != self._uploads
            limit_s = _UPLOAD_KEPT_S if has_arrived else _ABANDONED_AFTER_S
            if self._age_s(path) > limit_s:
                yield path, "old upload" if has_arrived else "aborted upload"

    def _is_abandoned(self, path: Path) -> bool:
        """Nothing in it has changed for an hour."""
        return min(self._age_s(one) for one in [path, *_below(path)]) > _ABANDONED_AFTER_S

    def _age_s(self, path: Path) -> float:
        # Not mtime, which a copy may inherit from its original.
        try:
            return self._clock() - path.lstat().st_ctime
        except FileNotFoundError:  # somebody just deleted it, so somebody is at work there
            return 0.0

    def _delete_job(self, job_id: str) -> bool:
        try:
            self._store.delete(job_id, lambda: drop_folder(self._outputs / job_id))
        except QueueError as error:  # its user deleted it meanwhile, or has it run again, or the disk refuses
            log.warning("job %s is left: %s", job_id, error)
            return False
        return True

    def _sweep_for_ever(self) -> None:
        while True:
            try:
                self.sweep()
            except (QueueError, OSError):
                log.exception("could not sweep; again in an hour")
            if self._stop.wait(_HOUR_S):
                return


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 if there is none."""
    return sum(_bytes(one) for one in [path, *_below(path)])


def _below(folder: Path) -> Iterator[Path]:
    """All that is in a folder. Jobs go on meanwhile: a folder in it that vanishes has nothing in it."""
    for inside, folders, files in os.walk(folder):
        yield from (Path(inside, name) for name in (*folders, *files))


def _bytes(path: Path) -> int:
    try:
        return 0 if path.is_dir() else path.lstat().st_size
    except FileNotFoundError:
        return 0


def _delete(path: Path) -> bool:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("could not delete %s: %s", path, error)
        return False
    return True


def _remove_empty_folders(folder: Path) -> None:
    folders = [path for path in _below(folder) if path.is_dir()]
    for path in sorted(folders, reverse=True):
        try:
            path.rmdir()
        except OSError:  # not empty
            continue
