"""What ffmpeg and PyAV may open: these limits stand between a stranger's file and the decoders. Knows nothing else.

The lists are allow-lists: a playlist that is disguised as a video names other files or addresses, and only
``format_whitelist`` stops every form of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MIN_SIDE_PX = 64
"""A face on a smaller picture cannot be worked on."""

MAX_SIDE_PX = 8192
"""Longest side that is accepted."""

MAX_PIXELS = 7680 * 4320
"""Area of an 8K picture."""

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,asf,wav,mp3,aac,flac,ogg,w64,aiff,amr,caf,"
    "gif,apng,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
"""Containers by the names of their demuxers. image2 is not among them: it reads ``%d`` in a name as a pattern."""

INPUT_LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "protocol_whitelist": "file",
        "format_whitelist": _FORMATS,
        "max_pixels": str(MAX_PIXELS),
        # How much is read to find out what there is: bytes, microseconds.
        "probesize": "20000000",
        "analyzeduration": "10000000",
    }
)
"""Options of every input, for the ffmpeg command and for PyAV alike."""
