"""Phonemes -> what the mouth does: targets with dominance and coarticulation, hard closures. Knows nothing of pictures.

Targets overlap and are weighted by how much each sound insists on its shape (Cohen & Massaro 1993): a vowel lends its
roundness to the consonants around it, and lips that must close do close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem.demo.articulation import CHANNELS, FPS, REST, Articulation
from heygem.demo.voice import Phoneme

_HZ = 200
"""Rate that movements are computed at."""
_JAW_LED = (0, 5, 6)
"""Channels that obey the jaw's dominance; the others obey the lips'."""
_SPREAD_S = 0.055
"""How far a sound reaches into its neighbours."""
_MUSCLE_S = 0.018
"""Sigma of the smoothing that stands for the inertia of flesh."""
_SILENCE_S = 0.06
"""Pauses shorter than this do not close the mouth."""


@dataclass(frozen=True)
class _Viseme:
    """Targets of the eight channels, how strongly jaw and lips insist on them, and the IPA letters that share it."""

    letters: str
    target: tuple[float, ...]
    jaw: float
    lips: float


_SILENCE = _Viseme("", tuple(REST.tolist()), 1.2, 0.7)
_PRESSED = _Viseme("mpbɓ", (0.08, 0, 0.05, 0, 0, 0.7, 0, 0), 3.0, 0.8)
_TUCKED = _Viseme("fvɱʋ", (0.14, 0.1, 0, 0.35, 0, 0, 1, 0), 2.5, 0.9)
_VISEMES = (
    _PRESSED,
    _TUCKED,
    _Viseme("aäɐ", (0.95, 0.15, 0, 0.25, 0.3, 0, 0, 0), 1.0, 0.7),
    _Viseme("æ", (0.85, 0.55, 0, 0.35, 0.3, 0, 0, 0.1), 1.0, 0.8),
    _Viseme("ɑ", (1, 0, 0.1, 0.2, 0.3, 0, 0, 0), 1.0, 0.7),
    _Viseme("ɔɒ", (0.75, -0.2, 0.55, 0.15, 0.25, 0, 0, 0), 1.0, 0.9),
    _Viseme("əɘɤɯɵ", (0.4, 0.05, 0.05, 0.1, 0.15, 0, 0, 0.1), 0.6, 0.3),
    _Viseme("ʌɜɝɞ", (0.6, 0.1, 0, 0.15, 0.2, 0, 0, 0.05), 0.9, 0.5),
    _Viseme("e", (0.5, 0.6, 0, 0.25, 0.25, 0, 0, 0.25), 0.9, 0.8),
    _Viseme("ɛœø", (0.6, 0.45, 0, 0.25, 0.25, 0, 0, 0.2), 0.9, 0.8),
    _Viseme("i", (0.22, 0.85, 0, 0.25, 0.25, 0, 0, 0.35), 0.9, 1.0),
    _Viseme("ɪᵻj", (0.32, 0.5, 0, 0.2, 0.2, 0, 0, 0.3), 0.8, 0.7),
    _Viseme("o", (0.52, -0.3, 0.8, 0.1, 0.15, 0, 0, 0), 0.9, 1.0),
    _Viseme("u", (0.25, -0.4, 1, 0.05, 0.1, 0, 0, 0), 0.9, 1.1),
    _Viseme("ʊ", (0.32, -0.25, 0.65, 0.1, 0.1, 0, 0, 0), 0.8, 0.9),
    _Viseme("yʏ", (0.22, -0.3, 0.95, 0.1, 0.1, 0, 0, 0.3), 0.9, 1.1),
    _Viseme("ɨʉ", (0.28, 0.3, 0.05, 0.2, 0.2, 0, 0, 0.25), 0.8, 0.6),
    _Viseme("wʍɥβ", (0.18, -0.4, 1, 0, 0, 0, 0, 0), 1.5, 1.5),
    _Viseme("ʃʒɕʑʂʐ", (0.18, -0.15, 0.65, 0.35, 0.35, 0, 0, 0.2), 1.3, 1.1),
    _Viseme("szʦ", (0.12, 0.35, 0, 0.35, 0.4, 0, 0, 0.25), 1.4, 0.7),
    _Viseme("tdnɲɾɖʈɗɳ", (0.16, 0.15, 0, 0.2, 0.25, 0, 0, 0.6), 1.0, 0.35),
    _Viseme("lɭɫʎɬ", (0.35, 0.15, 0, 0.2, 0.2, 0, 0, 0.9), 0.8, 0.35),
    _Viseme("θð", (0.26, 0.15, 0, 0.25, 0.25, 0, 0, 1), 1.2, 0.5),
    _Viseme("ɹrɻʁɚ", (0.26, -0.15, 0.5, 0.15, 0.2, 0, 0, 0.3), 0.9, 0.8),
    _Viseme("kgɡŋxɣqχcɟç", (0.3, 0.05, 0, 0.1, 0.15, 0, 0, 0), 0.5, 0.2),
    _Viseme("hɦʔʕħ", (0.4, 0.05, 0, 0.1, 0.15, 0, 0, 0), 0.3, 0.15),
)
_OF_LETTER = {letter: viseme for viseme in _VISEMES for letter in viseme.letters}


def articulate(phonemes: Sequence[Phoneme], duration_s: float) -> Articulation:
    """What the mouth does while `phonemes` are spoken.

    Args:
        phonemes: In order; what they leave uncovered is silence.
        duration_s: Length of the sound.

    Returns:
        (T, 8): frame i shows the moment i / 25 s.
    """
    times = np.arange(int(duration_s * _HZ) + 40) / _HZ
    spoken = np.zeros(len(times), bool)
    sounds: list[tuple[float, float, _Viseme]] = []
    for start, end, letters in phonemes:
        shapes = [_OF_LETTER[letter] for letter in letters if letter in _OF_LETTER]
        if shapes:
            spoken[int(start * _HZ) : int(end * _HZ) + 1] = True
        for index, shape in enumerate(shapes):
            share = (end - start) / len(shapes)
            sounds.append((start + share * index, start + share * (index + 1), shape))
    blend = _blend(times, sounds + _pauses(spoken))
    curves = _closed(times, blend, sounds)
    frames = np.arange(int(duration_s * FPS)) / FPS
    result: Articulation = curves[np.round(frames * _HZ).astype(int)].astype(np.float32)
    return result


def _pauses(spoken: NDArray[np.bool_]) -> list[tuple[float, float, _Viseme]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], spoken, [True]]).astype(int)))
    starts, ends = edges[::2] / _HZ, edges[1::2] / _HZ
    return [(float(a), float(b), _SILENCE) for a, b in zip(starts, ends, strict=True) if b - a > _SILENCE_S]


def _blend(times: NDArray[np.float64], sounds: Sequence[tuple[float, float, _Viseme]]) -> NDArray[np.float64]:
    weighted = np.tile(1e-3 * np.array(_SILENCE.target), (len(times), 1))
    total = np.full((len(times), len(CHANNELS)), 1e-3)
    for start, end, shape in sounds:
        pull = np.full(len(CHANNELS), shape.lips)
        pull[list(_JAW_LED)] = shape.jaw
        weight = _near(times, start, end, _core(start, end, shape), _SPREAD_S, 1.4)[:, None] * pull
        weighted += weight * np.array(shape.target)
        total += weight
    return _smoothed(weighted / total, _MUSCLE_S)


def _core(start: float, end: float, shape: _Viseme) -> float:
    """Share of a sound in which it has its whole say; a pause, however long, but for the moments beside it."""
    return max(0.55, 1 - 2 * _SILENCE_S / (end - start)) if shape is _SILENCE else 0.55


def _closed(
    times: NDArray[np.float64], curves: NDArray[np.float64], sounds: Sequence[tuple[float, float, _Viseme]]
) -> NDArray[np.float64]:
    """Lips that must meet do meet, whatever their neighbours want."""
    press, tuck = np.zeros(len(times)), np.zeros(len(times))
    for start, end, shape in sounds:
        if shape is _PRESSED:
            press = np.maximum(press, _near(times, start, end, 0.5, 0.03, 2))
        if shape is _TUCKED:
            tuck = np.maximum(tuck, _near(times, start, end, 0.5, 0.035, 2))
    press, tuck = _smoothed(press[:, None], 0.01)[:, 0], _smoothed(tuck[:, None], 0.01)[:, 0]
    jaw, _, _, upper, lower, pressed, tucked, _ = range(len(CHANNELS))
    curves = curves.copy()
    curves[:, jaw] += press * (0.04 - curves[:, jaw])
    curves[:, upper] *= 1 - press
    curves[:, lower] *= 1 - press
    curves[:, pressed] += press * (0.8 - curves[:, pressed])
    curves[:, jaw] += tuck * (0.12 - curves[:, jaw])
    curves[:, tucked] = np.maximum(curves[:, tucked], tuck)
    return curves


def _near(
    times: NDArray[np.float64], start: float, end: float, core: float, spread_s: float, power: float
) -> NDArray[np.float64]:
    """1 within the middle `core` of a sound, falling over `spread_s` beside it."""
    half = max((end - start) / 2, 0.02)
    away = np.clip((np.abs(times - (start + end) / 2) - half * core) / spread_s, 0, None)
    fall: NDArray[np.float64] = np.exp(-(away**power))
    return fall


def _smoothed(curves: NDArray[np.float64], sigma_s: float) -> NDArray[np.float64]:
    sigma = sigma_s * _HZ
    reach = int(4 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(curves, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)
