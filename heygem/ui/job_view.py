"""One job as HTML: how it goes, and its result. Pure functions; no gradio, no queue."""

from __future__ import annotations

from collections.abc import Sequence

from heygem.errors import Notice, Text
from heygem.jobs.job import Job, JobResult, JobStatus
from heygem.ui import icons, text
from heygem.ui.html_parts import bilingual, both, error_box, escape
from heygem.ui.job_parts import live, meta, newest_picture, poster_url, running_bar, stage_names, title, video_url


def job_card(job: Job | None, now_s: float, actions: str = "") -> str:
    """The state of one job: name, stage, bar, rate, time left; its error when it failed.

    Args:
        job: The job.
        now_s: Seconds since the epoch.
        actions: HTML of what can be done with it.
    """
    if job is None:
        # What is told has to be there, and in the same place, before there is anything to tell.
        untitled = f'<div class="hg-row"><b class="hg-name"></b>{live("")}</div>'
        return f'<div class="hg-card hg-empty">{untitled}{bilingual(text.NO_SINGLE_YET)}</div>'
    failure = error_box(job.error.text, job.error.hint) if job.error else ""
    running = running_bar(job) if job.status is JobStatus.RUNNING else ""
    return (
        f'<div class="hg-card hg-job-card" data-job="{escape(job.id)}" data-status="{job.status}" tabindex="-1">'
        f'{title(job, is_live=True)}<div class="hg-meta">{meta(job, now_s)}</div>{_stages(job)}{running}{failure}'
        f"{actions}</div>"
    )


def job_result(job: Job | None) -> str:
    """The player of a finished job, with its download and what made it; what a running one draws; else a frame."""
    if job is not None and (picture := newest_picture(job)):
        return f'<figure class="hg-player">{picture}<figcaption>{bilingual(text.NEWEST_FRAME)}</figcaption></figure>'
    if job is None or job.result is None:
        words = text.NO_RESULT if job is not None and job.status.is_final else text.NO_RESULT_YET
        return f'<div class="hg-player hg-empty">{bilingual(words)}</div>'
    still = poster_url(job)
    poster = f' poster="{still}"' if still else ""
    return (
        f'<div class="hg-player"><video controls playsinline preload="auto"{poster} src="{video_url(job)}"></video>'
        f'</div>{_seconds(job.result)}<div class="hg-made-by">{bilingual(job.result.summary)}</div>'
        f"{_notices(job.result.notices)}"
        f'<a class="hg-button" href="{video_url(job)}?download=1" download>{bilingual(text.DOWNLOAD)}</a>'
    )


def player(job: Job | None, act: str) -> str:
    """The result that was picked from a grid, with a way to put it away; nothing without one.

    Args:
        job: Whose result it is.
        act: Name of the action that picks.
    """
    if job is None or job.result is None:
        return ""
    return (
        f'<section class="hg-picked" aria-label="{escape(job.request.title)}"><header class="hg-row">'
        f'<b class="hg-name">{escape(job.request.title)}</b><button type="button" class="hg-icon" '
        f'data-act="{act}" data-job="" title="{both(text.CLOSE)}" aria-label="{both(text.CLOSE)}">{icons.CANCEL}'
        f"</button></header>{job_result(job)}</section>"
    )


def _seconds(result: JobResult) -> str:
    """Which seconds a preview shows."""
    if result.part_s is None:
        return ""
    words = Text(*(words.format(*(f"{time_s:.1f}" for time_s in result.part_s)) for words in text.PREVIEW_OF))
    return f'<p class="hg-part">{bilingual(words)}</p>'


def _notices(notices: Sequence[Notice]) -> str:
    """What to know of a result, a line each."""
    lines = (f"<li>{bilingual(notice.text)} {bilingual(notice.hint)}</li>" for notice in notices)
    return f'<ul class="hg-notices">{"".join(lines)}</ul>' if notices else ""


def state_pill(jobs: Sequence[Job]) -> str:
    """Whether the server is at work."""
    busy = any(job.status is JobStatus.RUNNING for job in jobs)
    kind, words = ("busy", text.WORKING) if busy else ("idle", text.IDLE)
    return f'<span class="hg-pill {kind}"><i></i>{bilingual(words)}</span>'


def _stages(job: Job) -> str:
    names = stage_names(job)
    order = list(names)
    reached = order.index(job.progress.stage) if job.progress else -1
    at = len(order) if job.status is JobStatus.DONE else reached
    here = "stopped" if job.status.is_final else "current"
    steps = ""
    for index, stage in enumerate(order):
        state = "done" if index < at else here if index == at else ""
        steps += f'<li class="{state}"><i></i>{bilingual(names[stage])}</li>'
    return f'<ol class="hg-stages">{steps}</ol>'
