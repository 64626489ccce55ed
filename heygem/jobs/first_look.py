"""Looks at files before their job, for whoever serves them. Torch and the detector come with the first look.

Knows the settings and where models come from; knows no page. For one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.errors import MediaError
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings

if TYPE_CHECKING:
    from heygem.jobs.preflight import KnownFiles, PreflightReport
    from heygem.media.media_info import AudioInfo, VideoInfo
    from heygem.model_manager import ModelManager


class FirstLook:
    """Remembers the files that it looked at.

    Args:
        settings: Limits, device, weights and where results go.
        models: The process's models; asked when they are needed.
    """

    def __init__(self, settings: Settings, models: Callable[[], ModelManager]) -> None:
        self._settings = settings
        self._models = models
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
        from heygem.jobs.preflight import KnownFiles, preflight
        from heygem.media.limits import Limits

        self._known = self._known or KnownFiles(Limits.of(self._settings))
        return preflight(
            [] if clip is None else [clip],
            speech,
            settings=self._settings,
            models=self._models(),
            placement=placement_of(self._settings),
            options=options,
            known=self._known,
        )

    def warm_up(self) -> None:
        """Load what a job with the default options runs on; a job that begins meanwhile waits for it and uses it.

        Raises:
            HeyGemError: the device or a model cannot be had.
        """
        import heygem.jobs.produce  # noqa: F401 - what a job imports takes seconds too
        from heygem.device import placement_of
        from heygem.jobs.choose_engines import Chosen, choose_engines

        placement = placement_of(self._settings)
        chosen = choose_engines(RenderOptions(), self._settings, placement)
        engines: list[Chosen[Any] | None] = [chosen.detector, chosen.lips, chosen.enhancer, chosen.parser]
        for engine in engines:
            if engine is not None:
                with self._models().lease(engine.spec):
                    pass
