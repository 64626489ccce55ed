"""What a job would meet, found out in seconds and before any model draws: lengths, colours, sound, faces, space, time.

Knows files and the face detector; runs neither lips nor enhancer, and queues nothing.
"""

from __future__ import annotations

import shutil
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from heygem.device import Placement
from heygem.errors import HeyGemError, Notice, Text
from heygem.faces.detect import FaceDetector
from heygem.jobs.choose_engines import choose_engines
from heygem.jobs.face_sample import FaceSample, sample_faces
from heygem.jobs.former_jobs import seconds_per_pixel
from heygem.jobs.job import JobError
from heygem.jobs.notices import length_notices
from heygem.media.audio_file import AudioFile
from heygem.media.intake import ClipIntake, TakenSpeech, take_speech
from heygem.media.limits import Limits
from heygem.media.media_info import VideoInfo
from heygem.media.video_source import VideoSource
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings

_BITS_PER_PIXEL = 0.15
"""What x264 writes at crf 18 for a speaker, generously."""

_SOUND_BYTES_PER_S = 24_000

_COPIES = 3
"""Of a result while it is made: its parts, the joined file, and its copy with the index in front."""


_REMEMBERED = 1000
"""Clips, and recordings: of a page with many clips, each is asked about again whenever an option changes."""


class KnownFiles:
    """What was seen in files before: one that did not change is not decoded again. For one thread at a time.

    Args:
        limits: What is taken.
        intake: Takes clips.
    """

    def __init__(self, limits: Limits, intake: ClipIntake | None = None) -> None:
        self.intake = intake or ClipIntake(limits)
        self._limits = limits
        self._faces: OrderedDict[tuple[object, ...], FaceSample] = OrderedDict()
        self._speeches: OrderedDict[tuple[object, ...], TakenSpeech] = OrderedDict()

    def faces(self, clip: Path, detector: FaceDetector, shown: int) -> FaceSample:
        """What `sample_faces` sees."""
        key = (*_identity(clip), detector.identity, shown)
        if key not in self._faces:
            self._faces[key] = sample_faces(VideoSource(clip), detector, shown)
            _forget(self._faces)
        return self._faces[key]

    def speech(self, path: Path) -> TakenSpeech:
        """What `take_speech` makes of it."""
        key = _identity(path) if path.exists() else (path,)
        if key not in self._speeches:
            self._speeches[key] = take_speech(path, self._limits)
            _forget(self._speeches)
        return self._speeches[key]


@dataclass(frozen=True, slots=True)
class ClipReport:
    """A clip before its job; either `refused` is set, or `info` and `faces` are."""

    path: Path
    info: VideoInfo | None = None
    faces: FaceSample | None = None
    notices: tuple[Notice, ...] = ()
    refused: JobError | None = None


@dataclass(frozen=True, slots=True)
class SpeechReport:
    """A recording before its jobs; either `refused` or `audio` is set."""

    path: Path
    audio: AudioFile | None = None
    notices: tuple[Notice, ...] = ()
    refused: JobError | None = None


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """All files, and what their jobs would need.

    Attributes:
        clips: In the order given.
        speech: None where none was given.
        detector: Who looked for faces.
        needed_bytes: Space on the disk that the jobs take, at most.
        free_bytes: Space there is.
        expected_s: Time for all jobs at the pace of former ones; None without a speech, or without former ones that
            ran on the same engines and device.
        notices: What concerns them all.
        result_bytes: What the results themselves take of the space.
        lips_note: What users must know of whatever the lip engine draws.
    """

    clips: tuple[ClipReport, ...]
    speech: SpeechReport | None
    detector: Text
    needed_bytes: int
    free_bytes: int
    expected_s: float | None
    notices: tuple[Notice, ...]
    result_bytes: int
    lips_note: Text

    @property
    def is_fit(self) -> bool:
        """Nothing was refused."""
        is_speech_fit = self.speech is None or self.speech.refused is None
        return is_speech_fit and all(clip.refused is None for clip in self.clips)


def preflight(
    clips: Sequence[Path],
    speech: Path | None,
    *,
    settings: Settings,
    models: ModelManager,
    placement: Placement,
    options: RenderOptions | None = None,
    known: KnownFiles | None = None,
) -> PreflightReport:
    """Look at files as their jobs would. A file that is refused is reported, not raised.

    Args:
        clips: The clips.
        speech: What they are to speak, if known.
        settings: Limits, weights and where results go.
        models: Lends the detector.
        placement: Device and number format.
        options: The user's choices; None: the defaults.
        known: Remembers the files for the next time; None where there is none.

    Raises:
        ModelError: the detector cannot be had.
        UnknownEngineError: the options name an engine that does not exist.
    """
    options = options or RenderOptions()
    known = known or KnownFiles(Limits.of(settings))
    chosen = choose_engines(options, settings, placement)
    heard = None if speech is None else _speech_report(speech, known)
    audio = None if heard is None else heard.audio
    with models.lease(chosen.detector.spec) as lease:
        reports = tuple(_clip_report(path, known, audio, options, lease.model) for path in clips)
    infos = [report.info for report in reports if report.info is not None]
    enhancer = None if chosen.enhancer is None else chosen.enhancer.spec.key.name
    engines = {"lips": chosen.lips.spec.key.name, "enhancer": enhancer}
    pace = seconds_per_pixel(settings.outputs_dir, engines, str(placement))
    free = shutil.disk_usage(_existing(settings.outputs_dir)).free
    sizes = _result_bytes(infos, audio)
    # All results, and the copies of the largest one while it is made.
    needed = round(sum(sizes) + (_COPIES - 1) * max(sizes, default=0.0))
    return PreflightReport(
        clips=reports,
        speech=heard,
        detector=chosen.detector.label,
        needed_bytes=needed,
        free_bytes=free,
        expected_s=None if pace is None or audio is None else pace * sum(_pixels(info, audio) for info in infos),
        notices=_space_notices(needed, free - settings.min_free_mb * 1_000_000),
        result_bytes=round(sum(sizes)),
        lips_note=chosen.lips.note,
    )


def _identity(path: Path) -> tuple[object, ...]:
    """Another one where a file is another, or was written to; the name counts, because messages name it."""
    file = path.stat()
    return path, file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns


def _forget(known: OrderedDict[tuple[object, ...], Any]) -> None:
    while len(known) > _REMEMBERED:
        known.popitem(last=False)


def _speech_report(path: Path, known: KnownFiles) -> SpeechReport:
    try:
        taken = known.speech(path)
    except HeyGemError as error:
        return SpeechReport(path, refused=JobError(error.code, error.text, error.hint))
    return SpeechReport(path, taken.audio, taken.notices)


def _clip_report(
    path: Path, known: KnownFiles, audio: AudioFile | None, options: RenderOptions, detector: FaceDetector
) -> ClipReport:
    try:
        taken = known.intake.take(path)
        faces = known.faces(path, detector, _frames_shown(taken.info, audio))
    except HeyGemError as error:
        return ClipReport(path, refused=JobError(error.code, error.text, error.hint))
    repeats = () if audio is None else length_notices(taken.info, audio, options.extend)
    return ClipReport(path, taken.info, faces, (*taken.notices, *repeats, *faces.notices))


def _frames_shown(info: VideoInfo, audio: AudioFile | None) -> int:
    """Frames of a clip that its result shows; all while the speech is not known."""
    length = info.estimated_frames
    return length if audio is None else min(length, ceil(audio.duration * info.fps))


def _pixels(info: VideoInfo, audio: AudioFile | None) -> float:
    """Pixels of all frames of a result; as long as the clip while the speech is not known."""
    length_s = info.duration if audio is None else audio.duration
    return float(length_s * info.fps) * info.width * info.height


def _result_bytes(infos: Sequence[VideoInfo], audio: AudioFile | None) -> list[float]:
    """Size of each result."""
    sound_s = 0.0 if audio is None else float(audio.duration)
    return [_pixels(info, audio) * _BITS_PER_PIXEL / 8 + sound_s * _SOUND_BYTES_PER_S for info in infos]


def _space_notices(needed: int, usable: int) -> tuple[Notice, ...]:
    if needed <= usable:
        return ()
    text = Text(
        f"大约需要 {needed / 1e6:.0f} MB 磁盘空间，可用 {max(0, usable) / 1e6:.0f} MB。",
        f"About {needed / 1e6:.0f} MB of disk are needed; {max(0, usable) / 1e6:.0f} MB are to be had.",
    )
    return (Notice("low_disk", text, Text("请先清理磁盘。", "Free some space first.")),)


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
