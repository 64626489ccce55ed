"""How like two videos are where the face is."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor

from heygem.frame import Frame
from heygem.media.video_source import VideoSource


def face_psnr_db(video: Path, reference: Path, box: tuple[int, int, int, int]) -> float:
    """Peak signal-to-noise ratio over all samples (Y, U and V) of a rectangle in all frames, dB; inf if they are equal.

    Args:
        video, reference: Of one size and length.
        box: Left, top, right, bottom in pixels.

    Raises:
        ValueError: they differ in length.
    """
    squares, samples = 0.0, 0
    pairs = zip(VideoSource(video).frames(), VideoSource(reference).frames(), strict=True)
    for one, other in pairs:
        for plane, wanted in zip(_planes(one, box), _planes(other, box), strict=True):
            squares += float((plane.double() - wanted.double()).square().sum())
            samples += plane.numel()
    return math.inf if squares == 0 else 10 * math.log10(255**2 * samples / squares)


def _planes(frame: Frame, box: tuple[int, int, int, int]) -> list[Tensor]:
    left, top, right, bottom = (max(0, edge) for edge in box)
    chroma = (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
    return [frame.y[top:bottom, left:right], frame.u[chroma], frame.v[chroma]]
