"""How long and how large a file may be that is taken from a user. Knows nothing of what files hold."""

from __future__ import annotations

from dataclasses import dataclass

from heygem.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken. The size of pictures has limits of its own, in `hardening`: those are ffmpeg's as well.

    Attributes:
        max_speech_s, max_clip_s: Longest speech and clip, seconds.
        max_file_mb: Largest file, MB.
    """

    max_speech_s: float
    max_clip_s: float
    max_file_mb: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that this process was started with."""
        return cls(settings.max_speech_s, settings.max_clip_s, settings.max_upload_mb)
