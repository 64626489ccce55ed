"""Take the jitter out of an unbroken run of boxes and landmarks, keep the movement.

Knows nothing of gaps, scenes or people.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from heygem.faces import Smoothing

Floats: TypeAlias = NDArray[np.float64]

_OUTLIER_WINDOW = 5
_OUTLIER_SHARE = 0.03
"""A value that is further from the median around it than this share of the face's size, and than three times what its
neighbours are, is a detector's slip. Movement is not: it does not leave its neighbours behind."""
_BASE_SIGMA_S = 0.04
"""Gaussian that every signal gets: a head that nods twice a second keeps nine tenths of its way."""
_SIGMA_PER_NOISE_S = 0.04
"""What one per cent of the face's size of jitter adds to it."""
_MAX_SIGMA_S = 0.1
_SIZE_FACTOR = 2.0
"""Sizes change slowly, and a box that breathes is seen at once."""
_WAV2LIP_WINDOW = 5


def smooth_run(
    boxes: NDArray[np.float32], landmarks: NDArray[np.float32], how: Smoothing, fps: Fraction
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes and landmarks of consecutive frames, smoothed in time.

    Args:
        boxes: (n, 4) left, top, right, bottom.
        landmarks: (n, 5, 2).
        how: steady: outliers out, then a Gaussian that is as wide as the jitter asks for, centre, size and landmarks
            each for itself; wav2lip: Wav2Lip's forward mean of 5 whole-pixel boxes, landmarks as they are; none.
        fps: Frames per second.

    Returns:
        Of the same shapes.
    """
    if how == "none" or len(boxes) == 0:
        return boxes, landmarks
    if how == "wav2lip":
        return wav2lip_boxes(boxes.astype(np.int64)).astype(np.float32), landmarks
    corners = boxes.astype(np.float64)
    centre, size = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    face_px = float(np.median(size))
    centre = _steady(centre, face_px, fps)
    half = _steady(size, face_px, fps, factor=_SIZE_FACTOR) / 2
    points = _steady(landmarks.astype(np.float64).reshape(-1, 10), face_px, fps).reshape(-1, 5, 2)
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32), points.astype(np.float32)


def wav2lip_boxes(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Wav2Lip's smoothing: each box becomes the mean of itself and the four after it, cut to whole pixels, in place.

    The last four get the mean of the last five, some of which are smoothed by then. (Rudrabha/Wav2Lip, inference.py.)

    Args:
        boxes: (n, 4).
    """
    smoothed = boxes.copy()
    for index in range(len(smoothed)):
        first = max(0, min(index, len(smoothed) - _WAV2LIP_WINDOW))
        smoothed[index] = np.trunc(smoothed[first : first + _WAV2LIP_WINDOW].mean(axis=0))
    return smoothed


def _steady(signal: Floats, face_px: float, fps: Fraction, factor: float = 1.0) -> Floats:
    """(n, k) without outliers and jitter."""
    signal = _without_outliers(signal, face_px)
    sigma_s = min(_MAX_SIGMA_S, _BASE_SIGMA_S + _SIGMA_PER_NOISE_S * 100 * _noise(signal) / face_px)
    return _gaussian(signal, factor * sigma_s * float(fps))


def _without_outliers(signal: Floats, face_px: float) -> Floats:
    """Hampel's filter: what stands out is replaced by the median around it, all else stays (J. Am. Stat. 69, 1974)."""
    median = _median(signal)
    deviation = np.abs(signal - median)
    limit = np.maximum(_OUTLIER_SHARE * face_px, 3 * 1.4826 * _median(deviation))
    return np.where(deviation > limit, median, signal)


def _median(signal: Floats) -> Floats:
    around = _OUTLIER_WINDOW // 2
    if len(signal) <= around:
        return signal
    padded = _continued(signal, around)
    return np.median(sliding_window_view(padded, _OUTLIER_WINDOW, axis=0), axis=-1)


def _noise(signal: Floats) -> float:
    """Standard deviation of what is not movement, of the worst of k; even movement has no second differences."""
    if len(signal) < 3:
        return 0.0
    each = np.median(np.abs(np.diff(signal, n=2, axis=0)), axis=0) * 1.4826 / np.sqrt(6)
    return float(each.max())


def _gaussian(signal: Floats, sigma: float) -> Floats:
    """Symmetric in time, of the same length."""
    radius = min(round(3 * sigma), len(signal) - 1)
    if radius < 1:
        return signal
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    smoothed: Floats = sliding_window_view(_continued(signal, radius), len(kernel), axis=0) @ (kernel / kernel.sum())
    return smoothed


def _continued(signal: Floats, count: int) -> Floats:
    """With `count` values more at both ends, mirrored and turned about the end, so that movement there goes on."""
    return np.pad(signal, ((count, count), (0, 0)), mode="reflect", reflect_type="odd")
