"""Faces by OpenCV's bundled Haar cascade (Viola & Jones 2001): needs no weights to be downloaded.

Finds upright faces that look into the camera. Landmarks are not seen but estimated from the box.

A search of a whole picture costs as much as drawing a mouth several times over, and faces hardly move from one picture
to the next. So of the pictures that come at once only the first and the last are searched wholly. The one halfway
between them is searched around the faces that both show, then those halfway in either half, and so on: the nearer two
pictures are, the better they tell where the faces between them are. Wherever that is not plainly enough, the picture is
searched wholly as well.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from heygem.cores import each
from heygem.errors import Text, WeightsMissingError
from heygem.faces.face import Face
from heygem.faces.picture import Picture, working_luma
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


BATCH = 32
"""Frames that are searched at once, two of them wholly; all are in memory."""
AT_ONCE = 2
"""Batches that are searched at once: a batch begins and ends with fewer looks than there are cores."""
_SIDE_CHANGE = 1.5
"""How much smaller and larger than in two pictures a face is looked for between them; with less, its size is wrong more
often."""
_MARGIN = 0.3
"""How far around the two places it is looked for, as a share of its side."""

_Squares: TypeAlias = NDArray[np.float32]
"""(n, 4): left, top and side in pixels of the working picture, then the cascade's weight."""


class HaarDetector:
    """A `faces.detect.FaceDetector` without weights; works on the CPU, on the luma plane alone, in several threads.

    Raises:
        WeightsMissingError: this OpenCV came without its cascades.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._cascade()

    @property
    def identity(self) -> str:
        """Changes whenever the same picture could give other faces."""
        return f"haar-frontalface-alt2-opencv{cv2.__version__}/{_LONG_SIDE_PX}px/neighbours{_MIN_NEIGHBOURS}/halfway"

    @property
    def batch(self) -> int:
        """Frames that `detect` likes to get at once: consecutive ones."""
        return BATCH

    @property
    def at_once(self) -> int:
        """Batches that it likes to have in hand at once."""
        return AT_ONCE

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Faces of each frame, best score first.

        Args:
            frames: Consecutive pictures of one size, on any device.
        """
        numbers = range(len(frames))
        ends = [at for at in numbers if at in (0, numbers[-1])]
        between = [at for at in numbers if at not in ends]

        def first_look(at: int) -> tuple[Picture, _Squares | None]:
            luma = _luma(frames[at])
            return luma, self._everywhere(luma) if at in ends else None

        def look_between(three: tuple[int, int, int]) -> _Squares:
            before, at, after = three
            return self._around(_places(found[before], found[after]), lumas[at])

        # The whole searches first: they take longest.
        looks = dict(zip(ends + between, each(first_look, ends + between), strict=True))
        lumas = {at: luma for at, (luma, _) in looks.items()}
        found = {at: squares for at, (_, squares) in looks.items() if squares is not None}
        for threes in _rounds(len(frames)):
            found |= zip([at for _, at, _ in threes], each(look_between, threes), strict=True)
        return [_faces(found[at], frame.width / lumas[at].shape[1]) for at, frame in enumerate(frames)]

    def _everywhere(self, luma: Picture) -> _Squares:
        smallest = max(24, round(_MIN_FACE_SHARE * min(luma.shape)))
        return self._search(luma, smallest, min(luma.shape))

    def _around(self, places: Sequence[_Place], luma: Picture) -> _Squares:
        """The faces of a picture: one at each of the places, or else whatever a search of all of it finds."""
        found = [self._at(place, luma) for place in places]
        if not found or any(len(squares) != 1 for squares in found):
            return self._everywhere(luma)
        return np.concatenate(found)

    def _at(self, place: _Place, luma: Picture) -> _Squares:
        part = luma[place.top : place.bottom, place.left : place.right]
        squares = self._search(part, place.smallest, place.largest)
        return squares + np.array([place.left, place.top, 0, 0], np.float32)

    def _search(self, luma: Picture, smallest: int, largest: int) -> _Squares:
        squares, _, weights = self._cascade().detectMultiScale3(
            luma,
            _SCALE_STEP,
            _MIN_NEIGHBOURS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
            outputRejectLevels=True,
        )
        rows = [(*square[:3], weight) for square, weight in zip(squares, weights, strict=True)]
        found = np.array(rows, dtype=np.float32).reshape(-1, 4)
        return found[_scores(found[:, 3]) >= _MIN_SCORE]

    def _cascade(self) -> cv2.CascadeClassifier:
        """The cascade of this thread: one cannot search two pictures at once."""
        cascade: cv2.CascadeClassifier | None = getattr(self._of_thread, "cascade", None)
        if cascade is None:
            path = Path(cv2.__file__).parent / "data" / f"{_CASCADE}.xml"
            cascade = cv2.CascadeClassifier(str(path))
            if cascade.empty():
                raise WeightsMissingError(
                    Text(f"OpenCV 没有附带 {path.name}。", f"OpenCV came without {path.name}."),
                    hint=Text("请安装 opencv-python 4.x。", "Install opencv-python 4.x."),
                )
            self._of_thread.cascade = cascade
        return cascade


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one face is looked for in a working picture, and how large, in pixels."""

    left: int
    top: int
    right: int
    bottom: int
    smallest: int
    largest: int

    @classmethod
    def around(cls, one: _Squares, other: _Squares) -> _Place:
        """Two squares (4,) of one face and the way between them."""
        margin = _MARGIN * max(one[2], other[2])
        left, top = (int(value) for value in np.minimum(one[:2], other[:2]) - margin)
        right, bottom = (int(value) for value in np.maximum(one[:2] + one[2], other[:2] + other[2]) + margin)
        smallest, largest = int(min(one[2], other[2]) / _SIDE_CHANGE), int(max(one[2], other[2]) * _SIDE_CHANGE)
        return cls(max(0, left), max(0, top), right, bottom, smallest, largest)


def _rounds(count: int) -> Iterator[list[tuple[int, int, int]]]:
    """All of so many pictures but the first and the last, each between the two around it that are looked at before.

    What is in one round can be done at once.
    """
    spans = [(0, count - 1)]
    while threes := [(first, (first + last) // 2, last) for first, last in spans if last - first > 1]:
        yield threes
        spans = [half for first, middle, last in threes for half in ((first, middle), (middle, last))]


def _places(first: _Squares, last: _Squares) -> list[_Place]:
    """Where the faces are that both pictures show; none where they do not show as many.

    Faces of two people may be taken for one here: two are seen at its place then, or none, and all of the picture is
    searched.
    """
    if len(first) != len(last):
        return []
    from_left = (sorted(squares, key=lambda square: float(square[0])) for squares in (first, last))
    return [_Place.around(one, other) for one, other in zip(*from_left, strict=True)]


def _luma(frame: Frame) -> Picture:
    return working_luma(frame, _LONG_SIDE_PX)


def _scores(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    shares: NDArray[np.float32] = np.clip((weights - _WEAKEST) / (_STRONGEST - _WEAKEST), 0, 1)
    return shares


def _faces(squares: _Squares, scale: float) -> list[Face]:
    """The faces in squares of a working picture whose pixels are `scale` wide in the frame, best score first."""
    faces = []
    for square, score in zip(squares * np.float32(scale), _scores(squares[:, 3]), strict=True):
        corner, side = square[:2], square[2]
        faces.append(Face(np.tile(corner, 2) + _BOX * side, corner + _LANDMARKS * side, float(score)))
    return sorted(faces, key=lambda face: -face.score)
