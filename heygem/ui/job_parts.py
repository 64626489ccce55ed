"""Pieces of HTML that all lists of jobs share: what a job is doing, and the buttons for it. Pure functions."""

from __future__ import annotations

import time
from dataclasses import dataclass

from heygem.errors import NOTHING, Text
from heygem.jobs.job import Job, JobKind, JobStatus
from heygem.pipeline.progress import Stage
from heygem.ui import icons, text
from heygem.ui.html_parts import bar, bilingual, both, chip, duration, escape


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a button did not do what it says; shown next to what it belongs to."""

    target: str
    """Id of the job or of the batch; empty for what belongs to neither."""
    text: Text
    hint: Text = NOTHING


def refusal_line(refusal: Refusal | None, target: str) -> str:
    """The refusal, if it belongs to `target`."""
    if refusal is None or refusal.target != target:
        return ""
    return f'<div class="hg-failure" role="alert">{bilingual(refusal.text)} {bilingual(refusal.hint)}</div>'


def title(job: Job, *, is_live: bool = False) -> str:
    """What the job is called, what it makes if that is no video, and its state.

    Args:
        job: The job.
        is_live: Screen readers are to tell when its state changes.
    """
    request = job.request
    made_of = [request.video_name] if request.kind is JobKind.SPEAKER else [request.video_name, request.audio_name]
    kind = f'<span class="hg-kind">{bilingual(text.KIND[request.kind])}</span>' if request.kind in text.KIND else ""
    state = chip(job.status, text.STATUS[job.status])
    return (
        f'<div class="hg-row"><b class="hg-name" title="{escape(" + ".join(made_of))}">'
        f"{escape(request.title)}{kind}</b>"
        f"{live(state) if is_live else state}</div>"
    )


def live(html: str) -> str:
    """What screen readers tell whenever it changes; a redraw that leaves it as it is, they do not hear of."""
    return f'<span role="status">{html}</span>'


def meta(job: Job, now_s: float) -> str:
    """A line of numbers: place and time to wait, or pace, or time taken."""
    match job.status:
        case JobStatus.QUEUED:
            done_in = "" if job.eta_s is None else f" · {bilingual(text.DONE_IN)} {duration(job.eta_s)}"
            return f"{bilingual(text.POSITION)} {job.position}{done_in}"
        case JobStatus.RUNNING:
            return _pace(job, now_s)
        case JobStatus.DONE:
            return f"{took(job)} · {time.strftime('%H:%M:%S', time.localtime(job.ended_s))}"
        case _:
            return ""


def took(job: Job) -> str:
    """How long a finished job took."""
    return f"{bilingual(text.TOOK)} {duration((job.ended_s or 0) - (job.started_s or 0))}"


def failure(job: Job) -> str:
    """What went wrong and what to do, in a line; empty if nothing did."""
    if job.error is None:
        return ""
    hint = f" {bilingual(job.error.hint)}" if any(job.error.hint) else ""
    return f'<span class="hg-failure" data-code="{escape(job.error.code)}">{bilingual(job.error.text)}{hint}</span>'


def stage_names(job: Job) -> dict[Stage, Text]:
    """What the job's stages are called, in the order in which they come."""
    return text.SPEAKER_STAGE if job.request.kind is JobKind.SPEAKER else text.STAGE


def running_bar(job: Job) -> str:
    """How far the current stage is."""
    return bar(job.progress.share if job.progress else None, text.PROGRESS)


def poster_url(job: Job) -> str | None:
    """Where the still picture of a result is, if there is one."""
    return f"results/{escape(job.id)}/poster.jpg" if job.result and job.result.poster else None


def newest_picture(job: Job) -> str:
    """What a running job drew a moment ago; empty while there is nothing to see.

    The page redraws it in place: a browser shows the picture before until the next one has come.
    """
    number = job.progress.pictures if job.progress and job.status is JobStatus.RUNNING else 0
    url = f"results/{escape(job.id)}/newest.jpg?n={number}"
    return f'<img class="hg-newest" src="{url}" alt="{both(text.NEWEST_FRAME)}">' if number else ""


def first_picture(job: Job) -> str:
    """A picture that a running job drew, whichever it was when a page asked; empty before there is one."""
    is_there = job.progress is not None and job.progress.pictures > 0
    return f'<img src="results/{escape(job.id)}/newest.jpg" alt="">' if is_there else ""


def video_url(job: Job) -> str:
    """Where the result of a finished job is."""
    return f"results/{escape(job.id)}/result.mp4"


def thumbnail(job: Job) -> str:
    """The still picture of a result, small; an empty frame without one."""
    url = poster_url(job)
    return f'<img class="hg-thumb" src="{url}" alt="" loading="lazy">' if url else '<i class="hg-thumb"></i>'


def buttons(job: Job, *, is_in_queue: bool = False, can_delete: bool = False) -> str:
    """What can be done with a job in its state, but for playing it.

    Args:
        job: The job.
        is_in_queue: Among others that wait, where it can be moved to the front.
        can_delete: Once it has ended.
    """
    if not job.status.is_final:
        moves = is_in_queue and job.position is not None and job.position > 1
        front = job_button("front", job, icons.TO_FRONT, text.TO_FRONT) if moves else ""
        return front + job_button("cancel", job, icons.CANCEL, text.CANCEL)
    again = download(job) if job.result else job_button("retry", job, icons.RETRY, text.RETRY)
    delete = job_button("delete", job, icons.DELETE, text.DELETE, ask=text.DELETE_ONE) if can_delete else ""
    return again + delete


def download(job: Job) -> str:
    """The link that saves a result."""
    return (
        f'<a class="hg-icon" href="{video_url(job)}?download=1" download title="{both(text.DOWNLOAD)}" '
        f'aria-label="{_of(job, text.DOWNLOAD)}">{icons.DOWNLOAD}</a>'
    )


def job_button(act: str, job: Job, sign: str, words: Text, *, ask: Text | None = None) -> str:
    """A small button that is one of `JobActions`.

    Args:
        act: Name of the action.
        job: What it is done to.
        sign: One of `icons`.
        words: What it does.
        ask: A question that has to be said yes to first; ``{}`` is what the job is called.
    """
    question = "" if ask is None else asks(Text(*(words.format(job.request.title) for words in ask)))
    return (
        f'<button type="button" class="hg-icon" data-act="{act}" data-job="{escape(job.id)}"{question} '
        f'title="{both(words)}" aria-label="{_of(job, words)}">{sign}</button>'
    )


def asks(question: Text) -> str:
    """Attributes that make a button ask first."""
    return f' data-ask-zh="{escape(question.zh)}" data-ask-en="{escape(question.en)}"'


def _of(job: Job, words: Text) -> str:
    return f"{both(words)}: {escape(job.request.title)}"


def _pace(job: Job, now_s: float) -> str:
    parts = [duration(now_s - (job.started_s or now_s))]
    progress = job.progress
    if progress is not None:
        parts.insert(0, bilingual(stage_names(job)[progress.stage]))
        learns = job.request.kind is JobKind.SPEAKER and progress.stage is Stage.DRAWING
        unit, pace = (text.SAMPLES, text.SAMPLES_PER_SECOND) if learns else (text.FRAMES, text.PER_SECOND)
        if progress.total:
            parts.append(f"{progress.done}/{progress.total} {bilingual(unit)}")
        if progress.rate_hz is not None and progress.total:  # else what is counted need not be frames
            parts.append(f'<span class="hg-rate">{progress.rate_hz:.1f}</span> {bilingual(pace)}')
        if progress.eta_s is not None:
            parts.append(f'{bilingual(text.REMAINING)} <span class="hg-eta">{duration(progress.eta_s)}</span>')
    return " · ".join(parts)
