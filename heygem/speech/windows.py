"""Which 16 steps of a mel spectrogram are heard at a time. Knows nothing of sound, frames or networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from heygem.arrays import Mel
from heygem.disk import appearing
from heygem.speech import Tail
from heygem.speech.mel import MEL_BANDS, SILENCE, STEPS_PER_S

WINDOW_STEPS = 16


class MelWindows:
    """The mel windows of a recording: what a lip generator of Wav2Lip's kind hears. Shared, never changed.

    Args:
        mel: (80, steps) float32, 80 steps per second.
        lead_s: How long before a time its window starts. Wav2Lip is trained on windows around the frame and run on
            windows that start at it: 0 is its own rule.
        tail: What is heard outside the recording. silence: silence. wav2lip: nothing is ever heard outside; a window
            that would reach out is the first or the last 16 steps, as Wav2Lip's own script does it.

    Raises:
        ValueError: `mel` has another shape.
    """

    def __init__(self, mel: Mel, *, lead_s: Fraction = Fraction(0), tail: Tail = "silence") -> None:
        if mel.ndim != 2 or mel.shape[0] != MEL_BANDS:
            raise ValueError(f"Expected a mel spectrogram ({MEL_BANDS}, steps), got {mel.shape}.")
        self._mel = mel
        self._lead_s = lead_s
        self._tail = tail

    @classmethod
    def load(cls, path: Path) -> MelWindows:
        """What `save` left.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds something else.
        """
        with np.load(path) as kept:
            lead_s = Fraction(*(int(number) for number in kept["lead_s"]))
            return cls(kept["mel"], lead_s=lead_s, tail=cast(Tail, str(kept["tail"])))

    def save(self, path: Path) -> None:
        """Keep them for another process: 1.5 MB a minute.

        Raises:
            OSError: the file cannot be written.
        """
        with appearing(path) as part, part.open("wb") as file:
            np.savez(file, mel=self._mel, lead_s=self._lead_s.as_integer_ratio(), tail=self._tail)

    def at(self, times_s: Sequence[Fraction]) -> Tensor:
        """What is heard at these times from the start of the recording.

        Returns:
            (N, 1, 80, 16) float32 on the CPU, -4..4.
        """
        windows = np.full((len(times_s), 1, MEL_BANDS, WINDOW_STEPS), SILENCE, dtype=np.float32)
        steps = self._mel.shape[1]
        for window, start in zip(windows, self.window_starts(times_s), strict=True):
            first, last = max(start, 0), min(start + WINDOW_STEPS, steps)
            if first < last:
                window[0, :, first - start : last - start] = self._mel[:, first:last]
        return torch.from_numpy(windows)

    def window_starts(self, times_s: Sequence[Fraction]) -> list[int]:
        """The first step of the window of each time. Exact: no step is lost to rounding, however long the recording."""
        starts = [math.floor((time_s - self._lead_s) * STEPS_PER_S) for time_s in times_s]
        if self._tail == "silence":
            return starts
        last = max(0, self._mel.shape[1] - WINDOW_STEPS)
        return [min(max(start, 0), last) for start in starts]
