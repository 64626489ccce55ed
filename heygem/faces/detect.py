"""The contract of a face detector: retinaface.py and haar.py keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from heygem.faces.face import Face
from heygem.frame import Frame


class FaceDetector(Protocol):
    """Finds faces in pictures."""

    @property
    def identity(self) -> str:
        """Changes whenever the same picture could give other faces: name, weights, working size, thresholds."""
        ...

    @property
    def batch(self) -> int:
        """Frames that `detect` likes to get at once."""
        ...

    @property
    def at_once(self) -> int:
        """Batches that it likes to have in hand at once, each in a call of its own on a thread of its own."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Faces of each frame, best score first; an empty list where there is none.

        Args:
            frames: Pictures of one size, on any device.

        Raises:
            torch.OutOfMemoryError: they do not fit on the device; nothing is kept of them.
        """
        ...
