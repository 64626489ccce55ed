"""Which few seconds of a result are the hardest to draw: a preview of these tells most about the rest.

Pure: knows sound as samples and faces as numbers; knows no files, no networks and not what is drawn.

A mouth is hard to draw where it moves most and where the face is least like the frontal ones that lip models have
seen. So each frame counts as much as the speech changes during it, times how far the face in it is turned away and how
small it is; frames without a face count nothing, for nothing is drawn there. All of it is known cheaply: the speech is
heard anyway, and a few frames of the clip tell where its faces turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem.arrays import Waveform
from heygem.media import Extend

_BLOCKS_HZ = 50
"""Levels of the speech in a second: a syllable has about ten."""
_SPAN_DB = 40.0
"""What is so much quieter than the loudest block is silence: its changes are noise."""
_QUIET = 0.1
"""What a frame counts in which nothing is said, as a share of the mean: in a silent recording faces decide alone."""
_TURNED = 2.0
"""What a face in profile counts more than a frontal one, which counts 1."""
_SMALL = 1.0
"""What a face counts more that is tiny against the clip's largest."""


def speech_activity(pieces: Iterable[Waveform], rate_hz: int, fps: Fraction, count: int) -> NDArray[np.float64]:
    """How much the level of a recording changes during each frame of a result: fast speech most, a held tone not.

    Args:
        pieces: The recording in consecutive pieces of any length: (samples,) float32 mono.
        rate_hz: Samples per second.
        fps, count: Rate and number of the frames.

    Returns:
        (count,), 1 on average unless nothing changes at all.
    """
    size = rate_hz // _BLOCKS_HZ
    powers: list[NDArray[np.float64]] = []
    rest = np.zeros(0, np.float32)
    for piece in pieces:
        samples = np.concatenate([rest, piece])
        whole = len(samples) // size * size
        powers.append(np.square(samples[:whole].reshape(-1, size), dtype=np.float64).mean(axis=1))
        rest = samples[whole:]
    level_db = 10 * np.log10(np.maximum(np.concatenate([np.zeros(1), *powers]), 1e-10))
    changes = np.abs(np.diff(np.maximum(level_db, level_db.max() - _SPAN_DB)))
    # Frames and blocks have their own clocks: a frame gets its share of each block that it overlaps.
    so_far = np.concatenate([np.zeros(1), np.cumsum(changes)])
    edges_s = np.arange(count + 1) / float(fps)
    activity: NDArray[np.float64] = np.diff(np.interp(edges_s, np.arange(len(so_far)) * size / rate_hz, so_far))
    mean = activity.mean()
    return activity / mean if mean > 0 else activity


def face_difficulty(boxes: NDArray[np.float32], landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """How hard each face is to draw by what is seen of it: 1 for a large frontal one, up to 4; 0 where there is none.

    Args:
        boxes: (n, 4) as in `Face`; NaN where there is none.
        landmarks: (n, 5, 2) as in `Face`; likewise.
    """
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).astype(np.float64)
    sizes = np.sqrt(np.nan_to_num(sides).prod(axis=1))
    largest = sizes.max(initial=0.0)
    smallness = 1 - sizes / largest if largest > 0 else np.zeros(len(sizes))
    left, right, nose = (landmarks[:, index].astype(np.float64) for index in range(3))
    along = right - left
    # Where the nose is between the eyes, along the line that joins them: a face that is tilted is not turned.
    off = np.abs(((nose - (left + right) / 2) * along).sum(axis=1))
    turn = np.clip(2 * off / np.maximum((along**2).sum(axis=1), 1e-6), 0, 1)
    difficulty = 1 + _TURNED * np.nan_to_num(turn) + _SMALL * smallness
    return np.where(sizes > 0, difficulty, 0.0)


def of_nearest(values: NDArray[np.float64], numbers: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """Values for all frames of a clip, of which only some are known: each takes that of the nearest one.

    Args:
        values: (n,) what is known.
        numbers: (n,) of which frames, rising; at least one.
        length: Frames of the clip.
    """
    borders = (numbers[1:] + numbers[:-1] + 1) // 2
    return values[np.searchsorted(borders, np.arange(length), side="right")]


def frames_shown(count: int, extend: Extend, length: int) -> NDArray[np.int64]:
    """(count,) the number in the clip of each frame of a result, as `VideoSource.extended` gives them.

    Args:
        count: Frames of the result.
        extend: What follows the clip's end.
        length: Frames of the clip.
    """
    numbers = np.arange(count)
    last = length - 1
    if last == 0 or extend == "freeze":
        return np.minimum(numbers, last)
    if extend == "loop":
        return numbers % length
    return last - np.abs(numbers % (2 * last) - last)


def hardest_part(
    activity: NDArray[np.float64], difficulty: NDArray[np.float64], length: int, *, step: int = 1
) -> range:
    """The `length` frames of a result in a row that are hardest; the earliest of several, all of a shorter result.

    Args:
        activity: (count,) how much is said during each frame of the result; see `speech_activity`.
        difficulty: (count,) how hard the face in it is; see `face_difficulty`.
        length: Frames wanted.
        step: The part's first frame is a multiple of it.
    """
    count = len(activity)
    if count <= length:
        return range(count)
    so_far = np.concatenate([np.zeros(1), np.cumsum((_QUIET + activity) * difficulty)])
    starts = np.arange(0, count - length + 1, step)
    # Rounded, or sums that are equal but for their last digit would not begin at the earliest.
    start = int(starts[np.argmax(np.round(so_far[starts + length] - so_far[starts], 6))])
    return range(start, start + length)
