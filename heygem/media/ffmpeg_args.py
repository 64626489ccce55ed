"""Argument lists for ffmpeg: pure functions, tested as values. Run nothing, know nothing of processes.

ffmpeg-python writes the filter graph and its quoting. A file is always named by its absolute path after ``file:``, so
that no name reads as an option, an address or a pattern.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ffmpeg

from heygem.allowance import are_limited, processors
from heygem.colour_space import ColourSpace
from heygem.media import Codec
from heygem.media.colour_tags import ColourTags
from heygem.media.hardening import INPUT_LIMITS
from heygem.media.probe import AudioInfo, VideoInfo

_QUIET = ("-hide_banner", "-nostdin", "-v", "error")

THREADS: Mapping[str, int] = MappingProxyType({"threads": processors()} if are_limited() else {})
"""For decoders and encoders of pictures, which count the machine's processors else."""

_X265_PARAMS = ":".join(["log-level=error", "info=0", *(f"pools={count}" for count in THREADS.values())])
"""info=0: what x265 says of itself is part of the headers, which have to be alike wherever parts are encoded."""

_AAC_RATES_HZ = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
"""Sampling rates of AAC (ISO/IEC 14496-3, samplingFrequencyIndex)."""

AAC_FRAME = 1024
"""Samples in a frame of AAC."""

_AAC_BITS_PER_CHANNEL = 96_000

_VIDEO_CODECS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        # veryfast: 20 ms of processor time per 1080p frame against 81 ms for medium, at an equal PSNR for crf 18.
        "h264": ("libx264", {"preset": "veryfast"}),
        "hevc": ("libx265", {"preset": "veryfast", "x265-params": _X265_PARAMS, "tag:v": "hvc1"}),
        "h264_nvenc": ("h264_nvenc", {"preset": "p4", "rc": "vbr", "b:v": "0"}),
        "hevc_nvenc": ("hevc_nvenc", {"preset": "p4", "rc": "vbr", "b:v": "0", "tag:v": "hvc1"}),
    }
)


@dataclass(frozen=True, slots=True)
class Sound:
    """What a result lets hear.

    Attributes:
        path: The file.
        info: What `probe_audio` found out about it.
        samples: How many at its own rate are heard.
        first: How many before them are not.
    """

    path: Path
    info: AudioInfo
    samples: int
    first: int = 0


def file_url(path: Path) -> str:
    """How ffmpeg is told of a file, whatever its name holds."""
    return f"file:{path.absolute()}"


def decode_args(path: Path, info: VideoInfo, *, count: int | None = None) -> list[str]:
    """Read pictures as raw yuv420p at ``info.fps``, of the size as shown, not padded; the first one is at time 0.

    Frame n shows the last picture whose time, rounded to frames, is not after n; the first picture of a still is all.

    Args:
        path: The clip.
        info: What `probe_video` found out about it.
        count: How many frames are wanted; None means all.
    """
    pictures = _pictures(path, info).filter("setpts", "PTS-STARTPTS")
    if not info.is_still:
        pictures = pictures.filter("fps", fps=info.fps)
    return _raw_output(pictures, info, count)


def decode_part_args(path: Path, info: VideoInfo, *, start: int, count: int, margin: int) -> list[str]:
    """Read `count` frames from number `start` on, without decoding all that lies before.

    The rule of `decode_args` is applied to the same times, so frame n is the same picture however it is come by; only
    the time of the first picture is taken from `info` instead of from the stream.

    Args:
        path: The clip.
        info: What `probe_video` found out about it.
        start: Number of the first frame wanted.
        count: How many.
        margin: Frames before `start` for which a key frame is looked up.
    """
    jump = max(Fraction(0), info.first_picture_s + (start - margin) / info.fps)
    # Everything from the key frame on is let through: a picture that stays up long may begin before the target.
    seek = {"copyts": None, "start_at_zero": None, "noaccurate_seek": None, "ss": f"{float(jump):.6f}"}
    pictures = _pictures(path, info, seek).filter("setpts", f"round(PTS-({info.first_picture_s})/TB)")
    pictures = pictures.filter("fps", fps=info.fps, start_time=0).filter("trim", start_frame=start)
    return _raw_output(pictures, info, count)


def _pictures(path: Path, info: VideoInfo, seek: Mapping[str, str | None] = MappingProxyType({})) -> Any:
    """The decoded pictures of a clip, without fields, at their own times."""
    options: dict[str, Any] = {"f": info.demuxer, "noautorotate": None, **INPUT_LIMITS, **THREADS, **seek}
    if info.decoder is not None:
        options["c:v"] = info.decoder
    pictures = ffmpeg.input(file_url(path), **options)[str(info.stream_index)]
    return pictures.filter("bwdif", mode="send_frame", deint="interlaced") if info.is_interlaced else pictures


def _raw_output(pictures: Any, info: VideoInfo, count: int | None) -> list[str]:
    """Upright, in 8-bit 4:2:0, as bytes on standard output."""
    for name, argument in info.orientation.filters:
        pictures = pictures.filter(name, *([] if argument is None else [argument]))
    limit = {} if count is None else {"frames:v": count}
    output = _to_yuv420p(pictures, info).output(
        "pipe:1", f="rawvideo", pix_fmt="yuv420p", fps_mode="passthrough", **limit
    )
    return [*_QUIET, *output.get_args()]


def _to_yuv420p(stream: Any, info: VideoInfo) -> Any:
    """Append filters that make 8-bit 4:2:0 of the size as shown, with the values untouched where they can be."""
    source = None if info.is_rgb else info.source_tags.meaning(info.shown_width, info.shown_height)
    size = (info.shown_width, info.shown_height)
    if source is not None:
        # The scaler gives up at a label that it does not know, even where it is told what the values mean.
        stream = stream.filter("setparams", colorspace="unknown")
    if info.is_hdr:
        # Through 4:4:4, because zscale refuses odd sizes where colour has half the resolution.
        stream = _tone_map(_convert(stream, size, "yuv444p10le", source, source), info)
        source = info.colour
    elif info.has_alpha:
        # Multiplied in RGB, where black is 0: the colours under a transparent pixel are arbitrary.
        stream = _convert(stream, size, "gbrap", source, None).filter("premultiply", inplace=1).filter("format", "gbrp")
        source = None
    return _convert(stream, size, "yuv420p", source, info.colour)


def _convert(
    stream: Any, size: tuple[int, int], pix_fmt: str, source: ColourSpace | None, target: ColourSpace | None
) -> Any:
    """To one size and layout for all pictures, whatever comes in the middle of a clip.

    Args:
        stream: What is appended to.
        size: Width and height, pixels.
        pix_fmt: ffmpeg's name of the layout.
        source, target: What the values mean before and after; None is RGB. Never left to ffmpeg's guess.
    """
    options: dict[str, str] = {}
    if source is not None:
        options |= {"in_color_matrix": source.matrix, "in_range": _range(source.full_range)}
    if target is not None:
        options |= {"out_color_matrix": target.matrix, "out_range": _range(target.full_range)}
    stream = stream.filter("scale", *size, flags="bicubic+accurate_rnd", **options)
    return stream.filter("format", pix_fmt)


def _tone_map(stream: Any, info: VideoInfo) -> Any:
    """PQ or HLG to BT.709 at 100 nits, computed in linear light (ITU-R BT.2100, BT.709)."""
    tags = info.source_tags
    stream = stream.filter(
        "zscale",
        tin=tags.transfer,
        # Nobody films with the other matrix of BT.2020, and zscale has no way from it; a label of it is a slip.
        min="bt2020nc" if tags.matrix in (None, "bt2020c") else tags.matrix,
        pin=tags.primaries or "bt2020",
        rin=_range(tags.full_range),
        t="linear",
        npl=100,
    )
    stream = stream.filter("format", "gbrpf32le").filter("zscale", p="bt709")
    stream = stream.filter("tonemap", "hable", desat=0)
    stream = stream.filter("zscale", t="bt709", m="bt709", p="bt709", r="tv")
    return stream.filter("format", "yuv444p")


def _range(is_full: bool) -> str:
    return "full" if is_full else "limited"


def pcm_args(path: Path, info: AudioInfo) -> list[str]:
    """Read a sound track as raw float32, all channels interleaved, at its own rate."""
    options = {"f": info.demuxer, **INPUT_LIMITS}
    track = ffmpeg.input(file_url(path), **options)[str(info.stream_index)]
    # Said although nothing is to be converted: it may begin in another form than the one that the probe met last.
    form = {"ar": info.rate_hz, "ac": info.channels}
    return [*_QUIET, *track.output("pipe:1", f="f32le", acodec="pcm_f32le", **form).get_args()]


def sound_args(sound: Sound) -> list[str]:
    """Read a sound as raw float32 for `encode_args`, at its own rate, in at most two channels.

    A recording may change its channels or its rate midway, and ffmpeg then builds its filters anew, all of them: those
    that count begin at 0 again. So nothing is counted here, but by another ffmpeg, for which nothing changes.
    """
    source = ffmpeg.input(file_url(sound.path), f=sound.info.demuxer, **INPUT_LIMITS)
    # Scaled down only as far as a mix of channels could overshoot.
    track = source[str(sound.info.stream_index)].filter("aresample", sound.info.rate_hz, rematrix_maxval=1)
    track = track.filter("aformat", channel_layouts="mono" if sound.info.channels == 1 else "stereo")
    return [*_QUIET, *track.output("pipe:1", f="f32le", acodec="pcm_f32le").get_args()]


def aac_rate_hz(rate_hz: int) -> int:
    """`rate_hz` where AAC allows it, else the next rate above, else the highest."""
    return next((rate for rate in _AAC_RATES_HZ if rate >= rate_hz), _AAC_RATES_HZ[-1])


def aac_samples(sound: Sound) -> int:
    """How many samples a result lets hear of it."""
    return math.ceil(sound.samples * Fraction(aac_rate_hz(sound.info.rate_hz), sound.info.rate_hz))


def encode_args(
    target: Path,
    *,
    width: int,
    height: int,
    fps: Fraction,
    tags: ColourTags,
    sample_aspect: Fraction,
    crf: int,
    codec: Codec,
    sound: Sound | None,
    sound_pipe: int = 0,
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Write raw yuv420p pictures from standard input, and a sound from another pipe, into an mp4.

    Args:
        target: Where to.
        width, height: Pixels, both even.
        fps: Pictures per second.
        tags: Colour tags to write.
        sample_aspect: Width of a pixel divided by its height.
        crf: 0 (best) to 51.
        codec: How the picture is encoded.
        sound: What is heard; None writes no sound track.
        sound_pipe: Number of the open file out of which comes what `sound_args` reads; 0 where nothing is heard.
        metadata: What the container says of the file, by key.
    """
    form = {"f": "rawvideo", "pix_fmt": "yuv420p", "s": f"{width}x{height}", "framerate": fps}
    # With more to look at, ffmpeg takes a rate near a usual one for that one: 120 for 120000/1001.
    pictures = ffmpeg.input("pipe:0", **form, probesize=32)
    # Labels what the values already are; as options of the encoder some versions would convert to them.
    pictures = pictures.filter(
        "setparams",
        range=_range(tags.full_range),
        color_primaries=tags.primaries or "unknown",
        color_trc=tags.transfer or "unknown",
        colorspace=tags.matrix or "unknown",
    ).filter("setsar", f"{sample_aspect.numerator}/{sample_aspect.denominator}")
    encoder, options = _VIDEO_CODECS[codec]
    quality = "cq" if codec.endswith("nvenc") else "crf"
    # At 0 x264 writes without loss, in a profile that no browser plays, and NVENC chooses by itself.
    written = {
        "c:v": encoder,
        quality: max(crf, 1),
        "pix_fmt": "yuv420p",
        "fps_mode": "passthrough",
        **THREADS,
        **options,
    }
    return _mp4_args(target, pictures, written, sound, sound_pipe, metadata)


def join_args(
    target: Path, *, codec: Codec, sound: Sound | None, sound_pipe: int = 0, metadata: Mapping[str, str]
) -> list[str]:
    """Write encoded pictures, an mp4 in fragments on standard input, and a sound from another pipe into an mp4.

    Args:
        target: Where to.
        codec: How the pictures are encoded; they stay as they are.
        sound, sound_pipe: What is heard, and where it comes from, as in `encode_args`.
        metadata: What the container says of the file, by key.
    """
    pictures = ffmpeg.input("pipe:0", f="mp4", **{**INPUT_LIMITS, "protocol_whitelist": "pipe"})["v:0"]
    written = {"c:v": "copy"}
    _, options = _VIDEO_CODECS[codec]
    if "tag:v" in options:
        written["tag:v"] = options["tag:v"]
    return _mp4_args(target, pictures, written, sound, sound_pipe, metadata)


def mp4_options(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Options of every command that writes a finished mp4: the index comes first, and `metadata` is kept.

    Without ``use_metadata_tags`` the muxer drops every key that iTunes does not know, the label ``AIGC`` among them.
    """
    # ffmpeg-python takes an option once; the numbers make them different ones, and mean nothing to ffmpeg.
    said = {f"metadata:g:{number}": f"{key}={value}" for number, (key, value) in enumerate(metadata.items())}
    return {"movflags": "+faststart+use_metadata_tags", "f": "mp4", **said}


def _mp4_args(
    target: Path,
    pictures: Any,
    options: Mapping[str, Any],
    sound: Sound | None,
    sound_pipe: int,
    metadata: Mapping[str, str],
) -> list[str]:
    """Write pictures, as `options` says, and a sound into an mp4."""
    streams, written = [pictures], dict(options)
    if sound is not None:
        streams.append(_whole_frames(sound, sound_pipe))
        written |= _sound_options(sound)
    written |= {"map_metadata": -1, "map_chapters": -1, **mp4_options(metadata)}
    return [*_QUIET, "-y", *ffmpeg.output(*streams, file_url(target), **written).get_args()]


def _sound_options(sound: Sound) -> dict[str, Any]:
    return {
        "c:a": "aac",
        "b:a": _AAC_BITS_PER_CHANNEL * min(sound.info.channels, 2),
        # Lengths in the edit list are rounded to this clock; its default of 1 ms would cut samples off.
        "movie_timescale": aac_rate_hz(sound.info.rate_hz),
    }


def _whole_frames(sound: Sound, pipe: int) -> Any:
    """The sound at a rate of AAC's, led in by silence up to whole frames of AAC.

    The mp4's edit list hides that silence together with the encoder's own delay, which decoders obey; how much of the
    last frame is real, many do not look at (ffmpeg before 8, PyAV). So the odd samples go to the front, and the decoded
    sound is exactly as long as its source everywhere.
    """
    form = {"f": "f32le", "ar": sound.info.rate_hz, "ac": min(sound.info.channels, 2)}
    track = ffmpeg.input(f"pipe:{pipe}", **form, protocol_whitelist="pipe")["a:0"]
    samples = aac_samples(sound)
    lead_in = -samples % AAC_FRAME
    if sound.first:
        track = track.filter("atrim", start_sample=sound.first).filter("asetpts", "N/SR/TB")
    track = track.filter("aresample", aac_rate_hz(sound.info.rate_hz)).filter("adelay", f"{lead_in}S", all=1)
    # Only for what is lost by rounding: where more is missing, the result is to be seen to be short.
    track = track.filter("apad", pad_len=AAC_FRAME)
    return track.filter("atrim", end_sample=lead_in + samples).filter("asetpts", f"(N-{lead_in})/SR/TB")
