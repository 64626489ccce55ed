"""What is known of clips, for all who look at them: the page before their job, and the job. Knows no job."""

from __future__ import annotations

from heygem.faces.track_cache import DetectionCache
from heygem.media.intake import ClipIntake
from heygem.media.limits import Limits
from heygem.settings import Settings


class KnownClips:
    """That clips are whole, and where their faces are. For any thread.

    Args:
        settings: Limits, and where faces are kept.
    """

    def __init__(self, settings: Settings) -> None:
        self.intake = ClipIntake(Limits.of(settings))
        self.tracks = DetectionCache(settings.cache_dir / "tracks", settings.cache_mb * 1024 * 1024)
