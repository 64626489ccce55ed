"""A batch as HTML: how far it is, and its results. Pure functions; no gradio, no queue."""

from __future__ import annotations

from collections.abc import Sequence

from heygem.errors import Text
from heygem.jobs.job import Job, JobStatus
from heygem.pipeline.progress import Stage
from heygem.ui import text
from heygem.ui.html_parts import bilingual, both, chip, escape
from heygem.ui.job_parts import Refusal, asks, buttons, meta, refusal_line, took
from heygem.ui.tile import tile

RETRIED = (JobStatus.FAILED, JobStatus.INTERRUPTED)
"""What is meant by "retry failed": not what the user stopped."""


def batch_card(jobs: Sequence[Job], now_s: float, refusal: Refusal | None = None) -> str:
    """How far a batch is: made of all, the current clip, chips by state, and what can be done with all of it.

    Args:
        jobs: Of the batch, in order.
        now_s: Seconds since the epoch.
        refusal: What a button was refused; shown if it belongs to the batch.
    """
    if not jobs:
        return f'<div class="hg-card hg-empty">{bilingual(text.NO_BATCH_YET)}</div>'
    counts = {status: sum(job.status is status for job in jobs) for status in JobStatus}
    chips = "".join(chip(status, text.STATUS[status], count) for status, count in counts.items() if count)
    current = next((job for job in jobs if job.status is JobStatus.RUNNING), None)
    share = (counts[JobStatus.DONE] + sum(map(_share, jobs))) / len(jobs)
    name = f'{bilingual(text.NOW)} <b class="hg-name">{escape(current.request.video_name)}</b>' if current else ""
    detail = f'<div class="hg-meta">{name} {meta(current, now_s)}</div>' if current else ""
    return (
        f'<div class="hg-card hg-batch-card"><div class="hg-row"><b class="hg-count" aria-live="polite">'
        f'{counts[JobStatus.DONE]}<small>/{len(jobs)}</small></b><div class="hg-grow">{chips}{_bar(jobs, share)}</div>'
        f'<b class="hg-meta">{100 * share:.0f}%</b></div>{detail}'
        f'<div class="hg-row hg-batch-buttons">{_batch_buttons(jobs, counts)}</div>'
        f"{refusal_line(refusal, jobs[0].batch_id or '')}</div>"
    )


def batch_tiles(jobs: Sequence[Job], playing: str = "", refusal: Refusal | None = None) -> str:
    """A tile per clip of a batch.

    Args:
        jobs: Of the batch, in order.
        playing: Id of the job whose result is in the player.
        refusal: What a button was refused; shown in its job's tile.
    """
    tiles = "".join(
        tile(
            job,
            play="play",
            meta=_tile_meta(job),
            buttons=buttons(job),
            refusal=refusal,
            is_playing=job.id == playing,
        )
        for job in jobs
    )
    return f'<div class="hg-tiles">{tiles}</div>' if tiles else ""


def _bar(jobs: Sequence[Job], share: float) -> str:
    """A part for each state that is no waiting, all of them always there: a browser patches the same ones."""
    widths = {
        "done": sum(job.status is JobStatus.DONE for job in jobs),
        "running": sum(map(_share, jobs)),
        "failed": sum(job.status in RETRIED for job in jobs),
        "cancelled": sum(job.status is JobStatus.CANCELLED for job in jobs),
    }
    parts = "".join(
        f'<i class="{state}" style="width:{100 * width / len(jobs):.1f}%"></i>' for state, width in widths.items()
    )
    return (
        f'<div class="hg-bar hg-states" role="progressbar" aria-label="{both(text.PROGRESS)}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{100 * share:.0f}">{parts}</div>'
    )


def _batch_buttons(jobs: Sequence[Job], counts: dict[JobStatus, int]) -> str:
    batch_id = escape(jobs[0].batch_id or "")
    done = sum(job.result is not None for job in jobs)
    parts = []
    if done:
        words = text.ZIP_ALL if done == len(jobs) else text.ZIP_SOME
        words = Text(*(words.format(done=done, missing=len(jobs) - done) for words in words))
        parts.append(
            f'<a class="hg-button" id="batch-zip" href="batches/{batch_id}/results.zip" download>{bilingual(words)}</a>'
        )
    failed = sum(counts[status] for status in RETRIED)
    if failed:
        parts.append(
            f'<button type="button" class="hg-button" id="batch-retry" data-act="retry-batch" data-job="{batch_id}">'
            f"{bilingual(text.RETRY_FAILED)} {failed}</button>"
        )
    left = len(jobs) - sum(job.status.is_final for job in jobs)
    if left:
        question = asks(Text(*(words.format(left) for words in text.CANCEL_MANY)))
        parts.append(
            f'<button type="button" class="hg-button" id="batch-cancel" data-act="cancel-batch" '
            f'data-job="{batch_id}"{question}>{bilingual(text.CANCEL_BATCH)}</button>'
        )
    return "".join(parts)


def _tile_meta(job: Job) -> str:
    if job.status is JobStatus.QUEUED:
        return f"{bilingual(text.POSITION)} {job.position}"
    return took(job) if job.status is JobStatus.DONE else ""


def _share(job: Job) -> float:
    """Share of a running job that is made: drawing is what takes the time."""
    if job.status is not JobStatus.RUNNING or job.progress is None:
        return 0.0
    if job.progress.stage is Stage.DRAWING:
        return job.progress.share or 0.0
    return 1.0 if job.progress.stage is Stage.FINISHING else 0.0
