"""A queued job that makes a speaker: the training, the film of what it reached, and what the user is told."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from heygem import __version__
from heygem.device import Placement
from heygem.jobs.job import Job, JobResult
from heygem.jobs.job_folder import POSTER, RESULT
from heygem.jobs.make_speaker import make_speaker
from heygem.jobs.marking import Marking
from heygem.jobs.poster import make_poster
from heygem.jobs.result_manifest import manifest_of, write_manifest
from heygem.jobs.speaker_film import write_film
from heygem.model_manager import ModelManager
from heygem.pipeline.progress import Progress, Stage
from heygem.settings import Settings
from heygem.training.speaker_facts import SpeakerFacts, read_facts
from heygem.training.speaker_score import HeldOutDrawings
from heygem.weights.speakers import speaker_folder


class SpeakerJob:
    """Makes the speaker that a job asks for, and its film in the job's folder: both or neither.

    Args:
        job: Of kind SPEAKER.
        folder: The job's.
        models: Lends the detector.
        settings: Where models lie, and how results are marked.
        placement: Device to detect and train on.
    """

    def __init__(
        self, job: Job, folder: Path, *, models: ModelManager, settings: Settings, placement: Placement
    ) -> None:
        self._job = job
        self._output = folder / RESULT
        self._poster = folder / POSTER
        self._models = models
        self._settings = settings
        self._placement = placement
        self._marking = Marking.of(settings)

    def run(self, progress: Progress) -> JobResult:
        """Do it.

        Raises:
            HeyGemError: it could not be done; nothing is left of the speaker.
            JobCancelled: from `progress`.
        """
        facts = self._made_before()
        if facts is None:
            facts = self._make(progress)
        notices = (*facts.notices, *self._marking.notices)
        return JobResult(output=self._output, poster=self._poster, summary=facts.summary, notices=notices)

    def _made_before(self) -> SpeakerFacts | None:
        """What an attempt of this job made whose process was killed before it could say so."""
        facts = read_facts(speaker_folder(self._job.request.speaker, self._settings.models_dir))
        return facts if facts is not None and facts.job == self._job.id and self._output.is_file() else None

    def _make(self, progress: Progress) -> SpeakerFacts:
        request, began = self._job.request, time.monotonic()

        def film(drawings: HeldOutDrawings, facts: SpeakerFacts) -> None:
            frames = write_film(
                drawings,
                request.video,
                self._output,
                marking=self._marking,
                content_id=self._job.id,
                on_frame=lambda done, total: progress.tick(Stage.FINISHING, done, total),
            )
            make_poster(self._output, self._poster)
            write_manifest(self._output, self._told(facts, frames, time.monotonic() - began))

        try:
            return make_speaker(
                request.video,
                request.speaker,
                models=self._models,
                settings=self._settings,
                placement=self._placement,
                progress=progress,
                clip_name=request.video_name,
                job=self._job.id,
                on_measured=film,
            ).facts
        except BaseException:
            for path in (self._output, self._poster, manifest_of(self._output)):
                path.unlink(missing_ok=True)
            raise

    def _told(self, facts: SpeakerFacts, frames: int, seconds: float) -> dict[str, object]:
        """What the manifest says."""
        notices = (*facts.notices, *self._marking.notices)
        return {
            "heygem": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "clip": facts.clip,
            "speaker": {
                "name": facts.name,
                "offset_ms": facts.offset_ms,
                "r": facts.r,
                "psnr_db": facts.psnr_db,
                "silence_psnr_db": facts.silence_psnr_db,
                "shifted_psnr_db": facts.shifted_psnr_db,
                "default": {"r": facts.default_r, "psnr_db": facts.default_psnr_db},
            },
            "label": self._marking.facts(self._job.id),
            "placement": str(self._placement),
            "frames": frames,
            "notices": [{"code": notice.code, **notice.text._asdict()} for notice in notices],
            "seconds": {"all": round(seconds, 3)},
        }
