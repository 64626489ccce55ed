"""Faces by OpenCV's bundled Haar cascade (Viola & Jones 2001): needs no weights to be downloaded.

Finds upright faces that look into the camera. Landmarks are not seen but estimated from the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from heygem.errors import Text, WeightsMissingError
from heygem.faces.face import Face
from heygem.faces.picture import working_luma
from heygem.frame import Frame

_CASCADE = "haarcascade_frontalface_alt2"
"""Of the three frontal cascades the one that finds most and is wrong least."""
_LONG_SIDE_PX = 400
_SCALE_STEP = 1.1
_MIN_NEIGHBOURS = 4
"""Neighbouring windows that must agree; with fewer, patterns in clothes and curtains pass for faces."""
_MIN_FACE_SHARE = 0.08
"""Smallest face that is looked for, as a share of the picture's shorter side."""
_WEAKEST, _STRONGEST = 54.0, 58.5
"""Range of the cascade's weights; 55 to 58 in real faces, 54 to 55.7 in patterns."""
_MIN_SCORE = 0.2
_BOX = np.array([0.08, 0.0, 0.92, 1.16], dtype=np.float32)
"""Forehead to chin within the square that the cascade answers, as shares of its side."""
_LANDMARKS = np.array(
    [[0.325, 0.405], [0.675, 0.405], [0.5, 0.605], [0.36, 0.815], [0.64, 0.815]],
    dtype=np.float32,
)
"""Where RetinaFace sees the landmarks of frontal faces within that square: mean of five clips, made symmetric."""


class HaarDetector:
    """A `faces.detect.FaceDetector` without weights; works on the CPU, on the luma plane alone.

    Raises:
        WeightsMissingError: this OpenCV came without its cascades.
    """

    def __init__(self) -> None:
        path = Path(cv2.__file__).parent / "data" / f"{_CASCADE}.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise WeightsMissingError(
                Text(f"OpenCV 没有附带 {path.name}。", f"OpenCV came without {path.name}."),
                hint=Text("请安装 opencv-python 4.x。", "Install opencv-python 4.x."),
            )

    @property
    def identity(self) -> str:
        """Changes whenever the same picture could give other faces."""
        return f"haar-frontalface-alt2-opencv{cv2.__version__}/{_LONG_SIDE_PX}px/neighbours{_MIN_NEIGHBOURS}"

    @property
    def batch(self) -> int:
        """Frames that `detect` likes to get at once."""
        return 4

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Faces of each frame, best score first.

        Args:
            frames: Pictures on any device.
        """
        return [self._faces_of(frame) for frame in frames]

    def _faces_of(self, frame: Frame) -> list[Face]:
        luma = working_luma(frame, _LONG_SIDE_PX).cpu().numpy()
        smallest = max(24, round(_MIN_FACE_SHARE * min(luma.shape)))
        squares, _, weights = self._cascade.detectMultiScale3(
            luma, _SCALE_STEP, _MIN_NEIGHBOURS, minSize=(smallest, smallest), outputRejectLevels=True
        )
        scale = frame.width / luma.shape[1]
        faces = [
            _face(np.asarray(square, dtype=np.float32) * scale, float(weight))
            for square, weight in zip(squares, weights, strict=True)
        ]
        return sorted((face for face in faces if face.score >= _MIN_SCORE), key=lambda face: -face.score)


def _face(square: NDArray[np.float32], weight: float) -> Face:
    """The face in a square (left, top, width, height) in frame pixels."""
    corner, side = square[:2], square[2]
    score = float(np.clip((weight - _WEAKEST) / (_STRONGEST - _WEAKEST), 0, 1))
    return Face(np.tile(corner, 2) + _BOX * side, corner + _LANDMARKS * side, score)
