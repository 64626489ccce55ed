"""How much of a stream is there, by its packets, against what its container promises. Decodes nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

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
        stream = container.streams[stream_index]
        count, first, last, end = 0, None, Fraction(0), Fraction(0)
        try:
            for packet in container.demux():
                time = packet.pts if packet.pts is not None else packet.dts
                if not packet.size or time is None or packet.time_base is None:
                    continue
                begins, ends = time * packet.time_base, (time + (packet.duration or 0)) * packet.time_base
                end = max(end, ends)
                if packet.stream_index == stream_index:
                    count += 1
                    first = begins if first is None else min(first, begins)
                    last = max(last, ends)
        except av.FFmpegError as error:
            log.info("%s: reading stopped early: %s", path.name, error)
        seconds = float(last - first) if first is not None else 0.0
        share = 1.0
        if demuxer == "mov" and stream.frames:
            share = count / stream.frames
        elif demuxer in _HONEST_ABOUT_TIME and container.duration:
            promised = Fraction(container.start_time or 0, av.time_base) + Fraction(container.duration, av.time_base)
            share = 1.0 if promised - end < _ROUNDING_S else float(end / promised)
        return Packets(count, seconds, max(0.0, min(1.0, share)))
