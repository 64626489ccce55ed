"""The queue as HTML. Pure functions; no gradio, no queue."""

from __future__ import annotations

from collections.abc import Sequence

from heygem.errors import Text
from heygem.jobs.job import Job, JobStatus
from heygem.ui import icons, text
from heygem.ui.html_parts import bilingual, both, escape
from heygem.ui.job_parts import (
    Refusal,
    buttons,
    failure,
    meta,
    refusal_line,
    running_bar,
    thumbnail,
    title,
    video_url,
)

_RECENT = 6
_WAITING_SHOWN = 30


def queue_card(
    jobs: Sequence[Job], now_s: float, pause_reason: Text | None = None, refusal: Refusal | None = None
) -> str:
    """What runs and waits, and what ended of late, each with what can be done with it.

    Args:
        jobs: Of the queue.
        now_s: Seconds since the epoch.
        pause_reason: Why nothing is begun, if so.
        refusal: What a button was refused; shown under its job.
    """
    running = [job for job in jobs if job.status is JobStatus.RUNNING]
    waiting = sorted((job for job in jobs if job.status is JobStatus.QUEUED), key=lambda job: job.position or 0)
    ended = sorted((job for job in jobs if job.status.is_final), key=lambda job: job.ended_s or 0, reverse=True)
    counts = (
        f"{len(running)} {bilingual(text.RUNNING_COUNT)} · "
        f'<span class="hg-waiting">{len(waiting)}</span> {bilingual(text.WAITING_COUNT)}'
    )
    active = "".join(_row(job, now_s, refusal) for job in [*running, *waiting[:_WAITING_SHOWN]])
    hidden = len(waiting) - _WAITING_SHOWN
    more = f'<div class="hg-meta">+ {hidden} {bilingual(text.WAITING_COUNT)}</div>' if hidden > 0 else ""
    quiet = f'<div class="hg-quiet">{bilingual(text.QUEUE_EMPTY)}</div>'
    body = f'<ul class="hg-jobs" aria-label="{both(text.QUEUE)}">{active}</ul>{more}' if active else quiet
    paused = f'<div class="hg-failure">{bilingual(pause_reason)}</div>' if pause_reason else ""
    recent = "".join(_row(job, now_s, refusal) for job in ended[:_RECENT])
    tail = f'<h4>{bilingual(text.RECENT)}</h4><ul class="hg-jobs hg-recent">{recent}</ul>' if recent else ""
    return (
        f'<section class="hg-card"><header><h3>{bilingual(text.QUEUE)}</h3>'
        f'<span class="hg-meta">{counts}</span></header>{paused}{body}{tail}</section>'
    )


def _row(job: Job, now_s: float, refusal: Refusal | None) -> str:
    bar = running_bar(job) if job.status is JobStatus.RUNNING else ""
    play = both(text.PLAY)
    link = (
        f'<a class="hg-icon" href="{video_url(job)}" target="_blank" title="{play}" '
        f'aria-label="{play}: {escape(job.request.title)}">{icons.PLAY}</a>'
        if job.result
        else ""
    )
    outcome = failure(job) or f'<span class="hg-meta">{meta(job, now_s)}</span>'
    return (
        f'<li data-job="{escape(job.id)}" data-status="{job.status}" tabindex="-1">{thumbnail(job)}'
        f'<div class="hg-grow">{title(job)}<div>{outcome}</div>{bar}{refusal_line(refusal, job.id)}</div>'
        f'<div class="hg-actions">{link}{buttons(job, is_in_queue=True, can_delete=True)}</div></li>'
    )
