"""Wav2Lip's mel against stored output of its own functions, and the same sound in pieces."""

from __future__ import annotations

import tracemalloc
import warnings
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from formula_weights import GOLDEN_DIR
from heygem.arrays import Mel, Waveform
from heygem.errors import MediaError
from heygem.speech.mel import SAMPLE_RATE_HZ, mel_blocks, mel_spectrogram


def golden_speech() -> Waveform:
    with wave.open(str(GOLDEN_DIR / "speechlike_16k_4s.wav")) as file:
        return (np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768).astype(np.float32)


def seconds(count: float) -> np.ndarray:
    return np.arange(int(count * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def chirp(t: np.ndarray) -> Waveform:
    return (0.5 * np.sin(2 * np.pi * (100 * t + 3500 * t**2))).astype(np.float32)


def noise(samples: int) -> Waveform:
    return np.random.default_rng(7).normal(0, 0.1, samples).astype(np.float32)


def cut(sound: Waveform, seed: int) -> Iterator[Waveform]:
    """Pieces of 0 to 9,999 samples."""
    lengths = np.random.default_rng(seed).integers(0, 10_000, sound.size)
    start = 0
    for length in lengths:
        if start >= sound.size:
            return
        yield sound[start : start + length]
        start += length


def mel_of(sound: Waveform, **options: Any) -> Mel:
    """Of a recording that may be shorter than what is accepted."""
    return np.concatenate(list(mel_blocks([sound], **options)), axis=1)


def test_speech_sounds_as_it_does_to_wav2lip() -> None:
    """The stored output is that of a current librosa, which continues the sound by zeros."""
    mel = mel_spectrogram([golden_speech()], ends="zeros")
    expected = np.load(GOLDEN_DIR / "speechlike_16k_4s_mel.npy")
    assert mel.shape == expected.shape == (80, 321)
    assert mel.dtype == np.float32
    np.testing.assert_allclose(mel, expected, rtol=0, atol=1e-4)


def test_reflection_changes_two_steps_at_either_end_and_no_others() -> None:
    mel = mel_spectrogram([golden_speech()])
    expected = np.load(GOLDEN_DIR / "speechlike_16k_4s_mel.npy")
    np.testing.assert_allclose(mel[:, 2:-2], expected[:, 2:-2], rtol=0, atol=1e-4)
    assert np.abs(mel - expected)[:, [0, 1, -2, -1]].max(axis=0).min() > 0.01


@pytest.mark.parametrize("name", ["silence_1s", "chirp_1s", "short_0p15s"])
def test_made_sounds_sound_as_they_do_to_wav2lip(name: str) -> None:
    golden = np.load(GOLDEN_DIR / "mel_synthetic.npz")
    sounds = {
        "silence_1s": np.zeros(SAMPLE_RATE_HZ, np.float32),
        "chirp_1s": chirp(seconds(1)),
        "short_0p15s": (0.3 * np.sin(2 * np.pi * 220 * seconds(0.15))).astype(np.float32),
    }
    np.testing.assert_allclose(mel_of(sounds[name], ends="zeros"), golden[name], rtol=0, atol=1e-4)


@pytest.mark.parametrize("samples", [3200, 79_999, 80_000, 80_001, 80_399, 240_123])
def test_pieces_of_any_length_give_the_same_as_one(samples: int) -> None:
    sound = noise(samples)
    whole = mel_spectrogram([sound])
    assert whole.shape == (80, 1 + samples // 200)
    for seed in range(2):
        np.testing.assert_allclose(mel_spectrogram(cut(sound, seed)), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("ends", "pad_mode"), [("reflect", "reflect"), ("zeros", "constant")])
@pytest.mark.parametrize("samples", [401, 599, 600, 3200, 80_001, 160_200, 165_000])
def test_blocks_give_the_same_as_one_transform(samples: int, ends: str, pad_mode: str) -> None:
    import librosa

    sound = noise(samples)
    emphasised = sound.astype(np.float64) - 0.97 * np.concatenate([[0], sound[:-1].astype(np.float64)])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_fft=800 is too large")
        spectrum = librosa.stft(emphasised, n_fft=800, hop_length=200, win_length=800, pad_mode=pad_mode)
    bands = librosa.filters.mel(sr=16_000, n_fft=800, n_mels=80, fmin=55, fmax=7600)
    expected = np.clip(0.08 * (20 * np.log10(np.maximum(1e-5, bands @ np.abs(spectrum))) + 80) - 4, -4, 4)
    np.testing.assert_allclose(mel_of(sound, ends=ends), expected, rtol=0, atol=1e-5)


def test_pieces_of_one_sample() -> None:
    sound = noise(4000)
    np.testing.assert_array_equal(mel_spectrogram(sound[i : i + 1] for i in range(4000)), mel_spectrogram([sound]))


def test_memory_stays_flat() -> None:
    """Four times the sound: hardly more memory than four times the result."""

    def peak_bytes(pieces: int) -> int:
        sound = noise(SAMPLE_RATE_HZ)
        tracemalloc.start()
        mel_spectrogram(sound for _ in range(pieces))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(1)  # Imports and caches.
    more_results = 2 * 90 * 80 * 80 * 4  # 90 s more, held once in blocks and once whole.
    assert peak_bytes(120) - peak_bytes(30) < more_results + 1_000_000


@pytest.mark.parametrize("samples", [0, 1, 400, 2400, 3199])
def test_too_short_a_recording_is_refused(samples: int) -> None:
    with pytest.raises(MediaError, match=r"0\.2") as refused:
        mel_spectrogram([np.zeros(samples, np.float32)])
    assert refused.value.code == "audio_too_short"


def test_no_pieces_are_too_short() -> None:
    with pytest.raises(MediaError) as refused:
        mel_spectrogram([])
    assert refused.value.code == "audio_too_short"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    sound = noise(SAMPLE_RATE_HZ)
    sound[500] = value
    with pytest.raises(MediaError) as refused:
        mel_spectrogram([sound])
    assert refused.value.code == "audio_damaged"


def test_stereo_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match=r"\(2, 5\)"):
        mel_spectrogram([np.zeros((2, 5), np.float32)])
