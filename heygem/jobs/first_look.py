"""Looks at files before their job, for whoever serves them. Torch and the detector come with the first look.

Knows the settings and where models come from; knows no page. For one thread at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.errors import JobCancelled, MediaError
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Stage
from heygem.settings import Settings

if TYPE_CHECKING:
    from heygem.jobs.known_clips import KnownClips
    from heygem.jobs.preflight import KnownFiles, PreflightReport
    from heygem.media.media_info import AudioInfo, VideoInfo
    from heygem.model_manager import ModelManager

log = logging.getLogger(__name__)


class FirstLook:
    """Remembers the files that it looked at, and finds out ahead what their jobs will need.

    Args:
        settings: Limits, device, weights and where results go.
        models: The process's models; asked when they are needed.
        clips: What is known of clips, likewise; what is found out here, it knows.
    """

    def __init__(self, settings: Settings, models: Callable[[], ModelManager], clips: Callable[[], KnownClips]) -> None:
        self._settings = settings
        self._models = models
        self._clips = clips
        self._known: KnownFiles | None = None

    def headers(self, clip: Path | None, speech: Path | None) -> tuple[VideoInfo | None, AudioInfo | None]:
        """What the headers say, in a few tenths of a second; None for a file that is refused or not given."""
        from heygem.media.intake import Role, inspect_quickly
        from heygem.media.limits import Limits
        from heygem.media.media_info import AudioInfo, VideoInfo

        limits = Limits.of(self._settings)

        def info(path: Path | None, role: Role) -> VideoInfo | AudioInfo | None:
            try:
                return None if path is None else inspect_quickly(path, role, limits)
            except MediaError:
                return None  # the report says why

        picture, sound = info(clip, "clip"), info(speech, "speech")
        assert not isinstance(picture, AudioInfo) and not isinstance(sound, VideoInfo)
        return picture, sound

    def report(self, clip: Path | None, speech: Path | None, options: RenderOptions) -> PreflightReport:
        """All that can be said of them, in some seconds; longer for a long clip.

        Raises:
            HeyGemError: the device or a model cannot be had, or the options are wrong.
        """
        from heygem.device import placement_of
        from heygem.jobs.preflight import preflight

        return preflight(
            [] if clip is None else [clip],
            speech,
            settings=self._settings,
            models=self._models(),
            placement=placement_of(self._settings),
            options=options,
            known=self._files(),
        )

    def search_ahead(self, clip: Path, speech: Path, options: RenderOptions, is_wanted: Callable[[], bool]) -> None:
        """Find the faces that a job would, so that it finds them known and begins to draw.

        Args:
            clip, speech, options: Of the job; the files were found fit for it.
            is_wanted: Asked now and then; it breaks off where it is not.

        Raises:
            HeyGemError: the detector cannot be had, or a file is not what it was; the job will tell.
            JobCancelled: it is not wanted any more.
        """
        from heygem.device import placement_of
        from heygem.jobs.choose_engines import choose_engines
        from heygem.media.video_source import VideoSource
        from heygem.pipeline.tracking import Searcher, find_in_first

        placement = placement_of(self._settings)
        detector = choose_engines(options, self._settings, placement).detector
        source = VideoSource(clip, fps=options.fps)
        count = ceil(self._files().speech(speech).audio.duration * source.info.fps)
        with self._models().lease(detector.spec) as lease:
            lease.batch.start_at(detector.default_batch)
            searcher = Searcher(lease.model, lease.batch, placement.device)
            found, was_known = find_in_first(count, source, searcher, self._clips().tracks, _Wanted(is_wanted))
        if not was_known:
            log.info("%s: %d frames searched for faces ahead of its job", clip.name, len(found))

    def warm_up(self) -> None:
        """Load what a job with the default options runs on; a job that begins meanwhile waits for it and uses it.

        Raises:
            HeyGemError: the device or a model cannot be had.
        """
        import numpy as np

        import heygem.jobs.produce  # noqa: F401 - what a job imports takes seconds too
        from heygem.device import placement_of
        from heygem.jobs.choose_engines import Chosen, choose_engines

        placement = placement_of(self._settings)
        chosen = choose_engines(RenderOptions(), self._settings, placement)
        others: list[Chosen[Any] | None] = [chosen.detector, chosen.enhancer, chosen.parser]
        for engine in others:
            if engine is not None:
                with self._models().lease(engine.spec):
                    pass
        with self._models().lease(chosen.lips.spec) as lips:
            # What reckons spectrograms is imported and compiled with the first recording, and that takes seconds, too.
            second = np.zeros(lips.model.sample_rate_hz, np.float32)
            lips.model.listen([second], tail=RenderOptions().tail)

    def _files(self) -> KnownFiles:
        from heygem.jobs.preflight import KnownFiles
        from heygem.media.limits import Limits

        self._known = self._known or KnownFiles(Limits.of(self._settings), self._clips().intake)
        return self._known


class _Wanted:
    """Progress of what is done only as long as somebody wants it."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        if not self._is_wanted():
            raise JobCancelled
