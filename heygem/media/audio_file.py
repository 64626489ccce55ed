"""The sound of a file: its exact length, and its samples in mono at any rate. Knows ffmpeg; knows no mels.

Memory is flat in the length of the sound.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Generator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import librosa
import numpy as np
import soxr

from heygem.arrays import Waveform
from heygem.errors import MediaError, Text
from heygem.media.ffmpeg_args import Sound, pcm_args
from heygem.media.probe import probe_audio
from heygem.media.process import FfmpegProcess, last_line

log = logging.getLogger(__name__)

SHORTEST_S = Fraction(1, 5)
"""Lip engines hear windows of about this length."""

PIECE_S = 4
"""Seconds that are in memory at once."""


class AudioFile:
    """An audio file, or the sound track of a video. It is decoded once to count it.

    Attributes:
        path: The file.
        info: What its headers say.
        samples: Exact length at its own rate, in samples of one channel.

    Raises:
        MediaError: it holds no sound (see `probe_audio`); with code damaged if its sound breaks off, nan_samples if
            values in it are not numbers, audio_too_short if it is shorter than 0.2 s.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.info = probe_audio(path)
        self.samples = sum(len(piece) for piece in self._channels())
        if self.duration < SHORTEST_S:
            raise MediaError(
                Text(
                    f"“{path.name}”的声音只有 {float(self.duration):.2f} 秒。",
                    f"{path.name!r} has {float(self.duration):.2f} s of sound.",
                ),
                hint=Text(f"至少需要 {float(SHORTEST_S)} 秒。", f"At least {float(SHORTEST_S)} s are needed."),
                code="audio_too_short",
            )

    @property
    def duration(self) -> Fraction:
        """Exact length in seconds."""
        return Fraction(self.samples, self.info.rate_hz)

    @property
    def sound(self) -> Sound:
        """What an encoder needs to know to put this sound into a result."""
        return Sound(self.path, self.info, self.samples)

    def pieces(self, rate_hz: int) -> Generator[Waveform, None, None]:
        """The whole sound in mono, resampled as ``librosa.load`` does it, a few seconds at a time.

        At the file's own rate the samples are those of the file. Together the pieces are
        ``ceil(samples * rate_hz / own rate)`` long.

        Args:
            rate_hz: Samples per second.

        Yields:
            (samples,) float32, about -1..1.

        Raises:
            MediaError: as for the class.
        """
        with closing(self._channels()) as channels:
            mono = (librosa.to_mono(piece.T) for piece in channels)
            if rate_hz == self.info.rate_hz:
                yield from mono
                return
            missing = math.ceil(Fraction(self.samples * rate_hz, self.info.rate_hz))
            # soxr at HQ is the engine and the quality behind librosa.load.
            resampler = soxr.ResampleStream(self.info.rate_hz, rate_hz, 1, dtype="float32", quality="HQ")
            for piece in mono:
                resampled = resampler.resample_chunk(piece)[:missing]
                missing -= len(resampled)
                if len(resampled):
                    yield resampled
            rest = resampler.resample_chunk(np.zeros(0, np.float32), last=True)[:missing]
            yield np.pad(rest, (0, missing - len(rest)))

    def _channels(self) -> Generator[Waveform, None, None]:
        """(samples, channels) float32, piece by piece."""
        channels = self.info.channels
        buffer = np.empty((PIECE_S * self.info.rate_hz, channels), np.float32)
        view = buffer.data.cast("B")
        with FfmpegProcess(pcm_args(self.path, self.info), pipe="out") as process:
            while got := process.read_into(view):
                piece = buffer[: got // (4 * channels)].copy()
                if not np.isfinite(piece).all():
                    raise MediaError(
                        Text(
                            f"“{self.path.name}”里有不是数字的采样值。",
                            f"{self.path.name!r} holds samples that are not numbers.",
                        ),
                        hint=Text("请重新导出音频。", "Export the sound again."),
                        code="nan_samples",
                    )
                yield piece
            status, complaints = process.finish(), process.complaints()
            if status != 0:
                raise MediaError(
                    Text(f"“{self.path.name}”的声音已损坏。", f"The sound of {self.path.name!r} is damaged."),
                    hint=Text("请重新上传，或重新导出。", "Upload it again, or export it again."),
                    code="damaged",
                ) from RuntimeError(complaints)
            if complaints:
                log.warning("%s: damaged sound: %s", self.path.name, last_line(complaints))
