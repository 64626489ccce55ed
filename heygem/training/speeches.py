"""Random speech with the articulation that belongs to it. Held-out voices, and two languages, are never trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from heygem.arrays import Waveform
from heygem.demo.articulation import Articulation
from heygem.demo.augment import augment
from heygem.demo.texts import random_text
from heygem.demo.visemes import articulate
from heygem.demo.voice import HELD_OUT_VARIANTS, SAMPLE_RATE_HZ, TRAINING_VARIANTS, VOICE_NAMES, Language, Voice, say
from heygem.speech.mel import SILENCE, mel_spectrogram

T = TypeVar("T")

_TRAINED: tuple[Language, ...] = (
    *("zh", "zh", "zh", "en", "en", "en"),
    *("es", "de", "fr", "it", "pt", "ru", "nl", "sv", "vi", "hi"),
)
_HELD_OUT: tuple[Language, ...] = ("en", "zh", "en", "zh", "es", "pl", "tr")


@dataclass(frozen=True, slots=True)
class Speech:
    """What somebody says.

    Attributes:
        sound: At 16 kHz, with a pause before and behind.
        articulation: (F, 8) float32 at 25 fps.
    """

    sound: Waveform
    articulation: Articulation


def random_speech(rng: np.random.Generator, *, held_out: bool) -> Speech:
    """Three to eight seconds of common words by a random voice.

    Args:
        rng: Chooses.
        held_out: A voice that training never hears, every now and then in a language that it never hears.

    Raises:
        EspeakMissingError: espeak-ng is not installed.
    """
    language = _chosen(_HELD_OUT if held_out else _TRAINED, rng)
    voice = Voice(
        name=_chosen(VOICE_NAMES[language], rng),
        variant=_chosen(HELD_OUT_VARIANTS if held_out else TRAINING_VARIANTS, rng),
        words_per_minute=int(rng.integers(115, 231)),
        pitch=int(rng.integers(15, 86)),
        pitch_range=int(rng.integers(20, 91)),
    )
    spoken, phonemes = say(random_text(language, rng, int(rng.integers(9, 17))), voice)
    before_s, after_s = float(rng.uniform(0, 0.6)), float(rng.uniform(0.1, 0.7))
    sound = np.concatenate([_silence(before_s), spoken, _silence(after_s)])
    later = [(start + before_s, end + before_s, sign) for start, end, sign in phonemes]
    return Speech(sound, articulate(later, len(sound) / SAMPLE_RATE_HZ))


def heard_in(
    speech: Speech,
    variants: int,
    rng: np.random.Generator,
    *,
    clean_first: bool,
    on_step: Callable[[], None] = lambda: None,
) -> NDArray[np.float16]:
    """(variants, 80, steps): the speech as heard in several places; SILENCE where one ended earlier.

    Args:
        speech: Its sound.
        variants: How many places.
        rng: Chooses them.
        clean_first: The first is no place at all: the sound as it is.
        on_step: Called before each; what it raises passes.
    """
    mels = []
    for variant in range(variants):
        on_step()
        sound = speech.sound if clean_first and not variant else augment(speech.sound, rng)
        mels.append(mel_spectrogram([sound]))
    heard = np.full((variants, mels[0].shape[0], max(mel.shape[1] for mel in mels)), SILENCE, dtype=np.float16)
    for row, mel in zip(heard, mels, strict=True):
        row[:, : mel.shape[1]] = mel
    return heard


def _chosen(options: tuple[T, ...], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]


def _silence(duration_s: float) -> Waveform:
    return np.zeros(int(duration_s * SAMPLE_RATE_HZ), dtype=np.float32)
