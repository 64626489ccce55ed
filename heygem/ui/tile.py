"""A job as a card with its picture, for grids of results. Pure functions.

Nothing in it changes from second to second, so that a grid of many is sent only when a job's state changes.
"""

from __future__ import annotations

from heygem.jobs.job import Job, JobStatus
from heygem.ui import icons, text
from heygem.ui.html_parts import bilingual, both, escape
from heygem.ui.job_parts import Refusal, failure, first_picture, poster_url, refusal_line, title

_SIGNS = {JobStatus.QUEUED: icons.WAITING, JobStatus.CANCELLED: icons.CANCEL}
"""Where there is no picture; for all others one that says that something went wrong."""


def tile(
    job: Job,
    *,
    play: str,
    meta: str,
    buttons: str,
    corner: str = "",
    refusal: Refusal | None = None,
    is_playing: bool = False,
) -> str:
    """One card.

    Args:
        job: What it shows.
        play: Name of the action that plays the result.
        meta: HTML under the name.
        buttons: HTML of what can be done with the job.
        corner: HTML over the picture.
        refusal: Shown if it belongs to the job.
        is_playing: Its result is in the player.
    """
    playing = ' aria-current="true"' if is_playing else ""
    return (
        f'<article class="hg-tile" data-job="{escape(job.id)}" data-status="{job.status}" tabindex="-1"{playing}>'
        f'{_picture(job, play)}{corner}<div class="hg-tile-text">{title(job)}'
        f'<div class="hg-meta">{meta}</div>{failure(job)}{refusal_line(refusal, job.id)}</div>'
        f'<div class="hg-actions">{buttons}</div></article>'
    )


def _picture(job: Job, play: str) -> str:
    if job.status is JobStatus.RUNNING:
        doing = f'<span class="hg-doing">{icons.RUNNING}{bilingual(text.GENERATING)}</span>'
        return f'<div class="hg-poster busy">{first_picture(job)}{doing}</div>'
    if job.result is None:
        return f'<div class="hg-poster">{_SIGNS.get(job.status, icons.FAILED)}</div>'
    url = poster_url(job)
    picture = f'<img src="{url}" alt="" loading="lazy">' if url else ""
    return (
        f'<button type="button" class="hg-poster" data-act="{play}" data-job="{escape(job.id)}" '
        f'title="{both(text.PLAY)}" aria-label="{both(text.PLAY)}: {escape(job.request.title)}">'
        f'{picture}<span class="hg-play">{icons.PLAY}</span></button>'
    )
