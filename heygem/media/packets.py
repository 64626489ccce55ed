"""How much of a stream is there, by its packets, against what its container promises. Decodes nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream

from heygem.media.open_file import open_container

log = logging.getLogger(__name__)

_HONEST_ABOUT_TIME = ("matroska", "avi")
"""Containers whose header tells the length of the whole file. In the others it is worked out from what is there."""

_ROUNDING_S = Fraction(1, 2)
"""By so much such a header may differ from what was written: delays of encoders, last pictures without a length."""


@dataclass(frozen=True, slots=True)
class Packets:
    """What was counted.

    Attributes:
        count: Packets of the stream that hold something.
        seconds: From the first one's time to the end of the last; 0 where times are unknown.
        share: Of what the container promises, 0..1; 1 where it promises nothing.
    """

    count: int
    seconds: float
    share: float


@dataclass(slots=True)
class _Seen:
    """What the packets tell, times in seconds.

    Attributes:
        count: Packets of the stream that hold something.
        held: How long they last together.
        first: Time of the first one, None before there is one.
        last: End of the last one.
        end: The same of any stream.
    """

    count: int = 0
    held: Fraction = Fraction(0)
    first: Fraction | None = None
    last: Fraction = Fraction(0)
    end: Fraction = Fraction(0)


def count_packets(path: Path, demuxer: str, stream_index: int) -> Packets:
    """Read a file from beginning to end.

    Args:
        path: The file.
        demuxer: ffmpeg's name of its format.
        stream_index: Number of the stream that is counted.

    Raises:
        MediaError: as for `open_container`.
    """
    # An edit list hides pictures on purpose; they are there all the same.
    options = {"ignore_editlist": "1"} if demuxer == "mov" else {}
    with open_container(path, **options) as container:
        seen = _read(path, container, stream_index)
        share = _share(container, demuxer, container.streams[stream_index], seen)
        seconds = float(seen.last - seen.first) if seen.first is not None else 0.0
        return Packets(seen.count, seconds, max(0.0, min(1.0, share)))


def _read(path: Path, container: InputContainer, stream_index: int) -> _Seen:
    seen = _Seen()
    try:
        for packet in container.demux():
            time = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or time is None or packet.time_base is None:
                continue
            begins, lasts = time * packet.time_base, (packet.duration or 0) * packet.time_base
            seen.end = max(seen.end, begins + lasts)
            if packet.stream_index == stream_index:
                seen.count += 1
                seen.held += lasts
                seen.first = begins if seen.first is None else min(seen.first, begins)
                seen.last = max(seen.last, begins + lasts)
    except av.FFmpegError as error:
        log.info("%s: reading stopped early: %s", path.name, error)
    return seen


def _share(container: InputContainer, demuxer: str, stream: Stream, seen: _Seen) -> float:
    """How much of what the container promises was seen; 1 where it promises nothing."""
    if demuxer == "mov" and stream.frames:
        share = seen.count / stream.frames
        if stream.type == "audio" and stream.duration and stream.time_base:
            # What is counted is samples where the sound is PCM, of which a packet holds a thousand.
            share = max(share, float(seen.held / (stream.duration * stream.time_base)))
        return share
    if demuxer in _HONEST_ABOUT_TIME and container.duration:
        promised = Fraction(container.start_time or 0, av.time_base) + Fraction(container.duration, av.time_base)
        return 1.0 if promised - seen.end < _ROUNDING_S else float(seen.end / promised)
    return 1.0
