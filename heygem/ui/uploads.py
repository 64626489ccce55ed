"""What a page may submit: files that were uploaded through it and that could become a job, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heygem.errors import InputError, Text
from heygem.jobs.job import JobRequest
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings
from heygem.ui import text


@dataclass(frozen=True, slots=True)
class Uploads:
    """Turns uploaded files into requests.

    Attributes:
        folder: Where uploads lie.
        settings: What is taken.
    """

    folder: Path
    settings: Settings

    def request(self, clip: str, speech: str, options: RenderOptions) -> JobRequest:
        """A request for two uploaded files, each looked at first: a few tenths of a second.

        Raises:
            InputError: one of them lies elsewhere, or cannot become a job.
        """
        request = self._request(clip, speech, options)
        look_at(Path(clip), Path(speech), self.settings)
        return request

    def requests(self, clips: Sequence[str], speech: str, options: RenderOptions) -> list[JobRequest]:
        """A request for each clip. Only the speech that they share is looked at: a bad clip fails alone, as a job.

        Raises:
            InputError: there are too many clips, a file lies elsewhere, or the speech cannot become a job.
        """
        check_batch_size(len(clips), self.settings)
        requests = [self._request(clip, speech, options) for clip in clips]
        look_at(None, Path(speech), self.settings)
        return requests

    def path(self, name: str) -> Path:
        """Where an upload lies, as gradio names it.

        Raises:
            InputError: with code not_uploaded, it lies elsewhere.
        """
        path = Path(name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InputError(text.NOT_UPLOADED, hint=Text("请重新上传。", "Upload it again."), code="not_uploaded")
        return path

    def _request(self, clip: str, speech: str, options: RenderOptions) -> JobRequest:
        """Gradio checks where files lie as well; this is the second line of defence."""
        video, audio = self.path(clip), self.path(speech)
        return JobRequest(video, audio, options, video_name=video.name, audio_name=audio.name)


def check_batch_size(clips: int, settings: Settings) -> None:
    """Refuse a batch of more clips than are taken.

    Raises:
        InputError: with code too_many_clips.
    """
    most = settings.max_batch_clips
    if clips > most:
        raise InputError(
            Text(f"一批最多 {most} 个片段，当前有 {clips} 个。", f"{clips} clips; a batch takes {most}."),
            hint=Text("请分成几批提交。", "Submit them in several batches."),
            code="too_many_clips",
        )


def look_at(clip: Path | None, speech: Path, settings: Settings) -> None:
    """Look at uploaded files for a few tenths of a second.

    Args:
        clip: None looks at the speech alone.
        speech: The recording.
        settings: What is taken.

    Raises:
        MediaError: one of them cannot become a job.
    """
    # Late: numpy and torch take seconds, and the page is to open first.
    from heygem.media.intake import inspect_quickly
    from heygem.media.limits import Limits

    limits = Limits.of(settings)
    if clip is not None:
        inspect_quickly(clip, "clip", limits)
    inspect_quickly(speech, "speech", limits)
