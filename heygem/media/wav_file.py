"""Sound into a WAV file. Reading one is `audio_file`'s, as with every other kind."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from heygem.arrays import Waveform


def write_wav(path: Path, sound: Waveform, rate_hz: int) -> None:
    """Write a mono WAV file of 16 bits.

    Args:
        path: Where to.
        sound: (samples,) -1..1; what is louder is cut off.
        rate_hz: Samples per second.

    Raises:
        OSError: it cannot be written.
    """
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
