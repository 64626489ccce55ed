"""When jobs will be done. Pure: knows lengths of speech and paces, no queue and no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from heygem.jobs.job import Job, JobStatus
from heygem.pipeline.progress import Stage


def with_times(jobs: Sequence[Job], done: Sequence[tuple[float, float]], now_s: float) -> list[Job]:
    """`jobs` with the times until those that run or wait are done; None from the first that cannot be told.

    Args:
        jobs: All that run and wait are among them.
        done: Seconds of work and of speech of jobs that were done of late.
        now_s: Seconds since the epoch.
    """
    pace = _pace(done)
    waiting = sorted((job for job in jobs if job.position is not None), key=lambda job: job.position or 0)
    times: dict[str, float | None] = {}
    sofar: float | None = 0.0
    for job in (job for job in jobs if job.status is JobStatus.RUNNING):
        left = times[job.id] = _time_left(job, pace, now_s)
        sofar = None if sofar is None or left is None else sofar + left
    for job in waiting:
        sofar = None if sofar is None or job.speech_s is None or pace is None else sofar + pace * job.speech_s
        times[job.id] = sofar
    return [replace(job, eta_s=times[job.id]) if job.id in times else job for job in jobs]


def _pace(done: Sequence[tuple[float, float]]) -> float | None:
    """Seconds that a second of speech takes. The median: a job may have waited for a model to load."""
    # A clock that was set back while a job ran makes its work shorter than nothing.
    paces = [work_s / speech_s for work_s, speech_s in done if speech_s > 0 and work_s > 0]
    return median(paces) if paces else None


def _time_left(job: Job, pace: float | None, now_s: float) -> float | None:
    progress = job.progress
    if progress is not None and progress.stage is Stage.DRAWING and progress.eta_s is not None:
        return progress.eta_s  # what comes after drawing takes no time to speak of
    if pace is None or job.speech_s is None or job.started_s is None:
        return None
    return max(0.0, pace * job.speech_s - (now_s - job.started_s))
