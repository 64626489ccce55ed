"""Whether a file is taken, before any work is done on it: hostile and broken input stops here. Knows no models.

The order matters. A file is looked at before it is opened, read by a confined child before this process reads it, and
held against its limits before anything decodes all of it.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from heygem.errors import MediaError, Notice, Text
from heygem.media.audio_file import AudioFile, too_long
from heygem.media.check_args import decode_all_args, taste_args
from heygem.media.intake_notices import clip_notices, speech_notices
from heygem.media.limits import Limits
from heygem.media.media_info import ENOUGH, AudioInfo, VideoInfo
from heygem.media.open_file import check_file
from heygem.media.packets import Packets, count_packets
from heygem.media.probe import bad_size, probe_audio, probe_video, undecodable
from heygem.media.process import FfmpegProcess

log = logging.getLogger(__name__)

Role: TypeAlias = Literal["clip", "speech"]
"""What a file is to be."""

TOLERABLE = 0.01
"""Share of its pictures that may be broken."""

HOPELESS = 0.9
"""Share of broken pictures from which a clip was never meant to be read here: it is encrypted."""

_TASTE_CPU_S = 10
_TASTE_STALL_S = 4.0

_CPU_S_PER_PICTURE = 4
"""More than one takes at 8K."""

_DENSE = 50
"""Bytes a second below which a header's word on the length is not taken: no codec of sound is so small."""

_BROKEN = re.compile(r"corrupt decoded frame|Decoding error|Error while decoding stream|Error submitting")
"""What ffmpeg says once per picture that was not whole, by version."""

_TOO_LARGE = re.compile(r"Picture size (\d+)x(\d+) (?:exceeds|is invalid)")
"""What ffmpeg says of a picture with more pixels than `hardening` allows, or than it can count."""

_CLIPS_KEPT = 64
"""Clips of which it is remembered that they are whole: those of a batch that is tried again."""


@dataclass(frozen=True, slots=True)
class TakenClip:
    """A clip that is fit for work, and what to know of it."""

    info: VideoInfo
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class TakenSpeech:
    """A recording that is fit for work, and what to know of it."""

    audio: AudioFile
    notices: tuple[Notice, ...]


def inspect_quickly(path: Path, role: Role, limits: Limits) -> VideoInfo | AudioInfo:
    """What can be said of a file in a few tenths of a second: whether it is plainly not what it should be.

    Args:
        path: The file, as a user brought it.
        role: What it is to be.
        limits: What is taken.

    Raises:
        MediaError: with code bad_name, not_found, symlink, not_regular, empty_file, too_big, unreadable, undecodable,
            bad_size, bad_colours, no_video_stream, no_audio_stream, audio_too_short or too_long.
    """
    check_file(path, limits.max_file_mb)
    _taste(path)
    if role == "clip":
        clip = probe_video(path)
        _refuse_long(path, float(clip.duration), limits.max_clip_s)
        return clip
    speech = probe_audio(path)
    if speech.duration is not None and path.stat().st_size >= _DENSE * speech.duration:
        _refuse_long(path, float(speech.duration), limits.max_speech_s)
    return speech


def take_speech(path: Path, limits: Limits, on_step: Callable[[], None] = lambda: None) -> TakenSpeech:
    """Decode the whole recording, a few seconds at a time, and judge it.

    Args:
        path: The recording, or a video with sound.
        limits: What is taken.
        on_step: Called now and then; what it raises passes.

    Raises:
        MediaError: as for `inspect_quickly` and `AudioFile`; with code truncated if much of it is missing.
    """
    inspect_quickly(path, "speech", limits)
    audio = AudioFile(path, max_s=limits.max_speech_s, on_piece=on_step)
    packets = count_packets(path, audio.info.demuxer, audio.info.stream_index)
    _refuse_truncated(path, packets)
    return TakenSpeech(audio, speech_notices(audio, packets))


class ClipIntake:
    """Takes clips, on any thread. One that was found whole is not decoded again while it does not change.

    Args:
        limits: What is taken.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: OrderedDict[tuple[int, ...], TakenClip] = OrderedDict()
        self._guard = threading.Lock()

    def take(self, path: Path, on_step: Callable[[int], None] = lambda decoded: None) -> TakenClip:
        """Count the clip's pictures, decode them all, and judge it.

        Args:
            path: The clip.
            on_step: Called now and then with the number of pictures decoded so far; what it raises passes.

        Raises:
            MediaError: as for `inspect_quickly`; with code truncated if much of it is missing, damaged if more than a
                hundredth of its pictures are broken, undecodable if most are, as in one that is encrypted.
        """
        info = inspect_quickly(path, "clip", self._limits)
        assert isinstance(info, VideoInfo)
        file = path.stat()
        key = (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns)
        with self._guard:
            taken = self._known.get(key)
        if taken is None:
            taken = self._judge(path, info, on_step)
        with self._guard:
            self._known[key] = taken
            self._known.move_to_end(key)
            while len(self._known) > _CLIPS_KEPT:
                self._known.popitem(last=False)
        return taken

    def _judge(self, path: Path, info: VideoInfo, on_step: Callable[[int], None]) -> TakenClip:
        packets = count_packets(path, info.demuxer, info.stream_index)
        _refuse_long(path, packets.seconds, self._limits.max_clip_s)
        _refuse_truncated(path, packets)
        broken, pictures = _decode_all(path, info, packets.count, on_step)
        # One is always forgiven: the last picture of a clip that was cut off is never whole.
        if broken >= HOPELESS * pictures:
            raise undecodable(path, info.codec)
        if broken > max(1, TOLERABLE * pictures):
            raise MediaError(
                Text(
                    f"“{path.name}”已损坏：{pictures} 帧中有 {broken} 帧无法完整解码。",
                    f"{path.name!r} is damaged: {broken} of {pictures} pictures do not decode whole.",
                ),
                hint=Text("请重新上传，或重新导出。", "Upload it again, or export it again."),
                code="damaged",
            )
        return TakenClip(info, clip_notices(info, packets, broken, pictures))


def _refuse_long(path: Path, length_s: float, limit_s: float) -> None:
    if length_s > limit_s:
        raise too_long(path, length_s, limit_s)


def _refuse_truncated(path: Path, packets: Packets) -> None:
    if packets.is_sure and packets.share < ENOUGH:
        raise MediaError(
            Text(
                f"“{path.name}”不完整：只有应有内容的 {packets.share:.0%}。",
                f"{path.name!r} is incomplete: only {packets.share:.0%} of what it promises is there.",
            ),
            hint=Text("上传可能中断了，请重新上传。", "The upload may have broken off; upload it again."),
            code="truncated",
        )


def _taste(path: Path) -> None:
    """Let a confined child open the file first: what makes a decoder crash or hang does so there, and not here.

    A picture that would not fit in memory is found here as well. What else it thinks of the file does not matter; the
    probe tells more.
    """
    with FfmpegProcess(taste_args(path), pipe="out", stall_s=_TASTE_STALL_S, cpu_s=_TASTE_CPU_S) as child:
        _lines_of(child, lambda lines: None)
        status, complaints = child.finish(), child.complaints()
    if status > 0 and (size := _TOO_LARGE.search(complaints)):
        raise bad_size(path, int(size[1]), int(size[2]))
    if status < 0:
        log.warning("%s: ffmpeg was ended by signal %d", path.name, -status)
        raise MediaError(
            Text(f"“{path.name}”无法读取。", f"{path.name!r} cannot be read."),
            hint=Text("请重新导出后再上传。", "Export it again."),
        )


def _decode_all(path: Path, info: VideoInfo, packets: int, on_step: Callable[[int], None]) -> tuple[int, int]:
    """How many pictures are broken, and how many there are.

    Raises:
        MediaError: with code undecodable if there are none, damaged if the decoder died of them.
    """
    cpu_s = 60 + _CPU_S_PER_PICTURE * packets
    with FfmpegProcess(decode_all_args(path, info), pipe="out", cpu_s=cpu_s) as child:
        decoded = _lines_of(child, on_step)
        status = child.finish()
        complaints = child.complaints()
    # With several threads the flag of a picture may come too late to be told; the decoder's own word does not.
    broken = len(_BROKEN.findall(complaints)) or int("error while decoding" in complaints)
    if status < 0 or decoded == 0:
        raise MediaError(
            Text(f"“{path.name}”的画面无法解码。", f"The pictures of {path.name!r} cannot be decoded."),
            hint=Text("请重新导出后再上传。", "Export it again."),
            code="damaged" if decoded else "undecodable",
        ) from RuntimeError(complaints)
    return broken, max(decoded, broken)


def _lines_of(child: FfmpegProcess, on_read: Callable[[int], None]) -> int:
    """Read a child's output to its end; how many lines it had that are no comments, told on the way as well."""
    buffer = memoryview(bytearray(1 << 12))  # some 60 lines
    lines = 0
    while got := child.read_into(buffer):
        lines += buffer[:got].tobytes().count(b"\n") - buffer[:got].tobytes().count(b"#")
        on_read(lines)
    return lines
