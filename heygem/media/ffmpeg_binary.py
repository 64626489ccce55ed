"""Which ffmpeg runs: the one on PATH if it is new enough, else the one that imageio-ffmpeg brings."""

from __future__ import annotations

import functools
import logging
import re
import shutil
import subprocess

import imageio_ffmpeg

log = logging.getLogger(__name__)

OLDEST = (5, 1)
"""``-fps_mode`` came with ffmpeg 5.1."""


@functools.cache
def ffmpeg_binary() -> str:
    """Path of the ffmpeg program. Asked for once per process."""
    on_path = shutil.which("ffmpeg")
    if on_path is not None:
        version = _version(on_path)
        if version is None or version >= OLDEST:
            return on_path
        log.warning("ffmpeg %s at %s is older than %d.%d: using the bundled one", version, on_path, *OLDEST)
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _version(program: str) -> tuple[int, int] | None:
    """Release number of an ffmpeg; None for a development build, which is newer than any release it could be."""
    banner = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=30).stdout
    match = re.match(r"ffmpeg version n?(\d+)\.(\d+)", banner)
    return (int(match[1]), int(match[2])) if match else None


def ffmpeg_banner() -> str:
    """First line of what the program says of itself: its version."""
    banner = subprocess.run([ffmpeg_binary(), "-version"], capture_output=True, text=True, check=True, timeout=30)
    return banner.stdout.splitlines()[0].split(" Copyright")[0]


def available_encoders() -> set[str]:
    """Names of the encoders that the program was built with. Those of a graphics card also need its driver."""
    command = [ffmpeg_binary(), "-hide_banner", "-encoders"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    # Lines such as " V....D libx264  H.264 ..."; the legend above them ends in a line of dashes.
    return {line.split()[1] for line in listing.partition("------")[2].splitlines() if line.strip()}
