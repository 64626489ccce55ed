"""A face in a picture, and the speaker's face through a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face, in frame pixels.

    Attributes:
        box: (4,) float32: left, top, right, bottom; forehead to chin.
        landmarks: (5, 2) float32: left eye, right eye, nose, left and right mouth corner, as seen in the picture.
        score: The detector's confidence, 0..1.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """The speaker's face in every frame of a clip.

    Attributes:
        boxes: (F, 4) float32, as in `Face`; NaN where there is none.
        landmarks: (F, 5, 2) float32, as in `Face`; NaN where there is none.
        weight: (F,) float32, 0..1: how much of what is drawn is shown. 0 where there is no face, 1 where there is one,
            between at the edges of a long gap.
        found: (F,) bool: the detector saw the face in this frame; elsewhere it is interpolated or absent.
        detector: Which detector found them.
    """

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    weight: NDArray[np.float32]
    found: NDArray[np.bool_]
    detector: str

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def coverage(self) -> float:
        """Share of the frames in which the detector saw the face, 0..1."""
        return float(self.found.mean()) if len(self.found) else 0.0
