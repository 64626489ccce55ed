"""What a file is, by its content and never by its name. Decodes one picture; knows nothing of what is done with it."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from heygem.errors import MediaError, Text
from heygem.media.colour_tags import SDR, read_tags, unreadable_matrix
from heygem.media.frame_rate import choose_rate
from heygem.media.hardening import MAX_PIXELS, MAX_SIDE_PX, MIN_SIDE_PX
from heygem.media.media_info import AudioInfo, VideoInfo
from heygem.media.open_file import open_container
from heygem.media.orientation import orientation_of

__all__ = ["AudioInfo", "VideoInfo", "bad_size", "probe_audio", "probe_video", "undecodable"]

log = logging.getLogger(__name__)

PICTURES_TIMED = 3000
"""Pictures whose times are looked at to choose a rate: two minutes at 25 per second, read without decoding."""

LARGEST_WORKED_PX = 4096
"""Longest side that is worked on as it is."""

DOWNSCALED_PX = 3840
"""Longest side that larger pictures get: a frame of 8K is 50 MB, and no face needs it."""

SLOWEST_HZ, FASTEST_HZ = 2_000, 768_000
"""Samples per second of anything that could be speech; outside of them a header lies."""

_PACKETS_TRIED = 300
"""Packets after which a stream that gave no picture is given up: more than the longest usual group of pictures."""

_PHOTO = "_pipe"
"""How ffmpeg's names end of what holds a picture. Those that follow in it are no film: a photo of a phone brings along
a map of how bright its places can shine, small and grey."""

_TELEVISION = frozenset({"mpegts", "mpeg", "matroska"})
_CODECS_WITH_FIELDS = frozenset({"h264", "mpeg2video", "vc1"})
_LARGEST_WITH_FIELDS_PX = 1920 * 1088
"""How television is sent and kept: there alone pictures with fields come after some without."""

_PICTURES_LOOKED_AT = 48
"""So many pictures are decoded to see whether one has fields: up to two seconds of television."""

_PROGRESSIVE = 1
"""Of the orders that ffmpeg numbers, AVFieldOrder, the last one that is none."""

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""ffmpeg's own decoders of these codecs ignore the transparency that WebM keeps beside the picture."""


def probe_video(path: Path) -> VideoInfo:
    """Find out what the clip at `path` is; decodes its first picture and reads the times of the next.

    Raises:
        MediaError: with code not_found, not_regular, empty_file, unreadable, no_video_stream, undecodable, bad_size or
            bad_colours.
    """
    with open_container(path) as container:
        stream = _picture_stream(path, container)
        context = stream.codec_context
        _check_size(path, context.width, context.height)
        first, has_fields, times = _first_pictures_and_times(path, container, stream)
        if _demuxer(container).endswith(_PHOTO):
            del times[1:]
        _check_size(path, first.width, first.height)
        _check_colours(path, first)
        return _describe_video(container, stream, first, times, has_fields=has_fields)


def probe_audio(path: Path) -> AudioInfo:
    """Find out what the sound of the file at `path` is: an audio file, or the sound track of a video.

    Of several tracks it is the one that players choose: marked as default, else the first.

    Raises:
        MediaError: with code not_found, not_regular, empty_file, unreadable, no_audio_stream or undecodable.
    """
    with open_container(path) as container:
        tracks = [track for track in container.streams.audio if _is_audible(track)]
        if not tracks and container.streams.audio:
            raise undecodable(path, _codec_of(container.streams.audio[0]))
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
            tracks=len(tracks),
        )


def _is_audible(track: AudioStream) -> bool:
    context = track.codec_context
    return context is not None and context.channels > 0 and SLOWEST_HZ <= context.sample_rate <= FASTEST_HZ


def _picture_streams(container: InputContainer) -> list[VideoStream]:
    """The streams that are no cover of a piece of music."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _picture_stream(path: Path, container: InputContainer) -> VideoStream:
    """The stream that players show."""
    streams = _picture_streams(container)
    decodable = [stream for stream in streams if stream.codec_context is not None]
    if streams and not decodable:
        raise undecodable(path, _codec_of(streams[0]))
    if not streams:
        raise _no_picture(path)
    return next((stream for stream in decodable if stream.disposition & Disposition.default), decodable[0])


def _no_picture(path: Path) -> MediaError:
    return MediaError(
        Text(f"“{path.name}”里没有画面。", f"{path.name!r} holds no picture."),
        hint=Text("请换一个视频文件。", "Choose a video file."),
        code="no_video_stream",
    )


def undecodable(path: Path, codec: str) -> MediaError:
    """The error for a file that nothing here can decode.

    Args:
        path: The file.
        codec: What it names its codec.
    """
    return MediaError(
        Text(f"“{path.name}”无法解码，其编码为 {codec}。", f"{path.name!r} cannot be decoded; its codec is {codec}."),
        hint=Text("它可能已加密。请导出为 H.264 + AAC 的 mp4。", "It may be encrypted. Export it as mp4, H.264 + AAC."),
        code="undecodable",
    )


def _codec_of(stream: Stream) -> str:
    return stream.codec_context.name if stream.codec_context is not None else _tag(stream)


def _tag(stream: Stream) -> str:
    """The four letters by which a file names a codec that nobody here knows."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(getattr(stream, "codec_tag", "")))


def _check_size(path: Path, width: int, height: int) -> None:
    is_known = width > 0 and height > 0
    is_fit = min(width, height) >= MIN_SIDE_PX and max(width, height) <= MAX_SIDE_PX and width * height <= MAX_PIXELS
    if is_known and not is_fit:
        raise bad_size(path, width, height)


def bad_size(path: Path, width: int, height: int) -> MediaError:
    """The error for a picture that is too small or too large, in pixels."""
    return MediaError(
        Text(f"“{path.name}”的画面为 {width}×{height} 像素。", f"{path.name!r} is {width} x {height} pixels."),
        hint=Text(
            f"短边至少 {MIN_SIDE_PX} 像素，最大 8K。", f"Each side needs {MIN_SIDE_PX} pixels; 8K is the largest."
        ),
        code="bad_size",
    )


def _check_colours(path: Path, first: VideoFrame) -> None:
    colours = unreadable_matrix(first.colorspace)
    if colours is not None and not first.format.is_rgb:
        raise MediaError(
            Text(
                f"“{path.name}”的颜色以 {colours} 方式存储，无法读取。",
                f"{path.name!r} stores its colours as {colours}, which cannot be read.",
            ),
            hint=Text("请导出为普通的 H.264（BT.709）。", "Export it as plain H.264 in BT.709."),
            code="bad_colours",
        )


def _first_pictures_and_times(
    path: Path, container: InputContainer, stream: VideoStream
) -> tuple[VideoFrame, bool, list[int]]:
    """The first picture, whether one soon after it has fields, and up to PICTURES_TIMED times in ticks, ascending."""
    look = _Look(_PICTURES_LOOKED_AT if _may_have_fields(container, stream) else 1)
    packets = 0
    times: list[int] = []
    try:
        for number, packet in enumerate(container.demux(stream)):
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None and not packet.is_discard:
                times.append(time)
            packets += packet.size > 0
            look.at(packet)
            if len(times) >= PICTURES_TIMED or (look.first is None and number >= _PACKETS_TRIED):
                break
    except av.FFmpegError as error:
        # A file that ends early still has a beginning; how much of it is missing shows when it is read.
        log.warning("%s: reading stopped early: %s", path.name, error)
    if look.first is None:
        raise undecodable(path, _codec_of(stream)) if packets else _no_picture(path)
    return look.first, look.has_fields, sorted(times)


def _may_have_fields(container: InputContainer, stream: VideoStream) -> bool:
    context = stream.codec_context
    is_small = context.width * context.height <= _LARGEST_WITH_FIELDS_PX
    return is_small and context.name in _CODECS_WITH_FIELDS and _demuxer(container) in _TELEVISION


class _Look:
    """What the first `pictures` of a stream show; no more are decoded than need be.

    Attributes:
        first: The first that decodes; None before there is one.
        has_fields: One of them is two fields.
    """

    def __init__(self, pictures: int) -> None:
        self.first: VideoFrame | None = None
        self.has_fields = False
        self._wanted = pictures

    def at(self, packet: Packet[VideoStream]) -> None:
        """Decode what comes next, unless enough was seen."""
        if self._wanted <= 0:
            return
        for frame in _decode(packet):
            self.first = self.first or frame
            self._wanted -= 1
            if frame.interlaced_frame:
                self.has_fields, self._wanted = True, 0


def _decode(packet: Packet[VideoStream]) -> list[VideoFrame]:
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
    except av.FFmpegError:
        return []  # the start of a cut recording does not decode; a later packet will


def _describe_video(
    container: InputContainer, stream: VideoStream, first: VideoFrame, times: list[int], *, has_fields: bool
) -> VideoInfo:
    tick = stream.time_base
    assert tick is not None  # every demuxer sets one
    orientation = orientation_of(first)
    shown_width, shown_height = first.width, first.height
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if orientation.swaps_sides:
        shown_width, shown_height, aspect = shown_height, shown_width, 1 / aspect
    shown_width, shown_height = _working_size(shown_width, shown_height)

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
        is_interlaced=has_fields or stream.codec_context.field_order > _PROGRESSIVE,
        demuxer=_demuxer(container),
        decoder=decoder,
        stream_index=stream.index,
        first_picture_s=_first_picture_s(container, first),
        tracks=len(_picture_streams(container)),
    )


def _working_size(width: int, height: int) -> tuple[int, int]:
    """The size at which a picture is worked on: its own, up to 4K."""
    longest = max(width, height)
    if longest <= LARGEST_WORKED_PX:
        return width, height
    scale = Fraction(DOWNSCALED_PX, longest)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


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
