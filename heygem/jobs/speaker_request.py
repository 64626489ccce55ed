"""What is asked for when a speaker is to be made; whether it may be is told before it is queued. Knows no training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from heygem.errors import OptionError, Text
from heygem.jobs.job import Job, JobKind, JobRequest
from heygem.training.speaker_folder import free_folder


def speaker_request(clip: Path, name: str, *, clip_name: str, models_dir: Path, jobs: Iterable[Job]) -> JobRequest:
    """A request for the lip model of the person in `clip`.

    Args:
        clip: A video with its own sound.
        name: What to call the speaker; spaces around it do not count.
        clip_name: What the user calls the clip.
        models_dir: The folder of models.
        jobs: Those that wait or run are among them.

    Raises:
        OptionError: with code bad_name, nobody can be called that; name_taken, somebody is, or is about to be.
    """
    name = name.strip()
    free_folder(name, models_dir)
    if any(job.request.kind is JobKind.SPEAKER and job.request.speaker == name for job in jobs if _is_open(job)):
        raise OptionError(
            Text(f"已有任务在训练说话人 {name!r}。", f"A job trains the speaker {name!r} already."),
            hint=Text("请换一个名称，或先取消那个任务。", "Choose another name, or cancel that job first."),
            code="name_taken",
        )
    return JobRequest(clip, clip, video_name=clip_name, audio_name=clip_name, kind=JobKind.SPEAKER, speaker=name)


def _is_open(job: Job) -> bool:
    return not job.status.is_final
