"""The sound of a file: its exact length, and its samples in mono at any rate. Knows ffmpeg; knows no mels.

Memory is flat in the length of the sound.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
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
"""Seconds that are in memory at once, of a recording like any other."""

_PIECE_BYTES = 32 << 20
"""The same for one whose header claims many channels."""

_FULL_SCALE = 0.999
"""A sample from here on is as loud as its format can be."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a recording is.

    Attributes:
        peak: Loudest sample of any channel; 1 is full scale.
        rms: Root of the mean square over all of it.
        clipped: Share of the samples at full scale, 0..1.
    """

    peak: float
    rms: float
    clipped: float


class AudioFile:
    """An audio file, or the sound track of a video. It is decoded once to count it.

    Args:
        path: The file.
        max_s: Seconds after which it is refused; None reads on to its end.
        on_piece: Called now and then while it is decoded; what it raises passes.

    Attributes:
        path: The file.
        info: What its headers say.
        samples: Exact length at its own rate, in samples of one channel.
        level: How loud it is.
        complaint: What ffmpeg found wrong with a sound that could be read; empty if nothing.

    Raises:
        MediaError: it holds no sound (see `probe_audio`); with code damaged if its sound breaks off, nan_samples if
            values in it are not numbers, audio_too_short if it is shorter than 0.2 s, too_long.
    """

    def __init__(self, path: Path, *, max_s: float | None = None, on_piece: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self.info = probe_audio(path)
        self.complaint = ""
        self.samples, self.level = self._measure(max_s, on_piece)
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

    def part(self, start_s: Fraction, stop_s: Fraction) -> Sound:
        """The same for some seconds of it; what reaches beyond its end is cut off."""
        first, stop = (min(self.samples, round(time_s * self.info.rate_hz)) for time_s in (start_s, stop_s))
        return Sound(self.path, self.info, stop - first, first)

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

    def _measure(self, max_s: float | None, on_piece: Callable[[], None]) -> tuple[int, Level]:
        """Exact length in samples, and the level."""
        samples, peak, squares, clipped = 0, 0.0, 0.0, 0
        with closing(self._channels()) as pieces:
            for piece in pieces:
                on_piece()
                samples += len(piece)
                if max_s is not None and samples > max_s * self.info.rate_hz:
                    raise too_long(self.path, samples / self.info.rate_hz, max_s)
                loudness = np.abs(piece)
                peak = max(peak, float(loudness.max()))
                squares += float(np.square(loudness, dtype=np.float64).sum())
                clipped += int(np.count_nonzero(loudness >= _FULL_SCALE))
        values = max(1, samples * self.info.channels)
        return samples, Level(peak, math.sqrt(squares / values), clipped / values)

    def _channels(self) -> Generator[Waveform, None, None]:
        """(samples, channels) float32, piece by piece."""
        channels = self.info.channels
        rows = min(PIECE_S * self.info.rate_hz, _PIECE_BYTES // (4 * channels))
        buffer = np.empty((rows, channels), np.float32)
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
                self.complaint = last_line(complaints)
                log.warning("%s: damaged sound: %s", self.path.name, self.complaint)


def too_long(path: Path, length_s: float, limit_s: float) -> MediaError:
    """The error for a file that lasts longer than is taken.

    Args:
        path: The file.
        length_s: How long it is, or how much of it was read, seconds.
        limit_s: What is taken, seconds.
    """
    return MediaError(
        Text(
            f"“{path.name}”长于上限：{length_s:.0f} 秒，上限为 {limit_s:.0f} 秒。",
            f"{path.name!r} is too long: {length_s:.0f} s; the limit is {limit_s:.0f} s.",
        ),
        hint=Text("请剪短后再上传。", "Cut it into parts."),
        code="too_long",
    )
