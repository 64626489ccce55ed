"""Pass 1 over a clip: all faces of its frames and where its scenes begin, in a few hundred bytes a frame.

Knows nothing of whose face is wanted: that is chosen in track.py, from the same detections as often as one likes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from heygem.faces.cuts import SETTLED_AFTER, CutDetector
from heygem.faces.detect import FaceDetector
from heygem.faces.face import Face
from heygem.frame import Frame

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Detections:
    """All faces of the first F frames of a clip, or of a part of it; M faces in all, by frame, best score first.

    Attributes:
        counts: (F,) int32: faces in each frame.
        boxes: (M, 4) float32, as in `Face`.
        landmarks: (M, 5, 2) float32, as in `Face`.
        scores: (M,) float32, as in `Face`.
        cuts: (F,) bool: a new scene begins with this frame; False for the first frame.
        detector: Identity of the detector that found them.
        width, height: Pixels of the frames; 0 for a clip without frames.
        is_whole: The clip is known to have no other frames.
    """

    counts: NDArray[np.int32]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]
    cuts: NDArray[np.bool_]
    detector: str
    width: int
    height: int
    is_whole: bool = False

    def __post_init__(self) -> None:
        faces = int(self.counts.sum())
        shapes = [self.counts.shape, self.boxes.shape, self.landmarks.shape, self.scores.shape]
        wanted = [self.cuts.shape, (faces, 4), (faces, 5, 2), (faces,)]
        if shapes != wanted:
            raise ValueError(f"Expected counts, boxes, landmarks and scores of {wanted}, got {shapes}.")

    def __len__(self) -> int:
        return len(self.counts)

    def first(self, count: int) -> Detections | None:
        """Those of the first `count` frames, or of all that the clip has; None where not so many are known.

        They are the same, however many more are known.
        """
        if self.is_whole and count >= len(self):
            return self
        if not self.is_whole and count + SETTLED_AFTER > len(self):
            return None
        faces = int(self.counts[:count].sum())
        return Detections(
            counts=self.counts[:count],
            boxes=self.boxes[:faces],
            landmarks=self.landmarks[:faces],
            scores=self.scores[:faces],
            cuts=self.cuts[:count],
            detector=self.detector,
            width=self.width,
            height=self.height,
        )

    def scenes(self) -> list[tuple[int, int]]:
        """First frame and frame after the last of each scene, in order."""
        edges = [0, *np.flatnonzero(self.cuts).tolist(), len(self)]
        return [(start, stop) for start, stop in pairwise(edges) if start < stop]

    def of_frames(self, start: int, stop: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Boxes (n, 4) and landmarks (n, 5, 2) of each frame from `start` to before `stop`."""
        ends = np.cumsum(self.counts)
        for end, count in zip(ends[start:stop], self.counts[start:stop], strict=True):
            yield self.boxes[end - count : end], self.landmarks[end - count : end]

    def save(self, path: Path) -> None:
        """Write an .npz file.

        Raises:
            OSError: it cannot be written.
        """
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                counts=self.counts,
                boxes=self.boxes,
                landmarks=self.landmarks,
                scores=self.scores,
                cuts=self.cuts,
                detector=np.array(self.detector),
                size=np.array([self.width, self.height]),
                is_whole=np.array(self.is_whole),
            )

    @classmethod
    def load(cls, path: Path) -> Detections:
        """Read what `save` wrote; never unpickles.

        Raises:
            OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, AttributeError: the
                file is missing or damaged.
        """
        with np.load(path, allow_pickle=False) as arrays:
            width, height = arrays["size"].tolist()
            return cls(
                counts=arrays["counts"],
                boxes=arrays["boxes"],
                landmarks=arrays["landmarks"],
                scores=arrays["scores"],
                cuts=arrays["cuts"],
                detector=str(arrays["detector"]),
                width=width,
                height=height,
                is_whole=bool(arrays["is_whole"]),
            )


def find_faces(
    frames: Iterable[Frame],
    detector: FaceDetector,
    *,
    on_batch: Callable[[int], None],
    detect: Callable[[Sequence[Frame]], list[list[Face]]] | None = None,
    cuts: CutDetector | None = None,
    at_once: int = 1,
) -> Detections:
    """Look at every frame once; no more than `at_once` batches of them are in memory.

    Args:
        frames: A clip, or a part of it.
        detector: Says how many frames it likes at once, and who it is.
        on_batch: Called after each batch with the number of frames done so far; what it raises passes.
        detect: Used in place of `detector.detect`, by a caller who wants to halve batches that do not fit the device.
        cuts: Who has watched the frames on their way here; None: they are watched here.
        at_once: Batches that are searched at once, if the detector likes as many.

    Raises:
        torch.OutOfMemoryError: a batch does not fit on the device.
    """
    detect = detect or detector.detect
    if cuts is None:
        cuts = CutDetector()
        frames = cuts.watching(frames)
    counts: list[int] = []
    faces_of_batches: list[_Faces] = []
    width = height = 0

    def batches() -> Iterator[list[Frame]]:
        nonlocal width, height
        rest = iter(frames)
        while batch := list(islice(rest, detector.batch)):
            width, height = batch[0].width, batch[0].height
            yield batch

    with closing(_in_order(detect, batches(), min(at_once, detector.at_once))) as found_in_batches:
        for found in found_in_batches:
            counts.extend(len(faces) for faces in found)
            faces_of_batches.append(_pack([face for faces in found for face in faces]))
            on_batch(len(counts))
    boxes, landmarks, scores = zip(_pack([]), *faces_of_batches, strict=True)
    return Detections(
        counts=np.array(counts, dtype=np.int32),
        boxes=np.concatenate(boxes),
        landmarks=np.concatenate(landmarks),
        scores=np.concatenate(scores),
        cuts=cuts.cuts(),
        detector=detector.identity,
        width=width,
        height=height,
    )


def _in_order(work: Callable[[T], R], items: Iterable[T], at_once: int) -> Generator[R, None, None]:
    """What `work` gives for each item, in their order; it is called for `at_once` of them at the same time."""
    if at_once == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(at_once, "search") as pool:
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(pool.submit(copy_context().run, work, item))
            del item  # it is held until it is done, and no longer
            if len(waiting) == at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_Faces: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def _pack(faces: Sequence[Face]) -> _Faces:
    """Boxes (n, 4), landmarks (n, 5, 2) and scores (n,)."""
    return (
        np.array([face.box for face in faces], dtype=np.float32).reshape(-1, 4),
        np.array([face.landmarks for face in faces], dtype=np.float32).reshape(-1, 5, 2),
        np.array([face.score for face in faces], dtype=np.float32),
    )
