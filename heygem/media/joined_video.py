"""Parts of one picture, encoded one by one, joined to one mp4 without encoding them again. Knows packets; no frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av

from heygem.errors import EncodeError, Text
from heygem.media import Codec
from heygem.media.audio_file import AudioFile
from heygem.media.ffmpeg_args import join_args
from heygem.media.hardening import INPUT_LIMITS
from heygem.media.mp4_writer import Mp4Writer

_FRAGMENTS = {"movflags": "frag_keyframe+delay_moov"}
"""The only form of mp4 that a pipe can carry. Unlike in NUT or Matroska, every time in it is exact."""


def join_parts(
    parts: Sequence[Path],
    output: Path,
    *,
    frames: int,
    fps: Fraction,
    audio: AudioFile | None,
    codec: Codec = "h264",
    metadata: Mapping[str, str] = MappingProxyType({}),
    on_frame: Callable[[int], None],
) -> None:
    """Write `output`: the pictures of all `parts`, and the sound as `VideoSink` writes it.

    The file is the one that a single encode would have left, but for a key frame where each part begins.

    Args:
        parts: Files that `VideoSink` wrote with the same settings and without sound, in order.
        output: The result. Its folder exists.
        frames: How many the parts have together.
        fps: Frames per second, of the parts and of the result.
        audio: The sound that goes with the picture; None writes none.
        codec: How the parts are encoded.
        metadata: What the container says of the file, by key.
        on_frame: Called with the number of frames joined so far, and while ffmpeg ends; may raise to stop.

    Raises:
        EncodeError: a part is not what it should be, or ffmpeg failed; with code disk_full if the disk is full.
    """
    sound = None if audio is None else audio.sound
    writer = Mp4Writer(
        output,
        codec,
        sound,
        lambda part, pipe: join_args(part, codec=codec, sound=sound, sound_pipe=pipe, metadata=metadata),
        on_wait=lambda: on_frame(frames),
    )
    with writer:
        with av.open(_Pipe(writer), "w", format="mp4", options=_FRAGMENTS) as pipe:
            for packet in _packets(parts, pipe, fps):
                pipe.mux(packet)
                writer.frames += 1
                on_frame(writer.frames)
        if writer.frames != frames:
            raise _wrong(output, f"{writer.frames} frames instead of {frames}")


class _Pipe:
    """What PyAV writes to."""

    def __init__(self, writer: Mp4Writer) -> None:
        self._writer = writer

    def write(self, data: bytes) -> int:
        self._writer.feed(memoryview(data))
        return len(data)


def _packets(parts: Sequence[Path], pipe: Any, fps: Fraction) -> Iterator[Any]:
    """Every packet, at its time in the whole, for a stream of `pipe` that is added before the first one."""
    joined: Any = None
    first = 0
    for part in parts:
        with av.open(str(part), options={**INPUT_LIMITS, "protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            if joined is None:
                joined = pipe.add_stream_from_template(stream)
                joined.time_base = stream.time_base
                headers = stream.codec_context.extradata
            if stream.codec_context.extradata != headers or stream.time_base != joined.time_base:
                raise _wrong(part, "another encoder's headers")
            tick = 1 / fps / stream.time_base
            times: list[int] = []
            for packet in container.demux(stream):
                if packet.pts is None or packet.dts is None:  # PyAV's mark of the end
                    continue
                times.append(packet.pts)
                packet.pts += int(first * tick)
                packet.dts += int(first * tick)
                packet.stream = joined
                yield packet
            if sorted(times) != [number * tick for number in range(len(times))]:
                raise _wrong(part, "gaps")
            first += len(times)


def _wrong(path: Path, found: str) -> EncodeError:
    return EncodeError(
        Text(f"“{path.name}”无法拼接（{found}）。", f"{path.name!r} cannot be joined: {found}."),
        hint=Text("请重新运行该任务。", "Run the job again."),
        code="segments_differ",
    )
