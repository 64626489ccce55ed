"""Where the queue's jobs are done: on the queue's own thread, or on workers elsewhere. Knows no queue and no videos."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from heygem.errors import Text
from heygem.jobs.job import Job, JobError, Runner

Work = Callable[[Runner], None]
"""One attempt at a job, from its beginning to its end written down; does not raise for a failed job."""


@dataclass(frozen=True, slots=True)
class ActorRow:
    """A worker elsewhere, or a place for one, as the page and Prometheus show it."""

    node: str
    device: str
    """cuda or cpu."""
    state: str
    """busy, warm, cold (none is there; it is started when a job comes) or refused."""
    job_id: str | None = None
    models: tuple[str, ...] = ()
    """Those on its device."""
    jobs_done: int = 0
    refused: Text | None = None
    """Why it may not work."""


class Executor(ABC):
    """Carries out what the queue has claimed. The queue's store stays the only truth about jobs."""

    def is_apart(self, job: Job) -> bool:
        """Whether a job is done in another process: if the queue's own dies, it was not of that job."""
        return False

    @abstractmethod
    def has_room(self) -> bool:
        """Whether one more job could begin now. Asked before each claim, on the thread that carries out."""

    def reason_to_wait(self) -> Text | None:
        """Why no job can begin at present although none runs, for users; None while nothing hinders it."""
        return None

    @abstractmethod
    def carry_out(self, job_id: str, work: Work) -> None:
        """Call `work` with a runner, here or on a thread of its own: it may return before the job has ended."""

    def actors(self) -> list[ActorRow]:
        """The workers elsewhere; none where jobs are done here."""
        return []

    def give_up(self, job_id: str, error: JobError) -> bool:
        """End a job that does not answer, its attempt counted.

        Args:
            job_id: The job.
            error: What its user is told if it had all its attempts.

        Returns:
            False if only a new process of the queue's can do that.
        """
        return False

    def close(self) -> None:
        """Let go of the workers; their jobs have been put back by now."""
        return None


class LocalExecutor(Executor):
    """One job at a time, on the thread that claimed it: one device, one job.

    Args:
        run: Does a job.
    """

    def __init__(self, run: Runner) -> None:
        self._run = run

    def has_room(self) -> bool:
        """Always: whoever asks does not run a job."""
        return True

    def carry_out(self, job_id: str, work: Work) -> None:
        """Return when the job has ended."""
        work(self._run)
