from __future__ import annotations

import numpy as np
import pytest

from heygem.demo import voice
from heygem.demo.texts import random_text
from heygem.demo.visemes import articulate
from heygem.demo.voice import VOICE_NAMES, EspeakMissingError, Voice, resampled, say

needs_espeak = pytest.mark.skipif(
    not voice.is_available(), reason="espeak-ng is not installed: pip install espeakng-loader, or apt install espeak-ng"
)


@needs_espeak
def test_a_sentence_comes_with_its_phonemes() -> None:
    sound, phonemes = say("Maybe a puppy.", Voice("en-us"))
    assert sound.dtype == np.float32
    assert np.abs(sound).max() <= 1
    assert "m" in "".join(sign for _, _, sign in phonemes)
    starts, ends = [p[0] for p in phonemes], [p[1] for p in phonemes]
    assert starts[1:] == ends[:-1]
    assert ends[-1] == pytest.approx(len(sound) / 16_000, abs=0.01)


@needs_espeak
@pytest.mark.parametrize("language", VOICE_NAMES)
def test_every_voice_moves_the_mouth(language: voice.Language) -> None:
    text = random_text(language, np.random.default_rng(0), 8)
    for name in VOICE_NAMES[language]:
        sound, phonemes = say(text, Voice(name, "f2"))
        curves = articulate(phonemes, len(sound) / 16_000)
        assert curves[:, 0].max() > 0.4
        assert curves[:, 5].max() > 0.4


@needs_espeak
def test_variants_are_other_voices() -> None:
    low, _ = say("hello there", Voice("en-us", "m3"))
    high, _ = say("hello there", Voice("en-us", "f2"))
    assert len(low) != len(high) or np.abs(low - high).max() > 0.05


@needs_espeak
def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        say("hello", Voice("nobody"))


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(voice.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(voice.ctypes, "CDLL", refuse)
    voice._espeak.cache_clear()
    try:
        with pytest.raises(EspeakMissingError) as caught:
            say("hello", Voice("en-us"))
        assert not voice.is_available()
    finally:
        monkeypatch.undo()
        voice._espeak.cache_clear()
    assert "espeakng-loader" in caught.value.hint.en


def test_resampling_keeps_pitch_and_loudness() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
    there = resampled(tone, 22_050, 16_000)
    assert len(there) == 16_000
    assert int(np.abs(np.fft.rfft(there)).argmax()) == 440
    assert np.abs(there).max() == pytest.approx(1, abs=0.02)
