"""What a file is, by its content and never by its name. Decodes one picture; knows nothing of what is done with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
from av.buffer import Buffer
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from heygem.errors import MediaError, Text
from heygem.frame import ColourSpace
from heygem.media.colour_tags import SDR, ColourTags, read_tags
from heygem.media.frame_rate import choose_rate
from heygem.media.hardening import INPUT_LIMITS, MAX_PIXELS, MAX_SIDE_PX, MIN_SIDE_PX
from heygem.media.orientation import Orientation, read_orientation

log = logging.getLogger(__name__)

PICTURES_TIMED = 3000
"""Pictures whose times are looked at to choose a rate: two minutes at 25 per second, read without decoding."""

_PACKETS_TRIED = 300
"""Packets after which a stream that gave no picture is given up: more than the longest usual group of pictures."""

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""ffmpeg's own decoders of these codecs ignore the transparency that WebM keeps beside the picture."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a clip is, and how it has to be read.

    Attributes:
        width, height: As shown: turned upright, padded to even. Pixels.
        shown_width, shown_height: As shown, before padding.
        coded_width, coded_height: As stored.
        fps: Pictures per second at which it is read, 5 to 60.
        is_variable_rate: The file has no constant rate of its own.
        duration: Seconds; from the header, or from the pictures' times where it has none.
        estimated_frames: `duration` times `fps`. Headers lie: for messages and progress only.
        is_still: The file holds one picture.
        codec, pix_fmt: ffmpeg's names.
        colour: What the values of the frames read from it mean.
        tags: Colour tags of the frames read from it, to be written into a result.
        source_tags: Colour tags of the file.
        is_hdr: Its brightness follows PQ or HLG; it is read tone-mapped.
        is_rgb: It is stored as red, green and blue; it is read as BT.709.
        has_alpha: It is transparent in places; it is read over black.
        orientation: How its pictures are turned.
        sample_aspect: Width of a pixel divided by its height, as shown.
        is_interlaced: Its pictures are two fields each.
        has_audio: There is a sound track.
        demuxer, decoder: What ffmpeg must use; a decoder of None is its own choice.
        stream_index: Number of the stream within the file.
        first_picture_s: When the first picture is shown, in seconds after the container's start.
    """

    width: int
    height: int
    shown_width: int
    shown_height: int
    coded_width: int
    coded_height: int
    fps: Fraction
    is_variable_rate: bool
    duration: Fraction
    estimated_frames: int
    is_still: bool
    codec: str
    pix_fmt: str
    colour: ColourSpace
    tags: ColourTags
    source_tags: ColourTags
    is_hdr: bool
    is_rgb: bool
    has_alpha: bool
    orientation: Orientation
    sample_aspect: Fraction
    is_interlaced: bool
    has_audio: bool
    demuxer: str
    decoder: str | None
    stream_index: int
    first_picture_s: Fraction


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a sound track is.

    Attributes:
        rate_hz: Samples per second.
        channels: Of the file.
        codec: ffmpeg's name.
        duration: Seconds by the header, None where it has none. Headers lie: `AudioFile` counts.
        demuxer: What ffmpeg must use.
        stream_index: Number of the stream within the file.
    """

    rate_hz: int
    channels: int
    codec: str
    duration: Fraction | None
    demuxer: str
    stream_index: int


def probe_video(path: Path) -> VideoInfo:
    """Find out what the clip at `path` is; decodes its first picture and reads the times of the next.

    Raises:
        MediaError: with code not_found, empty_file, unreadable, no_video_stream or bad_size.
    """
    with _opened(path) as container:
        stream = _picture_stream(path, container)
        context = stream.codec_context
        _check_size(path, context.width, context.height)
        first, times = _first_picture_and_times(path, container, stream)
        _check_size(path, first.width, first.height)
        return _describe_video(container, stream, first, times)


def probe_audio(path: Path) -> AudioInfo:
    """Find out what the sound of the file at `path` is: an audio file, or the sound track of a video.

    Of several tracks it is the one that players choose: marked as default, else the first.

    Raises:
        MediaError: with code not_found, empty_file, unreadable or no_audio_stream.
    """
    with _opened(path) as container:
        tracks = [track for track in container.streams.audio if track.codec_context is not None]
        tracks = [track for track in tracks if track.codec_context.sample_rate > 0] or []
        if not tracks:
            raise MediaError(
                Text(f"“{path.name}”里没有声音。", f"{path.name!r} holds no sound."),
                hint=Text("请换一个带声音的文件。", "Choose a file with a sound track."),
                code="no_audio_stream",
            )
        track = next((track for track in tracks if track.disposition & Disposition.default), tracks[0])
        if len(tracks) > 1:
            log.info("%s: %d sound tracks, using number %d", path.name, len(tracks), track.index)
        duration = track.duration and track.time_base and track.duration * track.time_base
        return AudioInfo(
            rate_hz=track.codec_context.sample_rate,
            channels=track.codec_context.channels,
            codec=track.codec_context.name,
            duration=duration or _container_duration(container),
            demuxer=_demuxer(container),
            stream_index=track.index,
        )


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """The file as a container. It is handed to the library open and nameless, so that no name can steer it."""
    if not path.exists():
        raise MediaError(
            Text(f"找不到文件“{path.name}”。", f"There is no file {path.name!r}."),
            hint=Text("请检查路径。", "Check the path."),
            code="not_found",
        )
    if not path.is_file():
        raise MediaError(
            Text(f"“{path.name}”不是普通文件。", f"{path.name!r} is not a regular file."),
            hint=Text("请选择一个音频或视频文件。", "Choose an audio or video file."),
        )
    if path.stat().st_size == 0:
        raise MediaError(
            Text(f"“{path.name}”是空文件。", f"{path.name!r} is empty."),
            hint=Text("请重新上传。", "Upload it again."),
            code="empty_file",
        )
    try:
        with path.open("rb") as file:
            nameless = SimpleNamespace(read=file.read, seek=file.seek, tell=file.tell)
            with av.open(nameless, "r", options=dict(INPUT_LIMITS), metadata_errors="replace") as container:
                yield container
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            Text(f"“{path.name}”无法读取。", f"{path.name!r} cannot be read."),
            hint=Text(
                "文件可能损坏、没有传完，或不是音视频文件。", "It may be damaged, half uploaded, or not audio or video."
            ),
        ) from error


def _picture_stream(path: Path, container: InputContainer) -> VideoStream:
    """The stream that players show; the cover of a piece of music is not one."""
    streams = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise _no_picture(path)
    return next((stream for stream in streams if stream.disposition & Disposition.default), streams[0])


def _no_picture(path: Path) -> MediaError:
    return MediaError(
        Text(f"“{path.name}”里没有画面。", f"{path.name!r} holds no picture."),
        hint=Text("请换一个视频文件。", "Choose a video file."),
        code="no_video_stream",
    )


def _check_size(path: Path, width: int, height: int) -> None:
    is_known = width > 0 and height > 0
    is_fit = min(width, height) >= MIN_SIDE_PX and max(width, height) <= MAX_SIDE_PX and width * height <= MAX_PIXELS
    if is_known and not is_fit:
        raise MediaError(
            Text(f"“{path.name}”的画面为 {width}×{height} 像素。", f"{path.name!r} is {width} x {height} pixels."),
            hint=Text(
                f"短边至少 {MIN_SIDE_PX} 像素，最大 8K。", f"Each side needs {MIN_SIDE_PX} pixels; 8K is the largest."
            ),
            code="bad_size",
        )


def _first_picture_and_times(
    path: Path, container: InputContainer, stream: VideoStream
) -> tuple[VideoFrame, list[int]]:
    """The first picture that decodes, and the times of up to PICTURES_TIMED pictures in ticks, ascending."""
    first: VideoFrame | None = None
    times: list[int] = []
    try:
        for number, packet in enumerate(container.demux(stream)):
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None and not packet.is_discard:
                times.append(time)
            if first is None:
                first = _decode_one(packet)
            if len(times) >= PICTURES_TIMED or (first is None and number >= _PACKETS_TRIED):
                break
    except av.FFmpegError as error:
        # A file that ends early still has a beginning; how much of it is missing shows when it is read.
        log.warning("%s: reading stopped early: %s", path.name, error)
    if first is None:
        raise _no_picture(path)
    return first, sorted(times)


def _decode_one(packet: Packet[VideoStream]) -> VideoFrame | None:
    try:
        frames = packet.decode()
    except av.FFmpegError:
        return None  # the start of a cut recording does not decode; a later packet will
    return next((frame for frame in frames if isinstance(frame, VideoFrame)), None)


def _describe_video(container: InputContainer, stream: VideoStream, first: VideoFrame, times: list[int]) -> VideoInfo:
    tick = stream.time_base
    assert tick is not None  # every demuxer sets one
    matrix = first.side_data.get("DISPLAYMATRIX")
    orientation = read_orientation(bytes(matrix)) if isinstance(matrix, Buffer) else Orientation()
    shown_width, shown_height = first.width, first.height
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if orientation.swaps_sides:
        shown_width, shown_height, aspect = shown_height, shown_width, 1 / aspect

    pix_fmt = first.format.name
    source_tags = read_tags(
        primaries=first.color_primaries,
        transfer=first.color_trc,
        matrix=first.colorspace,
        value_range=first.color_range,
    )
    is_rgb = first.format.is_rgb or pix_fmt == "pal8"
    tags = SDR if is_rgb or source_tags.is_hdr else source_tags
    decoder = _ALPHA_DECODERS.get(stream.codec_context.name) if stream.metadata.get("alpha_mode") == "1" else None
    rate = choose_rate(times, tick, (stream.base_rate, stream.average_rate, stream.guessed_rate))
    duration = _video_duration(container, stream, times, rate.fps)
    return VideoInfo(
        width=shown_width + shown_width % 2,
        height=shown_height + shown_height % 2,
        shown_width=shown_width,
        shown_height=shown_height,
        coded_width=first.width,
        coded_height=first.height,
        fps=rate.fps,
        is_variable_rate=rate.is_variable,
        duration=duration,
        estimated_frames=max(1, round(duration * rate.fps)),
        is_still=len(times) <= 1,
        codec=stream.codec_context.name,
        pix_fmt=pix_fmt,
        colour=tags.meaning(shown_width, shown_height),
        tags=tags,
        source_tags=source_tags,
        is_hdr=source_tags.is_hdr,
        is_rgb=is_rgb,
        has_alpha=decoder is not None or pix_fmt == "pal8" or _has_alpha(first),
        orientation=orientation,
        sample_aspect=aspect,
        is_interlaced=first.interlaced_frame,
        has_audio=bool(container.streams.audio),
        demuxer=_demuxer(container),
        decoder=decoder,
        stream_index=stream.index,
        first_picture_s=_first_picture_s(container, first),
    )


def _has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components)


def _demuxer(container: InputContainer) -> str:
    """One name of the container format: ffmpeg takes any of the list, and a comma means something else to it."""
    return container.format.name.split(",")[0]


def _container_duration(container: InputContainer) -> Fraction | None:
    return Fraction(container.duration, av.time_base) if container.duration else None


def _video_duration(container: InputContainer, stream: VideoStream, times: list[int], fps: Fraction) -> Fraction:
    tick = stream.time_base or Fraction(0)
    if len(times) <= 1:
        return 1 / fps
    if stream.duration:
        return stream.duration * tick
    seen = (times[-1] - times[0]) * tick + 1 / fps
    return seen if len(times) < PICTURES_TIMED else _container_duration(container) or seen


def _first_picture_s(container: InputContainer, first: VideoFrame) -> Fraction:
    if first.pts is None or first.time_base is None:
        return Fraction(0)
    return first.pts * first.time_base - Fraction(container.start_time or 0, av.time_base)
