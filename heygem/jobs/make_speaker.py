"""Joins intake, detector and trainer: one clip to a lip model of its speaker. Knows no command line and no page."""

from __future__ import annotations

from pathlib import Path

from heygem.device import Placement
from heygem.errors import Notice
from heygem.jobs.choose_engines import choose_detector
from heygem.media.intake import ClipIntake, take_speech
from heygem.media.limits import Limits
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Progress, Stage
from heygem.settings import Settings
from heygem.training.hardware import Hardware
from heygem.training.speaker import OnMeasured, Speaker, train_speaker
from heygem.training.speaker_folder import free_folder


def make_speaker(
    clip: Path,
    name: str,
    *,
    models: ModelManager,
    settings: Settings,
    placement: Placement,
    progress: Progress,
    processes: int | None = None,
    clip_name: str = "",
    job: str = "",
    on_measured: OnMeasured = lambda drawings, facts: None,
) -> Speaker:
    """Train a lip model of the person in a clip, for ``--lips NAME``.

    Args:
        clip: A video with its own sound.
        name: What to call the speaker: letters, digits, - and _.
        models: Lends the detector, while the clip is looked at and learnt from.
        settings: Where models lie, and which clips are taken.
        placement: Device to detect and train on.
        progress: Somebody who watches; DRAWING counts samples.
        processes: How many train side by side on the CPU; None: one on every core.
        clip_name: What the user calls the clip; empty: the file's name.
        job: Id of the job that this is; empty where it is none.
        on_measured: See `train_speaker`.

    Raises:
        HeyGemError: it could not be done; nothing is left of the speaker. Codes of its own: bad_name, name_taken,
            clip_too_short, few_faces, no_sync.
        JobCancelled: from `progress`.
    """
    progress.tick(Stage.LOADING, 0)
    free_folder(name, settings.models_dir)
    notices = _judge(clip, settings, progress)
    detector = choose_detector(RenderOptions(), settings, placement)
    with models.lease(detector.spec) as lease:
        lease.batch.start_at(detector.default_batch)
        return train_speaker(
            clip,
            name,
            models_dir=settings.models_dir,
            detector=lease.model,
            detector_batch=lease.batch,
            hardware=Hardware.choose(placement.device, processes),
            progress=progress,
            clip_name=clip_name,
            job=job,
            notices=notices,
            on_measured=on_measured,
        )


def _judge(clip: Path, settings: Settings, progress: Progress) -> tuple[Notice, ...]:
    """Judge the clip as that of any job, and its sound as any speech. Returns what to know of it."""
    limits = Limits.of(settings)
    speech = take_speech(clip, limits, lambda: progress.tick(Stage.LOADING, 0))
    # Counted: for the watchdog, a long clip stands still otherwise.
    taken = ClipIntake(limits).take(clip, lambda decoded: progress.tick(Stage.LOADING, decoded))
    return (*speech.notices, *taken.notices)
