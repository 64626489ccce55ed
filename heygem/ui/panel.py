"""Parts of the page that show the server's state. The server draws them; a page only polls.

Nothing that matters lives in a page: it may be refreshed, closed or opened twice at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from heygem.errors import Text
from heygem.jobs.job import Job, JobKind
from heygem.jobs.run_log import LogLine
from heygem.ui.history_view import HistoryLook
from heygem.ui.job_parts import Refusal
from heygem.ui.models_view import ModelRow
from heygem.ui.preflight_desk import Question


@dataclass(frozen=True, slots=True)
class View:
    """The server at one moment."""

    jobs: Sequence[Job]
    """Oldest first."""
    log: Sequence[LogLine]
    models: Sequence[ModelRow]
    now_s: float
    """Seconds since the epoch."""
    pause_reason: Text | None = None
    """Why the queue begins no job at present."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one browser tab looks at. Empty after a refresh: then it looks at the newest."""

    single_job: str = ""
    batch: str = ""
    playing: str = ""
    """Job of the batch whose result is in the player."""
    history: HistoryLook = field(default_factory=HistoryLook)
    refusal: Refusal | None = None
    """Why the last button pressed in a list did nothing."""
    question: Question | None = None
    """The uploads of the single tab that are looked at."""
    face: str = "largest"
    """Whose mouth its options say."""
    single_draft: str = ""
    """Id of what is filled in there."""
    draft: str = ""
    """Id of the batch that is put together here."""
    opened_clip: str = ""
    """The clip of it whose options are shown."""
    speaker_job: str = ""
    """The training that the Speakers section shows."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A piece of HTML and how it is drawn."""

    html: gr.HTML
    draw: Callable[[View, Chosen], str]


_NEWS_S = 3600.0
"""Seconds after its end for which a training is shown to whoever did not ask for it."""

_FRESH_S = 0.9
"""Seconds for which a look serves: a page that asks once a second gets a new one each time."""


class SharedLook:
    """Looks at the server once for all open pages. May be called from any thread.

    Args:
        look: Makes a new one.
        mark: Changes whenever a look at the queue would find something else: a button's effect is seen at once.
        clock: Seconds from any fixed moment.
    """

    def __init__(
        self, look: Callable[[], View], mark: Callable[[], Hashable], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._mark = mark
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[Hashable, float, View] | None = None

    def __call__(self) -> View:
        """The server as it is now, or was less than a second ago with the same queue."""
        with self._lock:
            mark, now = self._mark(), self._clock()
            if self._last is None or self._last[0] != mark or now - self._last[1] >= _FRESH_S:
                self._last = (mark, now, self._look())
            return self._last[2]


def drawn_once(draw: Callable[[View], str]) -> Callable[[View, Chosen], str]:
    """How to draw a panel that is the same on every page: once for each look."""
    last: tuple[View, str] | None = None

    def drawn(view: View, chosen: Chosen) -> str:
        nonlocal last
        if last is None or last[0] is not view:
            last = (view, draw(view))
        return last[1]

    return drawn


MARKS_JS = """(...panels) => panels.map((html) => (/<!--(-?\\d+)-->$/.exec(html) ?? ['', ''])[1])"""
"""For what the page sends with a poll: the mark of each panel's HTML, where there is one."""


def refresh(panels: Sequence[Panel], view: View, chosen: Chosen, shown: Sequence[object]) -> list[Any]:
    """Draw all panels anew.

    Answers may overtake each other: what a page shows, only its HTML itself can say. So each piece ends with a mark. At
    the beginning it would take the place of the first element, which gradio then makes anew instead of patching it.

    Args:
        panels: What is to be drawn.
        view: The server now.
        chosen: What the browser tab looks at.
        shown: The mark of what it shows in each panel, as `MARKS_JS` finds it.

    Returns:
        An update for each panel: its HTML, or a skip where nothing changed, so that a video that plays is left alone.
    """
    drawn = [panel.draw(view, chosen) for panel in panels]
    marks = [str(hash(html)) if html else "" for html in drawn]
    return [
        gr.skip() if mark == before else f"{html}<!--{mark}-->" if html else ""
        for html, mark, before in zip(drawn, marks, shown, strict=True)
    ]


def shown_single(view: View, chosen: Chosen) -> Job | None:
    """The job that the single tab shows: the one submitted here, else the newest on its own."""
    singles = [job for job in view.jobs if job.batch_id is None and job.request.kind is not JobKind.SPEAKER]
    return next((job for job in singles if job.id == chosen.single_job), singles[-1] if singles else None)


def shown_speaker(view: View, chosen: Chosen) -> Job | None:
    """The training that the Speakers section shows: the one asked for here, else the newest that goes on or is news."""
    trainings = [job for job in view.jobs if job.request.kind is JobKind.SPEAKER]
    newest = trainings[-1] if trainings and view.now_s - (trainings[-1].ended_s or view.now_s) < _NEWS_S else None
    return next((job for job in trainings if job.id == chosen.speaker_job), newest)


def shown_batch(view: View, chosen: Chosen) -> list[Job]:
    """The jobs that the batch tab shows, in order: the batch submitted here, else the newest."""
    ids = [job.batch_id for job in view.jobs if job.batch_id is not None]
    batch_id = chosen.batch if chosen.batch in ids else ids[-1] if ids else None
    return [job for job in view.jobs if job.batch_id is not None and job.batch_id == batch_id]
