"""Where one scene of a clip ends and the next begins: hard cuts, found in tiny pictures of its frames.

Knows nothing of faces. Dissolves are no cuts: nothing jumps in them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own convention
from numpy.typing import NDArray

from heygem.frame import Frame

_WIDTH, _HEIGHT = 32, 18
_BINS = 16
_AROUND = 3
"""Frames before and after that a change is compared with."""
SETTLED_AFTER = _AROUND
"""Frames after one that decide with it whether it is a cut."""
_MIN_CHANGE = 6.0
"""Mean change of a pixel, of 255, below which nothing is a cut: a speaker's head moves 1 to 3."""
_ALONE = 2.5
"""A cut changes the picture so many times more than any frame around it, while motion goes on for several frames."""
_NEW_LIGHT = 0.3
"""Share of the pixels that must change their brightness class for a cut in the midst of motion to count: what moves
keeps its brightness."""
_ALONE_IN_NEW_LIGHT = 1.4
_RETURNED = 0.35
"""A flash is over when the picture differs from the one before by less than this share of the change."""


class CutDetector:
    """Takes a clip frame by frame and keeps a few numbers of each."""

    def __init__(self) -> None:
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=_AROUND + 1)
        self._histogram: NDArray[np.float64] | None = None
        self._changes: list[list[float]] = []
        self._new_light: list[float] = []

    def add(self, frame: Frame) -> None:
        """Look at the next frame."""
        # Every n-th pixel is enough for a mean over a 32nd of the width, and spares reading the whole plane.
        stride = max(1, min(frame.width // (_WIDTH * 8), frame.height // (_HEIGHT * 8)))
        # Not torch's own conversion: it would share out this little among all cores.
        sparse = torch.from_numpy(frame.y[::stride, ::stride].cpu().numpy().astype(np.float32))
        tiny = F.adaptive_avg_pool2d(sparse[None, None], (_HEIGHT, _WIDTH))[0, 0].numpy()
        counts = np.histogram(tiny, bins=_BINS, range=(0, 256))[0] / tiny.size
        changes = [float(np.abs(tiny - earlier).mean()) for earlier in reversed(self._recent)]
        self._changes.append(changes + [np.inf] * (_AROUND + 1 - len(changes)))
        self._new_light.append(0.0 if self._histogram is None else float(np.abs(counts - self._histogram).sum() / 2))
        self._recent.append(tiny)
        self._histogram = counts

    def watching(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass frames on, each looked at before."""
        for frame in frames:
            self.add(frame)
            yield frame

    def cuts(self) -> NDArray[np.bool_]:
        """(F,) bool: a new scene begins with this frame. The first frame does not count as a cut."""
        changes = np.array(self._changes, dtype=np.float64).reshape(-1, _AROUND + 1)
        return np.array([index > 0 and self._is_cut(changes, index) for index in range(len(changes))], dtype=bool)

    def _is_cut(self, changes: NDArray[np.float64], index: int) -> bool:
        change = changes[index, 0]
        around = np.concatenate([changes[max(1, index - _AROUND) : index, 0], changes[index + 1 :, 0][:_AROUND]])
        if change < _MIN_CHANGE or _is_flash(changes, index):
            return False
        liveliest = around.max(initial=0.0)
        if self._new_light[index] > _NEW_LIGHT:
            return bool(change > _ALONE_IN_NEW_LIGHT * liveliest)
        return bool(change > _ALONE * liveliest)


def _is_flash(changes: NDArray[np.float64], index: int) -> bool:
    """Whether the picture changes at `index` only to become again what it was, or does become so.

    Args:
        changes: (F, n) mean difference of each frame from the one before, the one two before, and so on.
        index: Which frame.
    """
    limit = _RETURNED * changes[index, 0]
    ahead = range(1, min(_AROUND, len(changes) - 1 - index) + 1)
    begins = any(changes[index + steps, steps] < limit for steps in ahead)
    return begins or bool((changes[index, 1:] < limit).any())
