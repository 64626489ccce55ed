"""A still picture of a video, for lists and players that have not started."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from heygem.faces.picture import small_jpeg
from heygem.media.video_source import VideoSource

_LONG_SIDE_PX = 640


def make_poster(video: Path, path: Path) -> Path:
    """Write the first frame of `video` as a JPEG of at most 640 pixels.

    Returns:
        `path`.

    Raises:
        MediaError: the video cannot be read.
    """
    with closing(VideoSource(video).frames()) as frames:
        picture = small_jpeg(next(frames), _LONG_SIDE_PX, quality=85)
    part = path.with_suffix(".part.jpg")
    part.write_bytes(picture)
    return part.replace(path)
