"""A clip of a paper face that hums: its sound is as loud as its mouth is open. No renderer, no voice."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from heygem.demo.make_examples import as_frame
from heygem.faces.face import Face
from heygem.frame import Frame
from heygem.media.audio_file import AudioFile
from heygem.media.colour_tags import SDR
from heygem.media.video_sink import VideoSink
from heygem.media.wav_file import write_wav

SIDE, BORDER = 128, 16
RATE_HZ = 16_000


def paper_face(opening: float, lean: float = 0.0) -> np.ndarray:
    """(96, 96, 3) uint8: eyes, and a mouth that is open between 0 and 1."""
    rows, columns = np.mgrid[:96, :96]
    face = np.full((96, 96, 3), (208, 168, 140), dtype=np.uint8)
    for eye in (32, 64):
        face[((rows - 34 - lean) / 3) ** 2 + ((columns - eye) / 6) ** 2 < 1] = (30, 30, 60)
    face[((rows - 72) / (1 + 14 * opening)) ** 2 + ((columns - 48) / 18) ** 2 < 1] = (60, 5, 5)
    return face


def openings(frames: int, seed: int = 0) -> np.ndarray:
    """(frames,) 0..1: syllables of random length and size."""
    rng = np.random.default_rng(seed)
    curve = np.zeros(0)
    while len(curve) < frames:
        curve = np.append(curve, rng.uniform(0.2, 1) * np.sin(np.linspace(0, np.pi, rng.integers(4, 11))))
    return curve[:frames]


def write_sound(path: Path, loudness: np.ndarray) -> None:
    """Noise whose loudness follows (F,) values of 25 a second."""
    rng = np.random.default_rng(1)
    samples = len(loudness) * RATE_HZ // 25
    level = np.interp(np.arange(samples) * 25 / RATE_HZ, np.arange(len(loudness)), loudness)
    sound = rng.standard_normal(samples) * (0.002 + 0.2 * level)
    write_wav(path, sound, RATE_HZ)


def write_clip(path: Path, mouths: np.ndarray, loudness: np.ndarray | None) -> Path:
    """A video of the face with these openings, and a sound as loud as these; None: without sound."""
    sound = None
    if loudness is not None:
        wav = path.with_suffix(".wav")
        write_sound(wav, loudness)
        sound = AudioFile(wav)
    picture = np.full((SIDE, SIDE, 3), 90, dtype=np.uint8)
    with VideoSink(path, width=SIDE, height=SIDE, fps=Fraction(25), tags=SDR, audio=sound, crf=14) as sink:
        for number, opening in enumerate(mouths):
            lean = 2 * np.sin(number / 17)
            picture[BORDER:-BORDER, BORDER:-BORDER] = paper_face(float(opening), lean)
            sink.write(as_frame(picture))
    return path


class PaperDetector:
    """Sees the face where it is, in the first frames that it is shown, however many those are to be."""

    batch, at_once = 16, 1
    identity = "paper/1"

    def __init__(self, seen: int = 10_000) -> None:
        self.left = seen

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        # The product adds ten pixels below the box.
        box = np.array([BORDER, BORDER, SIDE - BORDER, SIDE - BORDER - 10], dtype=np.float32)
        eyes_nose_mouth = np.array([[48, 50], [80, 50], [64, 68], [52, 88], [76, 88]], dtype=np.float32)
        found = []
        for _ in frames:
            found.append([Face(box, eyes_nose_mouth, 0.9)] if self.left > 0 else [])
            self.left -= 1
        return found
