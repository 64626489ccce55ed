"""What scripts send and are told, as types. Knows jobs; knows nothing of how requests arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from heygem.errors import Text
from heygem.jobs.job import Job, JobError, JobKind, JobProgress, JobStatus
from heygem.pipeline.options import EnhancerChoice, RenderOptions
from heygem.pipeline.progress import Stage

_NOT_FROM_OUTSIDE: dict[str, object] = {
    # Both may be paths on the command line. A stranger must not have files of this machine opened.
    "lips": Annotated[str, Field(pattern=r"^[\w-]{1,64}$")],
    "enhancer": EnhancerChoice,
}
_HINTS = get_type_hints(RenderOptions) | _NOT_FROM_OUTSIDE
_FIELDS: dict[str, Any] = {one.name: (_HINTS[one.name], one.default) for one in fields(RenderOptions)}

Options = create_model("Options", __config__=ConfigDict(extra="forbid"), **_FIELDS)
"""The options of a job: those of ``heygem generate``, with the same defaults."""


class Bilingual(BaseModel):
    """One sentence in the two languages of the product."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: Text) -> Bilingual:
        """The same sentence."""
        return cls(zh=text.zh, en=text.en)


class ErrorAnswer(BaseModel):
    """Why something was refused, or failed."""

    code: str
    """Stable, for scripts."""
    message: Bilingual
    hint: Bilingual
    """What to do about it; may be empty."""

    @classmethod
    def of(cls, error: JobError) -> ErrorAnswer:
        """The same error."""
        return cls(code=error.code, message=Bilingual.of(error.text), hint=Bilingual.of(error.hint))


class NoticeAnswer(BaseModel):
    """What to know of a result although nothing failed."""

    code: str
    text: Bilingual


class ProgressAnswer(BaseModel):
    """How far the current stage of a job is."""

    stage: Stage
    done: int
    total: int | None
    rate_hz: float | None
    eta_s: float | None

    @classmethod
    def of(cls, progress: JobProgress) -> ProgressAnswer:
        """The same progress."""
        return cls(
            stage=progress.stage,
            done=progress.done,
            total=progress.total,
            rate_hz=progress.rate_hz,
            eta_s=progress.eta_s,
        )


class JobAnswer(BaseModel):
    """A job as it is at one moment."""

    id: str
    status: JobStatus
    batch_id: str | None
    kind: JobKind
    """What it makes."""
    speaker: str
    """What a speaker that it makes is called; else empty."""
    video_name: str
    audio_name: str
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    position: int | None
    """While queued: 1 is the next to run."""
    eta_s: float | None
    """Seconds until it is done, as far as that can be told."""
    attempt: int
    progress: ProgressAnswer | None
    summary: Bilingual | None
    """Which engines made the result, and under which licence."""
    part_s: tuple[float, float] | None
    """From when to when in the whole result a preview goes."""
    notices: list[NoticeAnswer]
    error: ErrorAnswer | None
    links: dict[str, str]
    """Where to ask for more: self, events, and when it is done result and manifest."""

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        """What scripts are told of `job`: no path of this machine."""
        result = job.result
        notices = result.notices if result else ()
        here = f"/api/v1/jobs/{job.id}"
        links = {"self": here, "events": f"{here}/events"}
        if result is not None:
            links |= {"result": f"{here}/result.mp4", "manifest": f"{here}/manifest.json"}
        return cls(
            id=job.id,
            status=job.status,
            batch_id=job.batch_id,
            kind=job.request.kind,
            speaker=job.request.speaker,
            video_name=job.request.video_name,
            audio_name=job.request.audio_name,
            queued_at=_moment(job.queued_s),
            started_at=None if job.started_s is None else _moment(job.started_s),
            ended_at=None if job.ended_s is None else _moment(job.ended_s),
            position=job.position,
            eta_s=job.eta_s,
            attempt=job.attempt,
            progress=ProgressAnswer.of(job.progress) if job.progress else None,
            part_s=result.part_s if result else None,
            summary=Bilingual.of(result.summary) if result else None,
            notices=[NoticeAnswer(code=one.code, text=Bilingual.of(one.text)) for one in notices],
            error=ErrorAnswer.of(job.error) if job.error else None,
            links=links,
        )


class BatchAnswer(BaseModel):
    """Jobs that were submitted together, in order."""

    batch_id: str | None
    jobs: list[JobAnswer]

    @classmethod
    def of(cls, jobs: Sequence[Job]) -> BatchAnswer:
        """What scripts are told of a batch."""
        return cls(batch_id=jobs[0].batch_id, jobs=[JobAnswer.of(job) for job in jobs])


class PageAnswer(BaseModel):
    """A part of the jobs that were asked for."""

    total: int
    """Jobs in the whole answer."""
    jobs: list[JobAnswer]
    """The newest submission first."""


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
