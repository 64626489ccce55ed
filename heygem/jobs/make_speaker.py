"""Joins detector and trainer: one clip to a lip model of its speaker. Knows no command line and no page."""

from __future__ import annotations

from pathlib import Path

from heygem.device import Placement
from heygem.jobs.choose_engines import choose_detector
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Progress, Stage
from heygem.settings import Settings
from heygem.training.hardware import Hardware
from heygem.training.speaker import Speaker, train_speaker


def make_speaker(
    clip: Path,
    name: str,
    *,
    models: ModelManager,
    settings: Settings,
    placement: Placement,
    progress: Progress,
    processes: int | None = None,
) -> Speaker:
    """Train a lip model of the person in a clip, for ``--lips NAME``.

    Args:
        clip: A video with its own sound.
        name: What to call the speaker: letters, digits, - and _.
        models: Lends the detector, while the clip is looked at and learnt from.
        settings: Where models lie.
        placement: Device to detect and train on.
        progress: Somebody who watches; DRAWING counts samples.
        processes: How many train side by side on the CPU; None: one on every core.

    Raises:
        HeyGemError: it could not be done; nothing is left of the speaker. Codes of its own: bad_name, name_taken,
            clip_too_short, few_faces, no_sync.
        JobCancelled: from `progress`.
    """
    progress.tick(Stage.LOADING, 0)
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
        )
