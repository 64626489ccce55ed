"""How much of a stream is there, by its packets, against what its container promises. Decodes nothing."""

from __future__ import annotations

import logging
import os
import struct
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

_HONEST_ABOUT_SOUND = ("aiff", "flac")
"""The same of files with a single sound."""

_ROUNDING_S = Fraction(1, 2)
"""By so much such a header may differ from what was written: delays of encoders, last pictures without a length."""

_NOT_KNOWN_YET = 0x7FFF0000
"""Bytes from which the length in a WAV is none: what writes into a pipe says 2 or 4 GB, or a little less, or 0."""

_CHUNKS_READ = 1000
"""Chunks of a WAV after which its sound is given up: it comes after two or three."""


@dataclass(frozen=True, slots=True)
class Packets:
    """What was counted.

    Attributes:
        count: Packets of the stream that hold something.
        seconds: From the first one's time to the end of the last; 0 where times are unknown.
        share: Of what the container promises, 0..1; 1 where it promises nothing.
        is_sure: The promise is this file's. What cuts an MP3 leaves that of the whole one in it.
    """

    count: int
    seconds: float
    share: float
    is_sure: bool = True


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
        share = _share(path, container, demuxer, container.streams[stream_index], seen)
        seconds = float(seen.last - seen.first) if seen.first is not None else 0.0
        return Packets(seen.count, seconds, max(0.0, min(1.0, share)), is_sure=demuxer != "mp3")


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


def _share(path: Path, container: InputContainer, demuxer: str, stream: Stream, seen: _Seen) -> float:
    """How much of what the container promises was seen; 1 where it promises nothing."""
    length = stream.duration * stream.time_base if stream.duration and stream.time_base else Fraction(0)
    if demuxer == "mov" and stream.frames:
        # Of sound in PCM samples are counted, a thousand to a packet; how long it lasts says the same of every codec.
        by_time = float(seen.held / length) if stream.type == "audio" and length else 0.0
        return max(by_time, seen.count / stream.frames)
    if demuxer in _HONEST_ABOUT_TIME and container.duration:
        begins, told = (Fraction(time or 0, av.time_base) for time in (container.start_time, container.duration))
        # What begins late says how long it is, or, as ffmpeg writes it, when it ends.
        ends = told if told > begins and told >= seen.end - _ROUNDING_S else begins + told
        return _but_for_rounding(seen.end - begins, ends - begins)
    if demuxer in _HONEST_ABOUT_SOUND:
        return _but_for_rounding(seen.held, length)
    if demuxer == "wav":
        return _but_for_rounding(seen.held, seen.held * _wav_excess(path))
    if demuxer == "mp3" and seen.count:
        return _but_for_rounding(seen.held, seen.held * Fraction(_mp3_frames(path), seen.count))
    return 1.0


def _but_for_rounding(seen_s: Fraction, promised_s: Fraction) -> float:
    return 1.0 if promised_s - seen_s < _ROUNDING_S else float(seen_s / promised_s)


def _wav_excess(path: Path) -> Fraction:
    """How many times as long a WAV file says it is as there are bytes of it; 1 where it does not say.

    ffmpeg takes for its length what is there.
    """
    with path.open("rb") as file:
        if file.read(12)[:4] not in (b"RIFF", b"RF64", b"BW64"):
            return Fraction(1)
        long_size = 0  # EBU Tech 3306: beyond 4 GB the size is in a chunk of its own
        for _ in range(_CHUNKS_READ):
            name, size = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
            if name == b"data":
                there = path.stat().st_size - file.tell()
                promised = long_size or size
                is_told = 0 < promised < _NOT_KNOWN_YET or 0 < long_size < 1 << 62
                return Fraction(promised, there) if is_told and there > 0 else Fraction(1)
            if name == b"ds64":
                _, long_size = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))
                size -= 16
            file.seek(max(0, size + size % 2), os.SEEK_CUR)
    return Fraction(1)


def _mp3_frames(path: Path) -> int:
    """How many frames an MP3 file says that it has, in the Xing header of its first frame; 0 where it does not say."""
    with path.open("rb") as file:
        tag = file.read(10)
        if tag[:3] == b"ID3":
            # The size, in four times seven bits, is that of what comes after it.
            file.seek(sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=False)), 1)
        else:
            file.seek(0)
        frame = file.read(64)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 12:
        return 0
    flags, frames = struct.unpack(">II", frame[at + 4 : at + 12])
    return int(frames) if flags & 1 else 0
