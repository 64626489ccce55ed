"""Jobs as HTML. Pure functions; no gradio, no queue."""

from __future__ import annotations

import time
from collections.abc import Sequence

from heygem.errors import Notice, Text
from heygem.jobs.job import Job, JobStatus
from heygem.pipeline.progress import Stage
from heygem.ui import text
from heygem.ui.html_parts import bar, bilingual, both, chip, duration, error_box, escape

_RECENT = 6
_WAITING_SHOWN = 30


def job_card(job: Job | None, now_s: float) -> str:
    """The state of one job: name, stage, bar, rate, time left; its error when it failed."""
    if job is None:
        return f'<div class="hg-card hg-empty">{bilingual(text.NO_SINGLE_YET)}</div>'
    failure = error_box(job.error.text, job.error.hint) if job.error else ""
    running = _running_bar(job) if job.status is JobStatus.RUNNING else ""
    return (
        f'<div class="hg-card hg-job-card" data-status="{job.status}">{_title(job)}'
        f'<div class="hg-meta">{_meta(job, now_s)}</div>{_stages(job)}{running}{failure}</div>'
    )


def job_result(job: Job | None) -> str:
    """The player of a finished job, with its download and what made it; otherwise an empty frame."""
    if job is None or job.result is None:
        return f'<div class="hg-player hg-empty">{bilingual(text.NO_RESULT_YET)}</div>'
    poster = f' poster="results/{escape(job.id)}/poster.jpg"' if job.result.poster else ""
    return (
        f'<div class="hg-player"><video controls playsinline preload="auto"{poster} src="{_url(job)}"></video></div>'
        f'<div class="hg-made-by">{bilingual(job.result.summary)}</div>{_notices(job.result.notices)}'
        f'<a class="hg-button" href="{_url(job)}?download=1" download>{bilingual(text.DOWNLOAD)}</a>'
    )


def _notices(notices: Sequence[Notice]) -> str:
    """What to know of a result, a line each."""
    lines = (f"<li>{bilingual(notice.text)} {bilingual(notice.hint)}</li>" for notice in notices)
    return f'<ul class="hg-notices">{"".join(lines)}</ul>' if notices else ""


def batch_card(jobs: Sequence[Job], now_s: float) -> str:
    """How far a batch is: ended of all, the current clip, chips by state."""
    if not jobs:
        return f'<div class="hg-card hg-empty">{bilingual(text.NO_BATCH_YET)}</div>'
    counts = {status: sum(job.status is status for job in jobs) for status in JobStatus}
    chips = "".join(chip(status, text.STATUS[status], count) for status, count in counts.items() if count)
    ended = sum(job.status.is_final for job in jobs)
    current = next((job for job in jobs if job.status is JobStatus.RUNNING), None)
    share = sum(1.0 if job.status.is_final else _share(job) for job in jobs) / len(jobs)
    name = f'{bilingual(text.NOW)} <b class="hg-name">{escape(current.request.video_name)}</b>' if current else ""
    detail = f'<div class="hg-meta">{name} {_meta(current, now_s)}</div>' if current else ""
    return (
        f'<div class="hg-card hg-batch-card"><div class="hg-row"><b class="hg-count">{ended}/{len(jobs)}</b>'
        f'<div class="hg-grow">{chips}{bar(share, text.PROGRESS)}</div></div>{detail}</div>'
    )


def batch_table(jobs: Sequence[Job], now_s: float) -> str:
    """A line per clip of a batch: name, state, and what can be done with it."""
    if not jobs:
        return ""
    rows = "".join(
        f'<tr data-job="{escape(job.id)}" data-status="{job.status}"><td class="number">{number}</td>'
        f'<td class="hg-name" title="{escape(job.request.video_name)}">{escape(job.request.video_name)}</td>'
        f"<td>{chip(job.status, text.STATUS[job.status])} {_outcome(job, now_s)}</td>"
        f'<td class="hg-actions">{_actions(job, plays_here=True)}</td></tr>'
        for number, job in enumerate(jobs, start=1)
    )
    head = f"<th>#</th><th>{bilingual(text.ITEM)}</th><th>{bilingual(text.STATE)}</th><th></th>"
    return f'<table class="hg-items"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def queue_card(jobs: Sequence[Job], now_s: float, pause_reason: Text | None = None) -> str:
    """What runs and waits, and what ended of late; above it, why nothing is begun, if so."""
    running = [job for job in jobs if job.status is JobStatus.RUNNING]
    waiting = [job for job in jobs if job.status is JobStatus.QUEUED]
    ended = sorted((job for job in jobs if job.status.is_final), key=lambda job: job.ended_s or 0, reverse=True)
    counts = (
        f"{len(running)} {bilingual(text.RUNNING_COUNT)} · "
        f'<span class="hg-waiting">{len(waiting)}</span> {bilingual(text.WAITING_COUNT)}'
    )
    active = "".join(_queue_row(job, now_s) for job in [*running, *waiting[:_WAITING_SHOWN]])
    hidden = len(waiting) - _WAITING_SHOWN
    more = f'<div class="hg-meta">+ {hidden}</div>' if hidden > 0 else ""
    body = f'<ul class="hg-jobs">{active}</ul>{more}' if active else _quiet(bilingual(text.QUEUE_EMPTY))
    paused = f'<div class="hg-failure">{bilingual(pause_reason)}</div>' if pause_reason else ""
    recent = "".join(_queue_row(job, now_s) for job in ended[:_RECENT])
    tail = f'<h4>{bilingual(text.RECENT)}</h4><ul class="hg-jobs hg-recent">{recent}</ul>' if recent else ""
    return (
        f'<section class="hg-card"><header><h3>{bilingual(text.QUEUE)}</h3>'
        f'<span class="hg-meta">{counts}</span></header>{paused}{body}{tail}</section>'
    )


def state_pill(jobs: Sequence[Job]) -> str:
    """Whether the server is at work."""
    busy = any(job.status is JobStatus.RUNNING for job in jobs)
    kind, words = ("busy", text.WORKING) if busy else ("idle", text.IDLE)
    return f'<span class="hg-pill {kind}"><i></i>{bilingual(words)}</span>'


def _queue_row(job: Job, now_s: float) -> str:
    running = _running_bar(job) if job.status is JobStatus.RUNNING else ""
    return (
        f'<li data-job="{escape(job.id)}" data-status="{job.status}"><div class="hg-grow">{_title(job)}'
        f'<div class="hg-meta">{_outcome(job, now_s)}</div>{running}</div>'
        f'<div class="hg-actions">{_actions(job, plays_here=False)}</div></li>'
    )


def _title(job: Job) -> str:
    name = escape(job.request.video_name)
    return (
        f'<div class="hg-row"><b class="hg-name" title="{name} + {escape(job.request.audio_name)}">{name}</b>'
        f"{chip(job.status, text.STATUS[job.status])}</div>"
    )


def _meta(job: Job, now_s: float) -> str:
    match job.status:
        case JobStatus.QUEUED:
            done_in = "" if job.eta_s is None else f" · {bilingual(text.DONE_IN)} {duration(job.eta_s)}"
            return f"{bilingual(text.POSITION)} {job.position}{done_in}"
        case JobStatus.RUNNING:
            return _pace(job, now_s)
        case JobStatus.DONE:
            ended = time.strftime("%H:%M:%S", time.localtime(job.ended_s))
            return f"{bilingual(text.TOOK)} {duration((job.ended_s or 0) - (job.started_s or 0))} · {ended}"
        case _:
            return ""


def _outcome(job: Job, now_s: float) -> str:
    """`_meta`, and for a failed job what went wrong and what to do."""
    if job.error is None:
        return f'<span class="hg-meta">{_meta(job, now_s)}</span>'
    hint = f" {bilingual(job.error.hint)}" if any(job.error.hint) else ""
    return f'<span class="hg-failure" data-code="{escape(job.error.code)}">{bilingual(job.error.text)}{hint}</span>'


def _pace(job: Job, now_s: float) -> str:
    parts = [duration(now_s - (job.started_s or now_s))]
    progress = job.progress
    if progress is not None:
        parts.insert(0, bilingual(text.STAGE[progress.stage]))
        if progress.total:
            parts.append(f"{progress.done}/{progress.total} {bilingual(text.FRAMES)}")
        if progress.rate_hz is not None:
            parts.append(f'<span class="hg-rate">{progress.rate_hz:.1f}</span> {bilingual(text.PER_SECOND)}')
        if progress.eta_s is not None:
            parts.append(f'{bilingual(text.REMAINING)} <span class="hg-eta">{duration(progress.eta_s)}</span>')
    return " · ".join(parts)


def _stages(job: Job) -> str:
    order = list(Stage)
    reached = order.index(job.progress.stage) if job.progress else -1
    at = len(order) if job.status is JobStatus.DONE else reached
    steps = ""
    for index, stage in enumerate(order):
        state = "done" if index < at else "current" if index == at else ""
        steps += f'<li class="{state}"><i></i>{bilingual(text.STAGE[stage])}</li>'
    return f'<ol class="hg-stages">{steps}</ol>'


def _running_bar(job: Job) -> str:
    return bar(job.progress.share if job.progress else None, text.PROGRESS)


def _share(job: Job) -> float:
    """Share of a whole job that is done: drawing is what takes the time."""
    if job.progress is None or job.progress.stage is not Stage.DRAWING:
        return 1.0 if job.progress is not None and job.progress.stage is Stage.FINISHING else 0.0
    return job.progress.share or 0.0


def _actions(job: Job, *, plays_here: bool) -> str:
    if not job.status.is_final:
        return _button("cancel", job, "✕", both(text.CANCEL))
    if job.result is None:
        return ""
    label = both(text.PLAY)
    play = (
        _button("play", job, "▶", label)
        if plays_here
        else f'<a class="hg-icon" href="{_url(job)}" target="_blank" title="{label}" aria-label="{label}">▶</a>'
    )
    label = both(text.DOWNLOAD)
    return f'{play}<a class="hg-icon" href="{_url(job)}?download=1" download title="{label}" aria-label="{label}">↓</a>'


def _button(act: str, job: Job, sign: str, label: str) -> str:
    return (
        f'<button type="button" class="hg-icon" data-act="{act}" data-job="{escape(job.id)}" '
        f'title="{label}" aria-label="{label}">{sign}</button>'
    )


def _quiet(words: str) -> str:
    return f'<div class="hg-quiet">{words}</div>'


def _url(job: Job) -> str:
    return f"results/{escape(job.id)}/result.mp4"
