"""What a user should know of a clip's faces, and of a clip and a recording together. Looks at numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from heygem.errors import NOTHING, Notice, Text
from heygem.faces.face import FaceTrack
from heygem.faces.people import size_of
from heygem.media import Extend
from heygem.media.audio_file import AudioFile
from heygem.media.media_info import VideoInfo

LOW_COVERAGE = 0.8
"""Share of the frames with a face under which the user is told."""

CROP_PX = 96
"""Side of the picture of a face that Wav2Lip draws."""

TINY_PX = CROP_PX // 2
"""A face smaller than this is drawn from less than a quarter of the pixels that the lip model works on."""

_EXTENDED: Mapping[Extend, Text] = MappingProxyType(
    {
        "pingpong": Text("倒放再正放", "backwards and forwards"),
        "loop": Text("从头循环", "from the start again"),
        "freeze": Text("停在最后一帧", "with its last frame"),
    }
)


def length_notices(clip: VideoInfo, speech: AudioFile, extend: Extend) -> tuple[Notice, ...]:
    """What happens where the speech outlasts the clip.

    Args:
        clip: The clip.
        speech: The recording.
        extend: What follows the clip's end.
    """
    if clip.is_still or speech.duration <= clip.duration + 1 / clip.fps:
        return ()
    how = _EXTENDED[extend]
    text = Text(
        f"语音 {float(speech.duration):.1f} 秒，片段 {float(clip.duration):.1f} 秒；不足部分{how.zh}。",
        f"The speech has {float(speech.duration):.1f} s, the clip {float(clip.duration):.1f} s; it goes on {how.en}.",
    )
    return (Notice("clip_repeats", text, NOTHING),)


def face_notices(track: FaceTrack) -> tuple[Notice, ...]:
    """What to know of the face that was drawn."""
    sizes = [size_of(box) for box in track.boxes[track.found]]
    return (*coverage_notices(track.coverage), *size_notices(float(np.median(sizes)) if sizes else 0.0))


def coverage_notices(coverage: float) -> tuple[Notice, ...]:
    """What to know where some frames show no face.

    Args:
        coverage: Share of the frames with one, 0..1.
    """
    if coverage >= LOW_COVERAGE:
        return ()
    text = Text(
        f"只在 {coverage:.0%} 的画面中找到人脸，其余画面保持原样。",
        f"A face was found in only {coverage:.0%} of the frames; the others are as they were.",
    )
    return (Notice("few_faces", text),)


def size_notices(size_px: float) -> tuple[Notice, ...]:
    """What to know of a face by its size.

    Args:
        size_px: Geometric mean of the sides of its box, pixels; 0 for no face.
    """
    if size_px == 0 or size_px >= TINY_PX:
        return ()
    text = Text(
        f"人脸只有约 {size_px:.0f} 像素（模型按 {CROP_PX} 像素绘制），效果会比较模糊。",
        f"The face has only about {size_px:.0f} pixels (the model draws {CROP_PX}): the mouth will be soft.",
    )
    return (
        Notice(
            "tiny_face",
            text,
            Text("请使用更近的镜头。", "Use a closer shot."),
        ),
    )
