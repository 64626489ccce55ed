"""The jobs of the past as HTML, and what a browser tab looks at of them. Pure functions; no gradio, no queue."""

from __future__ import annotations

import time
from dataclasses import dataclass

from heygem.errors import Text
from heygem.jobs.job import Job, JobStatus
from heygem.jobs.job_history import HistoryPage, HistoryQuery
from heygem.ui import icons, text
from heygem.ui.html_parts import bilingual, both, escape
from heygem.ui.job_parts import Refusal, asks, buttons, refusal_line, took
from heygem.ui.tile import tile

PAGE_JOBS = 12


@dataclass(frozen=True, slots=True)
class HistoryLook:
    """What of the history a browser tab looks at."""

    words: str = ""
    state: JobStatus | None = None
    """None: any."""
    days: int | None = None
    """Submitted today (1) or on one of so many last days; None: at any time."""
    page: int = 0
    """From 0, the newest."""
    selected: frozenset[str] = frozenset()
    """Ids of jobs on this page."""
    playing: str = ""
    """Id of the job whose result is in the player."""

    def query(self, now_s: float) -> HistoryQuery:
        """What to ask the store; days begin at midnight where the server is."""
        states = () if self.state is None else (self.state,)
        return HistoryQuery(self.words, states, None if self.days is None else _day_begins(now_s, self.days - 1))


def history_list(page: HistoryPage, look: HistoryLook, refusal: Refusal | None = None) -> str:
    """A page of jobs as tiles, between what can be done with those selected and the way to other pages.

    Args:
        page: The jobs of `look`.
        look: What was asked for.
        refusal: What a button was refused; shown next to what it belongs to.
    """
    if not page.total:
        words = text.HISTORY_NONE if look.words or look.state or look.days else text.HISTORY_EMPTY
        return f'<div class="hg-card hg-empty">{bilingual(words)}</div>'
    tiles = "".join(_tile(job, look, refusal) for job in page.jobs)
    return f'{_toolbar(page, look, refusal)}<div class="hg-tiles">{tiles}</div>{_pager(page, look)}'


def _day_begins(now_s: float, days_before: int) -> float:
    today = time.localtime(now_s)
    # mktime puts days before the first of a month right, and hours where clocks are changed.
    return time.mktime((today.tm_year, today.tm_mon, today.tm_mday - days_before, 0, 0, 0, 0, 0, -1))


def _tile(job: Job, look: HistoryLook, refusal: Refusal | None) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.queued_s))
    again = ""
    if job.result:
        words = both(text.NO_RERUN)
        again = f'<button type="button" class="hg-icon" disabled title="{words}" aria-label="{words}">'
        again += f"{icons.RETRY}</button>"
    return tile(
        job,
        play="show",
        meta=f"{when} · {took(job)}" if job.status is JobStatus.DONE else when,
        buttons=again + buttons(job, can_delete=True),
        corner=_tick(job, job.id in look.selected) if job.status.is_final else "",
        refusal=refusal,
        is_playing=job.id == look.playing,
    )


def _tick(job: Job, is_selected: bool) -> str:
    act, checked = ("unselect", " checked") if is_selected else ("select", "")
    return (
        f'<input type="checkbox" class="hg-tick" data-act="{act}" data-job="{escape(job.id)}"{checked} '
        f'aria-label="{both(text.SELECT)}: {escape(job.request.title)}">'
    )


def _toolbar(page: HistoryPage, look: HistoryLook, refusal: Refusal | None) -> str:
    ended = {job.id for job in page.jobs if job.status.is_final}
    all_selected = bool(ended) and ended <= look.selected
    act, checked = ("unselect-page", " checked") if all_selected else ("select-page", "")
    pick = (
        f'<label class="hg-pick"><input type="checkbox" class="hg-check" data-act="{act}" data-job="'
        f'{escape(" ".join(sorted(ended)))}"{checked}>{bilingual(text.SELECT_PAGE)}</label>'
        if ended
        else ""
    )
    count = len(look.selected)
    question = asks(Text(*(words.format(count) for words in text.DELETE_MANY)))
    delete = (
        f'<button type="button" class="hg-button hg-danger" id="history-delete" data-act="delete-selected" data-job=""'
        f"{question}>{bilingual(text.DELETE_SELECTED)} {count}</button>"
        if count
        else ""
    )
    return (
        f'<div class="hg-row hg-toolbar"><span class="hg-meta" role="status">{bilingual(text.JOBS)} '
        f"<b>{page.total}</b></span>{pick}{delete}</div>{refusal_line(refusal, '')}"
    )


def _pager(page: HistoryPage, look: HistoryLook) -> str:
    pages = -(-page.total // PAGE_JOBS)
    if pages == 1:
        return ""
    newer = _turn(text.NEWER, look.page - 1, look.page > 0)
    older = _turn(text.OLDER, look.page + 1, look.page + 1 < pages)
    return (
        f'<nav class="hg-row hg-pager" aria-label="{both(text.PAGES)}">{newer}'
        f'<span class="hg-meta">{look.page + 1} / {pages}</span>{older}</nav>'
    )


def _turn(words: Text, to_page: int, is_there: bool) -> str:
    disabled = "" if is_there else " disabled"
    return (
        f'<button type="button" class="hg-button" data-act="page" data-job="{to_page}"{disabled}>'
        f"{bilingual(words)}</button>"
    )
