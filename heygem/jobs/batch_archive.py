"""The results of a batch as one ZIP, made while it is sent: nothing is written to the disk. Knows no HTTP."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, BinaryIO, cast
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from heygem.errors import Text
from heygem.jobs.job import Job, JobStatus

LIST_NAME = "results.txt"
"""The file in the archive that says what became of each clip."""

_CHUNK_BYTES = 1 << 20
_STEM_BYTES = 200
"""Most file systems take names of 255 bytes; the rest is for a number and the suffix."""
_DEVICE_OF_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)

_OUTCOME = {
    JobStatus.QUEUED: Text("尚未开始", "waits"),
    JobStatus.RUNNING: Text("正在生成", "runs"),
    JobStatus.DONE: Text("结果已被删除", "its result is gone"),
    JobStatus.CANCELLED: Text("已取消", "cancelled"),
}


def stream_archive(jobs: Sequence[Job]) -> Iterator[bytes]:
    """A ZIP of the results that are there now, and a list of what became of each clip.

    Videos do not shrink any more, so they are stored as they are. A result that is deleted after the first piece was
    asked for is still sent whole.

    Args:
        jobs: Of a batch, in order.

    Yields:
        Pieces of about 1 MiB at the most.

    Raises:
        OSError: a result cannot be read; what was sent is no whole archive.
    """
    with ExitStack() as opened:
        results = [(name, job, _open(job, opened)) for name, job in zip(archive_names(jobs), jobs, strict=True)]
        sink = _Sink()
        with ZipFile(cast(IO[bytes], sink), "w", ZIP_STORED) as archive:
            for name, job, video in results:
                if video is None:
                    continue
                entry = _entry(name, job.ended_s)
                entry.file_size = os.fstat(video.fileno()).st_size  # tells zipfile whether it is above 4 GB
                with archive.open(entry, "w") as target:
                    while chunk := video.read(_CHUNK_BYTES):
                        target.write(chunk)
                        yield sink.take()
            lines = (f"{name}  {'✓' if video else _outcome(job)}\r\n" for name, job, video in results)
            archive.writestr(_entry(LIST_NAME, time.time()), "".join(lines))
        yield sink.take()


def archive_names(jobs: Sequence[Job]) -> list[str]:
    """What the results of `jobs` are called: as their clips, with numbers where two would be one file.

    A clip keeps its name in a later archive of the same jobs, whichever of them are done by then.
    """
    taken: set[str] = set()
    names = []
    for job in jobs:
        stem = _stem(job.request.video_name)
        name, number = f"{stem}.mp4", 2
        while _folded(name) in taken:
            name, number = f"{stem} ({number}).mp4", number + 1
        taken.add(_folded(name))
        names.append(name)
    return names


class _Sink:
    """Takes what zipfile writes. It cannot seek, by which zipfile knows that nothing can be mended afterwards."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing: what was written is taken soon."""

    def take(self) -> bytes:
        """What was written since it was last asked."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _open(job: Job, opened: ExitStack) -> BinaryIO | None:
    """The result of a job, if it has one that is there."""
    if job.result is None:
        return None
    try:
        return opened.enter_context(job.result.output.open("rb"))
    except FileNotFoundError:
        return None


def _entry(name: str, time_s: float | None) -> ZipInfo:
    entry = ZipInfo(name, time.localtime(time_s)[:6])
    entry.compress_type = ZIP_STORED
    entry.external_attr = 0o644 << 16  # readable when unpacked
    return entry


def _outcome(job: Job) -> str:
    if job.error is not None:
        return f"{job.error.text} {job.error.hint}".strip()
    return str(_OUTCOME[job.status])


def _stem(clip_name: str) -> str:
    """The name of a clip without its suffix, so that every system can write a file of that name."""
    name = Path(clip_name.replace("\\", "/")).name
    stem = re.sub(r'[<>:"/|?*\x00-\x1f\x7f]', "_", Path(name).stem)
    stem = stem.encode("utf-8")[:_STEM_BYTES].decode("utf-8", "ignore").strip().rstrip(".")
    return f"_{stem}" if not stem or _DEVICE_OF_WINDOWS.fullmatch(stem.partition(".")[0]) else stem


def _folded(name: str) -> str:
    """Equal for names that are one file on a system that does not tell large from small letters."""
    return unicodedata.normalize("NFC", name).casefold()
