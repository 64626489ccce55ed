"""A still picture of a video, for lists and players that have not started."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2

from heygem.faces.picture import working_pictures
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
        picture = working_pictures([next(frames)], _LONG_SIDE_PX)[0]
    bgr = picture.flip(0).permute(1, 2, 0).round().byte().numpy()
    part = path.with_suffix(".part.jpg")
    # OpenCV would not say why it could not write a file.
    part.write_bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return part.replace(path)
