"""Speech to mel spectrogram, exactly as Wav2Lip hears it. Knows nothing of files, frames or networks.

The recording comes in pieces and is worked on in blocks of a few seconds, so that memory does not grow with its length,
apart from the result. The facts are those of Wav2Lip's audio.py: pre-emphasis, magnitudes (not powers) of a centred
short-time Fourier transform, Slaney mel bands, decibels clipped to 100 and mapped to -4..4.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heygem.arrays import Mel, Waveform
from heygem.errors import MediaError, Text

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 200
STEPS_PER_S = SAMPLE_RATE_HZ // HOP_SAMPLES
MEL_BANDS = 80
SILENCE = -4.0
"""The value of every band of a step in which nothing is heard."""

_WINDOW_SAMPLES = 800
_PADDING_SAMPLES = _WINDOW_SAMPLES // 2
_PRE_EMPHASIS = 0.97
_LOWEST_HZ, _HIGHEST_HZ = 55, 7600
_FLOOR = 1e-5
_REFERENCE_DB = 20
_SPAN_DB = 100
_MIN_STEPS = STEPS_PER_S // 5 + 1
_BLOCK_SAMPLES = 5 * SAMPLE_RATE_HZ

_Samples = NDArray[np.float64]


def mel_spectrogram(pieces: Iterable[Waveform], *, ends: Literal["reflect", "zeros"] = "reflect") -> Mel:
    """The mel spectrogram of a recording.

    Step n is centred at n / 80 s; a recording of s samples has 1 + s // 200 steps.

    Args:
        pieces: The recording in consecutive pieces of any length: (samples,) float32, -1..1, 16 kHz mono.
        ends: How the recording goes on for the half window beyond its ends, which two steps at either end hear.
            reflect: as librosa 0.7 did it, with which Wav2Lip was trained. zeros: as librosa does it since 0.9, which
            is what Wav2Lip's script gives where it runs today.

    Returns:
        (80, steps) float32, -4..4; a step's bands lie together in memory.

    Raises:
        MediaError: the recording is shorter than 0.2 s, or holds values that are no numbers.
        ValueError: a piece is not one-dimensional.
    """
    # Grows in place, step after step: blocks that are put together at the end would take twice as much.
    rows = bytearray()
    for block in mel_blocks(pieces, ends=ends):
        rows += block.T.tobytes()
    steps = np.frombuffer(rows, dtype=np.float32).reshape(-1, MEL_BANDS)
    if len(steps) < _MIN_STEPS:
        raise _too_short()
    return steps.T


def mel_blocks(pieces: Iterable[Waveform], *, ends: Literal["reflect", "zeros"] = "reflect") -> Iterator[Mel]:
    """The same, a few seconds at a time: (80, steps) float32 each.

    Raises:
        MediaError: the recording is too short to be reflected (25 ms), or holds values that are no numbers.
        ValueError: a piece is not one-dimensional.
    """
    heard = np.empty(0)  # From the first sample that the next step needs.
    for block in _regrouped(_pre_emphasised(pieces)):
        if not heard.size:
            if block.size <= _PADDING_SAMPLES:
                raise _too_short()
            heard = block[_PADDING_SAMPLES:0:-1] if ends == "reflect" else np.zeros(_PADDING_SAMPLES)
        heard = np.concatenate([heard, block])
        steps = _whole_windows(heard)
        if steps:
            yield _mel(heard)
            heard = heard[steps * HOP_SAMPLES :]
    if not heard.size:
        raise _too_short()
    # At least a window less one hop is left over: more than the reflection needs.
    after = heard[-2 : -2 - _PADDING_SAMPLES : -1] if ends == "reflect" else np.zeros(_PADDING_SAMPLES)
    yield _mel(np.concatenate([heard, after]))


def _whole_windows(samples: _Samples) -> int:
    """How many steps can be computed from `samples`."""
    return max(0, samples.size - _WINDOW_SAMPLES + HOP_SAMPLES) // HOP_SAMPLES


def _too_short() -> MediaError:
    return MediaError(
        Text("录音不足 0.2 秒，太短了。", "The recording is shorter than 0.2 seconds."),
        hint=Text("请换一段更长的录音。", "Use a longer recording."),
        code="audio_too_short",
    )


def _pre_emphasised(pieces: Iterable[Waveform]) -> Iterator[_Samples]:
    previous = 0.0
    for piece in pieces:
        if piece.ndim != 1:
            raise ValueError(f"A piece of sound is (samples,), got {piece.shape}.")
        if not piece.size:
            continue
        if not np.isfinite(piece).all():
            raise MediaError(
                Text("录音里有不是数字的采样值。", "The recording holds samples that are not numbers."),
                hint=Text("请重新导出这段录音，例如 16 位 WAV。", "Export it again, for example as a 16-bit WAV."),
                code="audio_damaged",
            )
        # float64, or rounding errors drown the quiet bands: the logarithm reaches down to 1e-5.
        samples = piece.astype(np.float64)
        delayed = np.concatenate([[previous], samples[:-1]])
        previous = samples[-1]
        yield samples - _PRE_EMPHASIS * delayed


def _regrouped(pieces: Iterable[_Samples]) -> Iterator[_Samples]:
    """The same samples in blocks of at least `_BLOCK_SAMPLES`, but for the last, and not much more."""
    waiting: list[_Samples] = []
    size = 0
    for piece in pieces:
        for start in range(0, piece.size, _BLOCK_SAMPLES):
            part = piece[start : start + _BLOCK_SAMPLES]
            waiting.append(part)
            size += part.size
            if size >= _BLOCK_SAMPLES:
                yield np.concatenate(waiting)
                waiting, size = [], 0
    if waiting:
        yield np.concatenate(waiting)


def _mel(samples: _Samples) -> Mel:
    """(80, steps) float32 of all whole windows in `samples`."""
    import librosa  # Slow to import, and not needed where nothing is heard.

    spectrum = librosa.stft(samples, n_fft=_WINDOW_SAMPLES, hop_length=HOP_SAMPLES, center=False)
    decibels = 20 * np.log10(np.maximum(_FLOOR, _mel_bands() @ np.abs(spectrum))) - _REFERENCE_DB
    mel: Mel = np.clip(8 * (decibels + _SPAN_DB) / _SPAN_DB - 4, -4, 4).astype(np.float32)
    return mel


@functools.cache
def _mel_bands() -> NDArray[np.float32]:
    import librosa

    bands: NDArray[np.float32] = librosa.filters.mel(
        sr=SAMPLE_RATE_HZ, n_fft=_WINDOW_SAMPLES, n_mels=MEL_BANDS, fmin=_LOWEST_HZ, fmax=_HIGHEST_HZ
    )
    return bands
