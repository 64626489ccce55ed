"""Argument lists of the ffmpeg runs that only look whether a file can be read. Pure functions, run nothing.

Their output is a line per picture and not the pictures: ``wrapped_avframe`` encodes nothing.
"""

from __future__ import annotations

from pathlib import Path

import ffmpeg

from heygem.media.ffmpeg_args import THREADS, file_url
from heygem.media.hardening import INPUT_LIMITS
from heygem.media.media_info import VideoInfo

_LINES = {"c:v": "wrapped_avframe", "fps_mode": "passthrough", "f": "framecrc", "flush_packets": 1}


def taste_args(path: Path) -> list[str]:
    """Open a file and decode its first picture and sound, on one thread."""
    options = {**INPUT_LIMITS, "threads": 1}
    file = ffmpeg.input(file_url(path), **options)
    # With a question mark: what a file lacks is none of this run's business.
    output = ffmpeg.output(file["v:0?"], file["a:0?"], "pipe:1", **_LINES, **{"frames:v": 1, "frames:a": 1})
    return ["-hide_banner", "-nostdin", "-v", "error", *output.get_args()]


def decode_all_args(path: Path, info: VideoInfo) -> list[str]:
    """Decode every picture of a clip, and say on stderr which ones were not whole.

    Args:
        path: The clip.
        info: What `probe_video` found out about it.
    """
    # Without the loop filter pictures look different, and decode as they did.
    options = {"f": info.demuxer, **INPUT_LIMITS, **THREADS, "skip_loop_filter": "all"}
    limit = {"frames:v": 1} if info.is_still else {}
    pictures = ffmpeg.input(file_url(path), **options)[str(info.stream_index)]
    return [
        "-hide_banner",
        "-nostdin",
        "-v",
        "repeat+warning",
        *pictures.output("pipe:1", **_LINES, **limit).get_args(),
    ]
