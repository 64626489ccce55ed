"""The tab for the jobs of the past."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import gradio as gr
from gradio.components import Component

from heygem.errors import JobNotFoundError
from heygem.jobs.job import JobStatus
from heygem.jobs.job_history import HistoryQuery
from heygem.jobs.task_queue import TaskQueue
from heygem.ui.events import PLAYER_JS, ROW_BUTTONS_JS, Wiring
from heygem.ui.history_view import PAGE_JOBS, HistoryLook, history_list
from heygem.ui.job_parts import Refusal
from heygem.ui.job_view import player
from heygem.ui.labels import label
from heygem.ui.panel import Chosen, Panel, View

_ANY = "any"
_DAYS = {"any_date": None, "today": 1, "days_7": 7, "days_30": 30}


class HistoryTab:
    """Lays itself out inside an open gr.Blocks."""

    def __init__(self, queue: TaskQueue) -> None:
        self._queue = queue
        with gr.Row(elem_id="history-filters"):
            self._words = gr.Textbox(
                label=label("search"), placeholder=label("search_for"), scale=3, min_width=200, elem_id="history-search"
            )
            self._state = gr.Dropdown(
                [(label("any_state"), _ANY), *((label(f"state_{state}"), state.value) for state in JobStatus)],
                value=_ANY,
                label=label("state"),
                filterable=False,
                min_width=140,
                elem_id="history-state",
            )
            self._date = gr.Dropdown(
                [(label(key), key) for key in _DAYS],
                value="any_date",
                label=label("date"),
                filterable=False,
                min_width=140,
                elem_id="history-date",
            )
        self._player = gr.HTML(elem_id="history-player", apply_default_css=False, js_on_load=ROW_BUTTONS_JS + PLAYER_JS)
        self._list = gr.HTML(elem_id="history-list", apply_default_css=False, js_on_load=ROW_BUTTONS_JS)
        # Every open page asks once a second, whether this tab is in sight or not.
        self._remembered = lru_cache(maxsize=32)(self._ask)
        self.panels = [Panel(self._player, self._draw_player), Panel(self._list, self._draw_list)]

    def connect(self, wiring: Wiring) -> None:
        """Make the filters and the buttons work."""
        filters: list[Component] = [self._words, self._state, self._date]
        for changes in (self._words.change, self._state.change, self._date.change):
            wiring.on(changes, self._filter, [wiring.chosen, *filters], [wiring.chosen])
        for html in (self._player, self._list):
            wiring.on_row_buttons(html)

    def _filter(self, chosen: Chosen, words: str | None, state: str, date: str) -> Chosen:
        look = HistoryLook(
            words=words or "",
            state=None if state == _ANY else JobStatus(state),
            days=_DAYS[date],
            playing=chosen.history.playing,
        )
        return replace(chosen, history=look, refusal=None)

    def _draw_player(self, view: View, chosen: Chosen) -> str:
        if not chosen.history.playing:
            return ""
        try:
            return player(self._queue.store.get(chosen.history.playing), "show")
        except JobNotFoundError:
            return ""  # it was deleted

    def _draw_list(self, view: View, chosen: Chosen) -> str:
        look = chosen.history
        return self._remembered(self._queue.store.mark(), look.query(view.now_s), look, chosen.refusal)

    def _ask(self, mark: tuple[int, int], query: HistoryQuery, look: HistoryLook, refusal: Refusal | None) -> str:
        """The list as HTML; `mark` is there to be remembered by."""
        page = self._queue.history(query, limit=PAGE_JOBS, offset=look.page * PAGE_JOBS)
        if page.total and not page.jobs:  # those of the last page were deleted
            look = replace(look, page=(page.total - 1) // PAGE_JOBS)
            page = self._queue.history(query, limit=PAGE_JOBS, offset=look.page * PAGE_JOBS)
        return history_list(page, look, refusal)
