"""What the queue's worker does with a job: the one place that knows queue, models and pipeline together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from heygem.errors import HeyGemError, MediaError, Text
from heygem.jobs.disk_guard import full_disk_told
from heygem.jobs.job import Job, JobKind, JobRequest, JobResult, Runner
from heygem.jobs.job_folder import POSTER, RESULT
from heygem.pipeline.options import PREVIEW_S
from heygem.pipeline.progress import Progress
from heygem.pipeline.shares import WHOLE, Share
from heygem.settings import Settings

if TYPE_CHECKING:
    from heygem.jobs.known_clips import KnownClips

log = logging.getLogger(__name__)

GROUNDWORK_FOLDER = ".groundwork"
"""Folder beside a job's inputs in which those who share its drawing hand on what they found out: see `Producer`."""


def make_runner(
    settings: Settings,
    share_of: Callable[[Job], Share] = lambda job: WHOLE,
    clips: Callable[[], KnownClips] | None = None,
) -> Runner:
    """A runner that keeps its models between jobs. Nothing is imported or loaded before the first one.

    Args:
        settings: Where the jobs' folders, weights and caches are.
        share_of: What to draw of a job, if several draw it.
        clips: What others know of clips; None: there are no others.
    """
    runner: _Runner | None = None

    def run(job: Job, progress: Progress) -> JobResult:
        nonlocal runner
        if runner is None:
            runner = _Runner(settings, share_of, None if clips is None else clips())
        return runner.run(job, progress)

    return run


def speech_seconds(request: JobRequest) -> float | None:
    """Length of a request's speech by its header; None where that says nothing of the time that its job takes."""
    from heygem.media.probe import probe_audio

    if request.kind is JobKind.SPEAKER:
        return None  # its training ends when nothing more is to be learnt
    try:
        duration = probe_audio(request.audio).duration
    except MediaError:
        return None  # the job will tell the user why
    if duration is None:
        return None
    return min(float(duration), PREVIEW_S) if request.kind is JobKind.PREVIEW else float(duration)


class _Runner:
    """Does jobs, one after another, into ``outputs_dir / job.id``."""

    def __init__(self, settings: Settings, share_of: Callable[[Job], Share], clips: KnownClips | None) -> None:
        # Late: torch and the networks' libraries take seconds, and the page is to open first.
        from heygem.device import placement_of
        from heygem.jobs.produce import Producer
        from heygem.model_manager import get_model_manager

        placement = placement_of(settings)
        self._settings, self._placement = settings, placement
        self._outputs_dir = settings.outputs_dir
        self._share_of = share_of
        self._models = get_model_manager(settings)
        self._producer = Producer(self._models, settings, placement, clips)
        log.info("running on %s", placement)

    def run(self, job: Job, progress: Progress) -> JobResult:
        """Do one job.

        Raises:
            HeyGemError: it could not be done.
            ShareDrawn: as for `Producer.produce`.
            JobCancelled: the user stopped it.
        """
        if job.request.kind is JobKind.SPEAKER:
            return self._make_speaker(job, progress)
        from heygem.jobs.poster import make_poster
        from heygem.pipeline.segments import segments_folder

        folder = self._outputs_dir / job.id
        output = folder / RESULT
        groundwork = folder / GROUNDWORK_FOLDER
        with full_disk_told(), segments_folder(output), _named_by_its_user(job.request):
            made = self._producer.produce(
                job.request.video,
                job.request.audio,
                output,
                job.request.options,
                progress,
                clip_name=job.request.video_name,
                speech_name=job.request.audio_name,
                content_id=job.id,
                is_preview=job.request.kind is JobKind.PREVIEW,
                share=self._share_of(job),
                groundwork=groundwork if groundwork.is_dir() else None,
            )
            poster: Path = make_poster(made.output, folder / POSTER)
        return JobResult(
            output=made.output, poster=poster, summary=made.summary, notices=made.notices, part_s=made.part_s
        )

    def _make_speaker(self, job: Job, progress: Progress) -> JobResult:
        from heygem.jobs.speaker_job import SpeakerJob  # the trainer, which few need

        folder = self._outputs_dir / job.id
        with full_disk_told(), _named_by_its_user(job.request):
            return SpeakerJob(job, folder, models=self._models, settings=self._settings, placement=self._placement).run(
                progress
            )


@contextmanager
def _named_by_its_user(request: JobRequest) -> Iterator[None]:
    """Let errors call the inputs what their user does, and not what they are called in the job's folder."""
    try:
        yield
    except HeyGemError as error:
        for path, name in ((request.video, request.video_name), (request.audio, request.audio_name)):
            zh = error.text.zh.replace(f"“{path.name}”", f"“{name}”")
            error.text = Text(zh, error.text.en.replace(repr(path.name), repr(name)))
        error.args = (str(error.text),)
        raise
