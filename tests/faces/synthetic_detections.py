"""Clips that exist only as detections: faces whose every box is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heygem.faces.detections import Detections

LANDMARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], dtype=np.float32)


def box(x: float, y: float = 200, size: float = 100) -> NDArray[np.float32]:
    """A square box around (x, y)."""
    return np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2], dtype=np.float32)


def clip(frames: Sequence[Sequence[NDArray[np.float32]]], cuts: Sequence[int] = ()) -> Detections:
    """Detections of a clip from the boxes of each of its frames."""
    boxes = np.array([face for faces in frames for face in faces], dtype=np.float32).reshape(-1, 4)
    sizes = boxes[:, None, 2:] - boxes[:, None, :2]
    is_cut = np.zeros(len(frames), dtype=bool)
    is_cut[list(cuts)] = True
    return Detections(
        counts=np.array([len(faces) for faces in frames], dtype=np.int32),
        boxes=boxes,
        landmarks=boxes[:, None, :2] + sizes * LANDMARKS,
        scores=np.ones(len(boxes), dtype=np.float32),
        cuts=is_cut,
        detector="invented/1",
        width=1280,
        height=720,
    )
