"""The same speech through other rooms, microphones and throats; timing stays. Knows nothing of mouths."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from heygem.arrays import Waveform
from heygem.demo.voice import SAMPLE_RATE_HZ

Samples: TypeAlias = NDArray[np.float64]


def augment(sound: Waveform, rng: np.random.Generator) -> Waveform:
    """`sound` with random equalisation, reverberation, distortion, breath, loudness and background noise.

    Args:
        sound: At 16 kHz.
        rng: Chooses.

    Returns:
        Of the same length; every moment where it was.
    """
    out = sound.astype(np.float64)
    if rng.random() < 0.7:
        out = _equalised(out, rng.normal(0, 5, 9))
    if rng.random() < 0.35:
        out = _reverberant(out, rng)
    if rng.random() < 0.3:
        drive = rng.uniform(2, 8)
        out = np.tanh(out * drive) / drive
    if rng.random() < 0.3:
        out = out + _envelope(out) * rng.normal(size=len(out)) * rng.uniform(0.1, 0.6)
    out = out / (np.abs(out).max() + 1e-6) * 10 ** (rng.uniform(-16, -0.5) / 20)
    if rng.random() < 0.75:
        out = out + _background(len(out), rng) * 10 ** (rng.uniform(-75, -32) / 20)
    result: Waveform = out.astype(np.float32)
    return result


def _equalised(sound: Samples, gains_db: Samples) -> Samples:
    spectrum = np.fft.rfft(sound)
    gain = np.interp(np.linspace(0, 1, len(spectrum)), np.linspace(0, 1, len(gains_db)), gains_db)
    return np.fft.irfft(spectrum * 10 ** (gain / 20), len(sound))


def _reverberant(sound: Samples, rng: np.random.Generator) -> Samples:
    length = int(SAMPLE_RATE_HZ * rng.uniform(0.05, 0.3))
    echoes = rng.normal(size=length) * np.exp(-np.linspace(0, rng.uniform(4, 8), length))
    echoes[0] = rng.uniform(3, 9)
    whole = len(sound) + length
    return np.fft.irfft(np.fft.rfft(sound, whole) * np.fft.rfft(echoes / echoes[0], whole), whole)[: len(sound)]


def _envelope(sound: Samples) -> Samples:
    """How loud the sound is at each moment, over the last 3 ms."""
    memory = 0.98 ** np.arange(400) * 0.02
    return np.convolve(np.abs(sound), memory)[: len(sound)]


def _background(length: int, rng: np.random.Generator) -> Samples:
    """Noise of standard deviation 1, from white to a rumble."""
    pole = rng.choice([0, 0.9, 0.97])
    spectrum = np.fft.rfft(rng.normal(size=length))
    spectrum /= np.abs(1 - pole * np.exp(-1j * np.linspace(0, np.pi, len(spectrum))))
    noise = np.fft.irfft(spectrum, length)
    result: Samples = noise / (noise.std() + 1e-9)
    return result
