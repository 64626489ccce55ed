"""Speech with known phonemes, from espeak-ng: to make training data and examples. Knows nothing of mouths."""

from __future__ import annotations

import ctypes
import importlib.util
import threading
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from heygem.arrays import Waveform
from heygem.errors import HeyGemError, Text

SAMPLE_RATE_HZ = 16_000

Phoneme = tuple[float, float, str]
"""Start and end in seconds, and its sound in IPA; "" is silence."""

Language = Literal["zh", "en", "es", "pl", "de", "fr", "it", "pt", "ru", "nl", "sv", "tr", "vi", "hi"]

VOICE_NAMES: dict[Language, tuple[str, ...]] = {
    "zh": ("cmn-latn-pinyin",),
    "en": ("en-us", "en-gb-x-rp", "en-gb-scotland"),
    "es": ("es",),
    "pl": ("pl",),
    "de": ("de",),
    "fr": ("fr",),
    "it": ("it",),
    "pt": ("pt-br",),
    "ru": ("ru",),
    "nl": ("nl",),
    "sv": ("sv",),
    "tr": ("tr",),
    "vi": ("vi",),
    "hi": ("hi",),
}
"""Voices of each language. Of Chinese the one that reads pinyin with tone numbers: `cmn` takes characters apart."""
TRAINING_VARIANTS = (
    *("", "m1", "m3", "m5", "m7", "f1", "f2", "f3", "f4", "f5"),
    *("Andy", "Annie", "max", "steph", "linda", "adam", "Mike", "benjamin", "caleb", "sandro"),
)
HELD_OUT_VARIANTS = ("klatt4", "belinda", "michel", "pablo", "shelby", "grandpa")
"""Speakers that training never hears."""

_SYNCHRONOUS_OUTPUT, _PHONEMES_IN_IPA = 2, 0x0003
_RATE, _VOLUME, _PITCH, _PITCH_RANGE = 1, 2, 3, 4
_LIST_END, _PHONEME = 0, 7
_UTF8, _END_PAUSE = 1, 0x1000


@dataclass(frozen=True)
class Voice:
    """Who speaks, and how.

    Attributes:
        name: espeak-ng's name of the voice, as in `VOICE_NAMES`.
        variant: Speaker within the voice; "" is the plain one.
        words_per_minute: 80 to 450.
        pitch: 0..99.
        pitch_range: 0 (monotonous) to 99.
    """

    name: str
    variant: str = ""
    words_per_minute: int = 165
    pitch: int = 50
    pitch_range: int = 50


class _Id(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class EspeakMissingError(HeyGemError):
    """espeak-ng is not installed."""

    default_code = "espeak_missing"


def is_available() -> bool:
    """Whether `say` can speak here."""
    try:
        _espeak()
    except EspeakMissingError:
        return False
    return True


def say(text: str, voice: Voice) -> tuple[Waveform, list[Phoneme]]:
    """Speak `text`.

    espeak-ng keeps state between sentences: the same text is spoken a little differently after another one.

    Args:
        text: In the language of the voice; Chinese as pinyin with tone numbers.
        voice: Who speaks.

    Returns:
        The sound at 16 kHz, and its phonemes, which cover it without gaps.

    Raises:
        EspeakMissingError: espeak-ng is not installed.
        ValueError: it has no such voice.
    """
    return _espeak().say(text, voice)


class _Espeak:
    """The library, which has one state per process."""

    def __init__(self, library: ctypes.CDLL, data: Path | None) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._sound: list[NDArray[np.int16]] = []
        self._events: list[tuple[float, str]] = []
        where = None if data is None else str(data).encode()
        self._rate_hz = int(library.espeak_Initialize(_SYNCHRONOUS_OUTPUT, 0, where, _PHONEMES_IN_IPA))
        if self._rate_hz <= 0:
            raise _missing()
        self._callback = _CALLBACK(self._on_sound)
        library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: Voice) -> tuple[Waveform, list[Phoneme]]:
        name = f"{voice.name}+{voice.variant}" if voice.variant else voice.name
        with self._lock:
            if self._library.espeak_SetVoiceByName(name.encode()) != 0:
                raise ValueError(f"espeak-ng has no voice {name!r}.")
            settings = ((_RATE, voice.words_per_minute), (_VOLUME, 95), (_PITCH, voice.pitch))
            for parameter, value in (*settings, (_PITCH_RANGE, voice.pitch_range)):
                self._library.espeak_SetParameter(parameter, value, 0)
            self._sound, self._events = [], []
            raw = text.encode()
            self._library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, _UTF8 | _END_PAUSE, None, None)
            self._library.espeak_Synchronize()
            whole = np.concatenate([*self._sound, np.zeros(0, np.int16)])
            sound = whole.astype(np.float32) / np.float32(32768)
        duration_s = len(sound) / self._rate_hz
        marks = [*self._events, (duration_s, "")]
        phonemes = [(a, b, sign) for (a, sign), (b, _) in pairwise(marks) if b > a]
        return resampled(sound, self._rate_hz, SAMPLE_RATE_HZ), phonemes

    def _on_sound(self, samples: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if count > 0:
            self._sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _LIST_END:
            if events[index].type == _PHONEME:
                sign = bytes(events[index].id.string).split(b"\0")[0].decode("utf-8", "ignore")
                self._events.append((events[index].audio_position / 1000, sign))
            index += 1
        return 0


def resampled(sound: Waveform, from_hz: int, to_hz: int) -> Waveform:
    """`sound` at another rate, by its spectrum: exact for a whole utterance that begins and ends in silence."""
    length = round(len(sound) * to_hz / from_hz)
    if length == len(sound) or not len(sound):
        return sound
    spectrum = np.fft.rfft(sound)[: length // 2 + 1]
    return (np.fft.irfft(spectrum, length) * (length / len(sound))).astype(np.float32)


@cache
def _espeak() -> _Espeak:
    bundled = importlib.util.find_spec("espeakng_loader")
    if bundled is not None and bundled.origin is not None:
        folder = Path(bundled.origin).parent
        library = next(folder.glob("*espeak-ng*.so*"), None) or next(folder.glob("*espeak-ng*.d*l*"), None)
        if library is not None:
            return _Espeak(ctypes.CDLL(str(library)), folder / "espeak-ng-data")
    try:
        return _Espeak(ctypes.CDLL("libespeak-ng.so.1"), None)
    except OSError as error:
        raise _missing() from error


def _missing() -> EspeakMissingError:
    return EspeakMissingError(
        Text("没有找到 espeak-ng，无法合成语音。", "espeak-ng was not found, so no speech can be made."),
        hint=Text(
            "请运行 pip install espeakng-loader，或 apt install espeak-ng。",
            "Run pip install espeakng-loader, or apt install espeak-ng.",
        ),
    )
