"""A long result in segments that are finished one by one, so that a job that was cut short goes on where it was.

Knows files and their journal; knows nothing of how a frame is drawn.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from heygem import __version__
from heygem.disk import cannot_write, companion, flush
from heygem.errors import DeviceLostError, JobRequeued, ShareDrawn
from heygem.media.ffmpeg_binary import ffmpeg_banner
from heygem.media.joined_video import join_parts
from heygem.media.picture_sums import PictureSums
from heygem.pipeline.drawing import Drawing
from heygem.pipeline.progress import Progress, Stage
from heygem.pipeline.shares import JOURNAL, WHOLE, Share

log = logging.getLogger(__name__)

_VERSION = 2
"""Raise it when the same facts come to mean other frames."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames of the result that are in a file of their own."""

    number: int
    frames: range


def split(count: int, length: int) -> list[Segment]:
    """Segments of `length` frames; the last one takes the rest, too.

    A short segment of its own for the rest could have fewer frames than an encoder delays, and times of its own.
    """
    starts = [*range(0, max(1, count - length + 1), length), count]
    return [Segment(number, range(start, stop)) for number, (start, stop) in enumerate(pairwise(starts))]


def draw_in_segments(
    drawing: Drawing,
    output: Path,
    metadata: Mapping[str, str],
    progress: Progress,
    *,
    segment_s: Fraction,
    share: Share = WHOLE,
) -> None:
    """Write `output` by way of segments; those that an earlier run of the same job finished are not drawn again.

    Args:
        drawing: The result.
        output: The video to make.
        metadata: What its container says of it, by key.
        progress: Somebody who watches.
        segment_s: Seconds of the result in a segment.
        share: Which segments to draw; they are joined if these are all.

    Raises:
        HeyGemError: as for `Drawing.draw`; nothing is left of the result or its segments.
        ShareDrawn: the share's segments are there.
        JobUnwound: from `progress`; segments stay if the job will run again.
    """
    length = drawing.frames_in(segment_s)
    segments = split(drawing.count, length)
    with segments_folder(output) as folder:
        journal = SegmentJournal(folder, made_from(drawing, length))
        missing = [segment for segment in share.among(segments) if segment.number not in journal.finished]
        if journal.finished:
            log.info("going on: %d of %d segments are there", len(journal.finished), len(segments))
        for run in _in_one_piece(missing):
            part = range(run[0].frames.start, run[-1].frames.stop)
            progress.tick(Stage.DRAWING, part.start, drawing.count)
            decoded = drawing.decoded(part, journal.sums)
            try:
                for segment in run:
                    with drawing.sink(journal.path(segment)) as sink:
                        drawing.draw(segment.frames, sink, progress, decoded)
                    journal.add(segment)
            finally:
                decoded.close()
        if not share.is_whole:
            raise ShareDrawn
        progress.tick(Stage.FINISHING, 0, drawing.count)
        join_parts(
            [journal.path(segment) for segment in segments],
            output,
            frames=drawing.count,
            fps=drawing.fps,
            audio=drawing.speech.audio,
            codec=drawing.options.codec,
            metadata=metadata,
            on_frame=lambda done: progress.tick(Stage.FINISHING, done, drawing.count),
        )


def made_from(drawing: Drawing, length: int) -> dict[str, Any]:
    """Everything that decides what is in the segments: they are used only where all of it is the same.

    Args:
        drawing: The result.
        length: Frames in a segment.
    """
    info = drawing.source.info
    facts = {
        "version": [_VERSION, __version__],
        "clip": _digest(drawing.source.path),
        "speech": _digest(drawing.speech.audio.path),
        "engines": drawing.engines.identity,
        "detector": drawing.engines.detector.identity,
        "options": asdict(drawing.options),
        "is_labelled": drawing.is_labelled,
        "size": [info.width, info.height],
        "fps": info.fps,
        "frames": [drawing.count, length],
        "ffmpeg": ffmpeg_banner(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(facts, default=str))
    return plain


class SegmentJournal:
    """The finished segments in a folder: a first line that says what they are made from, then a line for each.

    A segment is on the disk before its line is; a line that was cut short counts for nothing. What was made from
    anything else is deleted.

    Args:
        folder: Where the segments lie; made if it is not there.
        facts: What they are made from.

    Attributes:
        finished: Numbers of the segments that are there and whole.
        sums: What has been seen of the clip's pictures; each line keeps what its segment added.

    Raises:
        EncodeError: the folder cannot be written.
    """

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        self._folder = folder
        self._file = folder / JOURNAL
        self.finished: set[int] = set()
        lines = self._lines()
        if not lines or lines[0] != facts:
            if lines:
                log.info("%s: made from something else; starting anew", folder.name)
            self._start_anew(facts)
            lines = [dict(facts)]
        known: list[int] = []
        for line in lines[1:]:
            if line["seen_from"] == len(known):
                known += line["seen"]
            if self._is_whole(line):
                self.finished.add(line["segment"])
        self.sums = PictureSums(known)
        self._kept = len(known)

    def path(self, segment: Segment) -> Path:
        """Where the segment lies, or will."""
        return self._path(segment.number)

    def add(self, segment: Segment) -> None:
        """Note that the segment's file is finished.

        Raises:
            EncodeError: the journal cannot be written.
        """
        path = self.path(segment)
        seen = self.sums.since(self._kept)
        self._append(
            {
                "segment": segment.number,
                "first": segment.frames.start,
                "frames": len(segment.frames),
                "bytes": path.stat().st_size,
                "sha256": _digest(path),
                "seen_from": self._kept,
                "seen": seen,
            }
        )
        self._kept += len(seen)
        self.finished.add(segment.number)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.mp4"

    def _lines(self) -> list[dict[str, Any]]:
        """The journal's whole lines; what comes after the last of them is cut off."""
        if not self._file.exists():
            return []
        content = self._file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._file, len(whole))
        try:
            return [json.loads(line) for line in whole.splitlines()]
        except ValueError as error:
            log.warning("%s is damaged, starting anew: %s", self._file, error)
            return []

    def _start_anew(self, facts: Mapping[str, Any]) -> None:
        try:
            if self._folder.exists():
                shutil.rmtree(self._folder)
            self._folder.mkdir()
            flush(self._folder.parent)
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        self._append(facts)

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            with self._file.open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            flush(self._folder)
        except OSError as error:
            raise cannot_write(self._file, error) from error

    def _is_whole(self, line: Mapping[str, Any]) -> bool:
        path = self._path(line["segment"])
        is_whole = path.is_file() and path.stat().st_size == line["bytes"] and _digest(path) == line["sha256"]
        if not is_whole:
            log.warning("segment %d is damaged or gone; drawing it again", line["segment"])
        return is_whole


@contextmanager
def segments_folder(output: Path) -> Iterator[Path]:
    """Where the segments of `output` lie. Gone when the block ends, unless it is cut short by what lets jobs run again.

    Around all of a job, not only around its drawing, it also deletes what an earlier attempt left.
    """
    folder = companion(output, ".segments")
    try:
        yield folder
    except (JobRequeued, DeviceLostError, KeyboardInterrupt):
        if folder.exists():
            log.info("finished segments stay in %s", folder)
        raise
    except BaseException:
        _discard(folder)
        raise
    _discard(folder)


def _discard(folder: Path) -> None:
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        # The job has ended as it did; files left over cost space and nothing else.
        log.warning("could not delete %s: %s", folder, error)


def _in_one_piece(segments: Iterable[Segment]) -> Iterator[Sequence[Segment]]:
    """Runs of segments that follow one another: the clip is opened once for each run."""
    run: list[Segment] = []
    for segment in segments:
        if run and segment.number != run[-1].number + 1:
            yield run
            run = []
        run.append(segment)
    if run:
        yield run


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
