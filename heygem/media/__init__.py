"""Files to frames and sound, and back. Knows ffmpeg; knows no faces and no networks."""

from typing import Literal, TypeAlias

Codec: TypeAlias = Literal["h264", "hevc", "h264_nvenc", "hevc_nvenc"]
"""How a result's picture is encoded."""

Extend: TypeAlias = Literal["pingpong", "loop", "freeze"]
"""What follows a clip's end: backwards and forwards, from the start again, or its last frame."""
