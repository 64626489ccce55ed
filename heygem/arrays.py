"""Names for the arrays and tensors that pass between modules: shape, dtype, range and order.

N counts items of a batch, F frames of a clip, S is the side of a square crop in pixels. Pixel (0, 0) has its centre at
(0, 0): coordinates are those of pixel centres, x to the right, y down. Colours are RGB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor  # takes seconds to import, and who names only sound or places does without

Waveform: TypeAlias = NDArray[np.float32]
"""Mono sound: (samples,) float32, -1..1."""

Mel: TypeAlias = NDArray[np.float32]
"""Normalised log-mel spectrogram: (80, steps) float32, -4..4, 80 steps per second."""

Affine: TypeAlias = NDArray[np.float64]
"""Maps frame pixels to crop pixels: (2, 3) float64."""

Crops: TypeAlias = "Tensor"
"""Square pictures cut out of frames: (N, 3, S, S) float, RGB, 0..1."""

Heard: TypeAlias = "Tensor"
"""What a lip engine hears for each of N frames: (N, ...) float; the rest is the engine's own."""

Mask: TypeAlias = "Tensor"
"""How much of a crop replaces the frame: (N, 1, S, S) float, 0 keeps the frame, 1 takes the crop."""

Flow: TypeAlias = "Tensor"
"""Where to fetch a crop's pixel from, relative to itself: (N, 2, S, S) float, (x, y) in crop pixels."""
