"""What a job is. Snapshots are immutable, so any thread may keep one. Knows nothing of how jobs are queued or done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from heygem.errors import Notice, Text
from heygem.file_names import as_text
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Progress, Stage


class JobStatus(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """It took the process down with it, more than once; it runs again only when the user says so."""

    @property
    def is_final(self) -> bool:
        """Nothing will happen to the job any more unless the user asks for it."""
        return self not in (JobStatus.QUEUED, JobStatus.RUNNING)


class JobKind(StrEnum):
    """What a job makes."""

    VIDEO = "video"
    PREVIEW = "preview"
    """The hardest five seconds of the video."""
    SPEAKER = "speaker"
    """A lip model of the person in the clip; the clip's own sound is the speech."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a user asks for: one clip that is to speak one speech."""

    video: Path
    audio: Path
    options: RenderOptions = field(default_factory=RenderOptions)
    video_name: str = ""
    """What the user calls the clip; only ever shown, never used as a path. Empty: the file's own name."""
    audio_name: str = ""
    """What the user calls the speech; likewise."""
    kind: JobKind = JobKind.VIDEO
    speaker: str = ""
    """What a SPEAKER is to be called."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "video_name", as_text(self.video_name or self.video.name))
        object.__setattr__(self, "audio_name", as_text(self.audio_name or self.audio.name))

    @property
    def title(self) -> str:
        """What lists call the job: the name of the speaker that it makes, else the clip's."""
        return self.speaker if self.kind is JobKind.SPEAKER else self.video_name


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far the current stage of a running job is."""

    stage: Stage
    done: int
    """Frames done in this stage; of a speaker's DRAWING, samples; of a file on its way to another machine, pieces."""
    total: int | None
    """Frames to do in this stage; None while that is unknown."""
    rate_hz: float | None = None
    """Frames per second of late; None until that can be told."""
    eta_s: float | None = None
    """Seconds until this stage ends at that rate; None while that is unknown."""
    pictures: int = 0
    """How many pictures of drawn frames there were by now; the newest is to be had while the job runs."""

    @property
    def share(self) -> float | None:
        """Share done of this stage, 0..1; None while its length is unknown."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a finished job leaves."""

    output: Path
    """The video."""
    poster: Path | None
    """A still picture of it (JPEG), if one was made."""
    summary: Text
    """Which engines and weights ran and under which licence, or what a speaker's model reaches; a sentence or two."""
    notices: tuple[Notice, ...] = ()
    """What to know of the inputs and of the result."""
    part_s: tuple[float, float] | None = None
    """Which seconds of the whole result a PREVIEW shows."""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, as the user is told."""

    code: str
    text: Text
    hint: Text


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was at one moment; ask the queue again for a newer one."""

    id: str
    request: JobRequest
    status: JobStatus
    queued_s: float
    """Seconds since the epoch; so are the other two times."""
    batch_id: str | None = None
    """Shared by the jobs of one batch; None for a job on its own."""
    position: int | None = None
    """While queued: 1 is the next to run."""
    eta_s: float | None = None
    """While queued or running: seconds until it is done, as far as that can be told; else None."""
    speech_s: float | None = None
    """Length of its speech in seconds, where that was told at submission."""
    attempt: int = 0
    """How often it was begun since it was submitted or retried; one that the server's stop cut short does not count."""
    progress: JobProgress | None = None
    """Set from a running job's first sign of life; stays where it was when the job ends."""
    result: JobResult | None = None
    """Set when the status is DONE."""
    error: JobError | None = None
    """Set when the status is FAILED or INTERRUPTED."""
    started_s: float | None = None
    ended_s: float | None = None


Runner = Callable[[Job, Progress], JobResult]
"""Does a job and returns what it made; raises to fail it."""
