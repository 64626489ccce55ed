"""What a page may submit: files that were uploaded through it, and nothing else on the server."""

from __future__ import annotations

from pathlib import Path

from heygem.errors import InputError, Text
from heygem.jobs.job import JobRequest
from heygem.pipeline.options import RenderOptions
from heygem.ui import text


def uploaded_request(video: str, audio: str, options: RenderOptions, uploads_dir: Path) -> JobRequest:
    """A request for two uploaded files.

    Gradio checks as well; this is the second line of defence.

    Raises:
        InputError: one of them lies outside `uploads_dir`.
    """
    clip, speech = Path(video).resolve(), Path(audio).resolve()
    for path in (clip, speech):
        if not path.is_relative_to(uploads_dir.resolve()):
            raise InputError(text.NOT_UPLOADED, hint=Text("请重新上传。", "Upload it again."), code="not_uploaded")
    return JobRequest(clip, speech, options, video_name=clip.name, audio_name=speech.name)
