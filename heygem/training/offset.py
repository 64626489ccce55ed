"""Measures how late the sound of a clip is against its lips, and whether the two belong together at all.

The audio tower of the embedded default turns sound into numbers that tell mouths; on a speaker that it never saw, which
numbers mean which pixels has to be found out. A ridge regression does that on one part of the clip and is judged on
another, once for every lag. What the same regression finds between sound and picture of different moments says how
much of it is chance. Knows nothing of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from heygem.demo.articulation import FPS
from heygem.errors import MediaError, Text

MOST_LAG = 12
"""Frames that are looked for either way: half a second."""

_MOST_FRAMES = 3000
"""Two minutes are enough to measure with."""

_COMPONENTS = 6
_FOLDS = 4
_GAP_FRAMES = 12
"""Between what a regression learns from and what it is judged on."""

_STRENGTH = 1.0
"""Of the ridge, per frame, where every number that is heard has variance 1."""

_LEAST_FRAMES = 100
"""With both picture and sound; fewer tell nothing."""

_SLOW_FRAMES = 25
"""Changes over more than a second are the head's or the light's and not those of speech."""

_FIRST_CHANCE, _CHANCES = 30, 60
_CLEAR, _ABOVE_OTHERS = 4.5, 2.0
"""How far, in standard deviations of chance, a peak must lie above chance and above all lags away from it. Sixty clips
with shuffled sound came to 3.1 at most; a clip whose sound belongs to it to 7."""

_LEAST_R = 0.2
_LEAST_SPREAD = 0.02
"""Of chance: where nothing varies, neither does it, and a hair would be clear."""

_PEAK_WIDTH = 4

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Offset:
    """What was found.

    Attributes:
        frames: Of 25 a second, by which the sound comes later than the lips; below 0: earlier.
        r: Correlation of what the sound tells with the mouths at that lag, judged on frames that it was not learnt
            from: mean over the first components, weighted by their variance.
        clearness: Standard deviations of chance by which that lies above chance.
        above_others: The same above the best lag that is not near it.
    """

    frames: int
    r: float
    clearness: float
    above_others: float

    @property
    def milliseconds(self) -> int:
        """The same as `frames`."""
        return round(1000 * self.frames / FPS)

    @property
    def is_clear(self) -> bool:
        """Whether sound and picture belong together, by this lag and no other."""
        inside = abs(self.frames) < MOST_LAG
        return inside and self.r >= _LEAST_R and self.clearness >= _CLEAR and self.above_others >= _ABOVE_OTHERS


def measure_offset(heard: Floats, crops: NDArray[np.uint8], frames: NDArray[np.int32]) -> Offset:
    """The lag at which the sound tells most of the mouths.

    Args:
        heard: (N, C) what a tower makes of the sound at every frame of 25 a second, from 0 on.
        crops: (P, 96, 96, 3) pictures; the first two minutes are looked at.
        frames: (P,) at which frame each was seen, rising.
    """
    crops, frames = crops[:_MOST_FRAMES], frames[:_MOST_FRAMES]
    mouths = _mouths(crops)
    heard = _quick(heard)
    lags = range(-MOST_LAG, MOST_LAG + 1)
    found = np.array([_agreement(heard, mouths, frames + lag) for lag in lags])
    chance = np.array([_agreement(heard, mouths, (frames + far) % len(heard)) for far in _far_lags(len(heard))])
    best = int(found.argmax())
    others = np.delete(found, np.arange(max(0, best - _PEAK_WIDTH + 1), min(len(found), best + _PEAK_WIDTH)))
    spread = max(float(chance.std()), _LEAST_SPREAD)
    return Offset(
        frames=lags[best],
        r=float(found[best]),
        clearness=float(found[best] - chance.mean()) / spread,
        above_others=float(found[best] - others.max()) / spread,
    )


def refuse_unclear(offset: Offset, name: str) -> None:
    """Raise unless sound and picture belong together.

    Args:
        offset: As measured.
        name: Of the clip, for the user.

    Raises:
        MediaError: they do not, with code no_sync.
    """
    if not offset.is_clear:
        raise MediaError(
            Text(
                f"“{name}”的声音与嘴型对不上（相关系数 {offset.r:.2f}）。",
                f"The sound of {name!r} does not match its lips (r {offset.r:.2f}).",
            ),
            hint=Text(
                "请使用原声、未配音、没有背景音乐的说话视频，越长越好。",
                "Use a clip with its own sound, not dubbed and without music; longer is better.",
            ),
            code="no_sync",
        )


def _far_lags(count: int) -> list[int]:
    """Lags so large that sound and picture have nothing to do with each other."""
    return [round(lag) for lag in np.linspace(_FIRST_CHANCE, count - _FIRST_CHANCE, _CHANCES)]


def _agreement(heard: Floats, mouths: Floats, moments: NDArray[np.int32]) -> float:
    """Correlation of mouths with what the sound of `moments` tells of them, on frames that were not learnt from."""
    inside = (moments >= 0) & (moments < len(heard))
    sound, wanted = heard[moments[inside]], mouths[inside]
    count = len(wanted)
    if count < _LEAST_FRAMES:
        return 0.0
    told = np.zeros_like(wanted)
    edges = np.linspace(0, count, _FOLDS + 1).astype(int)
    for first, end in pairwise(edges):
        learnt = np.r_[0 : max(0, first - _GAP_FRAMES), min(count, end + _GAP_FRAMES) : count]
        told[first:end] = _ridge(sound[learnt], wanted[learnt], sound[first:end])
    weights = wanted.var(0)
    return float((_correlations(told, wanted) * weights).sum() / max(float(weights.sum()), 1e-9))


def _ridge(sound: Floats, wanted: Floats, asked: Floats) -> Floats:
    """What `asked` tells, by what was learnt from `sound` and `wanted`."""
    mean, spread = sound.mean(0), sound.std(0) + 1e-3
    known = (sound - mean) / spread
    inner = known.T @ known + _STRENGTH * len(known) * np.eye(known.shape[1], dtype=np.float32)
    weights = np.linalg.solve(inner, known.T @ (wanted - wanted.mean(0)))
    told: Floats = (asked - mean) / spread @ weights + wanted.mean(0)
    return told


def _correlations(first: Floats, second: Floats) -> Floats:
    """(K,) Pearson's r of each column; 0 where one does not move."""
    first, second = first - first.mean(0), second - second.mean(0)
    sizes = np.sqrt((first**2).sum(0) * (second**2).sum(0))
    r: Floats = (first * second).sum(0) / np.maximum(sizes, 1e-6)
    return r


def _mouths(crops: NDArray[np.uint8]) -> Floats:
    """(P, 6): the quick part of the first principal components of the mouths."""
    grey = np.stack([crop[56:92, 22:74].mean(2, dtype=np.float32) for crop in crops])
    small = grey.reshape(len(grey), 18, 2, 26, 2).mean((2, 4)).reshape(len(grey), -1)
    quick = _quick(small)
    quick -= quick.mean(0)
    _, axes = np.linalg.eigh(quick.T @ quick)
    components: Floats = quick @ axes[:, ::-1][:, :_COMPONENTS]
    return components


def _quick(curves: Floats) -> Floats:
    """(N, C) curves without what changes slowly: less their moving mean."""
    half = _SLOW_FRAMES // 2
    padded = np.pad(curves, ((half + 1, half), (0, 0)), mode="edge")
    sums = padded.cumsum(0, dtype=np.float64)
    quick: Floats = (curves - (sums[_SLOW_FRAMES:] - sums[:-_SLOW_FRAMES]) / _SLOW_FRAMES).astype(np.float32)
    return quick
