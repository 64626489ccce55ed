"""The tab for one speech and many clips."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from heygem.errors import NOTHING, HeyGemError
from heygem.jobs.task_queue import TaskQueue
from heygem.ui import text
from heygem.ui.batch_view import batch_card, batch_tiles
from heygem.ui.events import PLAYER_JS, ROW_BUTTONS_JS, Wiring
from heygem.ui.html_parts import error_box
from heygem.ui.job_view import player
from heygem.ui.labels import label
from heygem.ui.options_form import build_options_form, to_options
from heygem.ui.panel import Chosen, Panel, View, shown_batch
from heygem.ui.section import section, speech_section
from heygem.ui.uploads import Uploads
from heygem.weights.speakers import speaker_names

_CLIP_SUFFIXES = [".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".flv", ".wmv"]


class BatchTab:
    """Lays itself out inside an open gr.Blocks."""

    def __init__(self, queue: TaskQueue, uploads: Uploads) -> None:
        self._queue = queue
        self._uploads = uploads
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=300):
                self._speech = speech_section("batch-speech")
                section(2, text.CLIPS, text.CLIP_HINT)
                self._clips = gr.File(
                    file_count="multiple",
                    file_types=_CLIP_SUFFIXES,
                    allow_reordering=True,
                    label=label("clips"),
                    show_label=False,
                    height=240,
                    elem_id="batch-clips",
                )
                self._options = build_options_form(partial(speaker_names, uploads.settings.models_dir))
                self._submit_button = gr.Button(label("submit_batch"), variant="primary", elem_id="batch-submit")
                self._error = gr.HTML(elem_id="batch-error", apply_default_css=False)
            with gr.Column(scale=3, min_width=340):
                section(3, text.BATCH_RESULTS)
                self._status = gr.HTML(elem_id="batch-status", apply_default_css=False, js_on_load=ROW_BUTTONS_JS)
                self._player = gr.HTML(
                    elem_id="batch-player", apply_default_css=False, js_on_load=ROW_BUTTONS_JS + PLAYER_JS
                )
                self._tiles = gr.HTML(elem_id="batch-tiles", apply_default_css=False, js_on_load=ROW_BUTTONS_JS)
        self.panels = [
            Panel(self._status, _draw_card),
            Panel(self._player, _draw_player),
            Panel(self._tiles, _draw_tiles),
        ]

    def connect(self, wiring: Wiring) -> None:
        """Make the buttons work."""
        inputs = [wiring.chosen, self._speech, self._clips, *self._options]
        wiring.on(self._submit_button.click, self._submit, inputs, [wiring.chosen, self._error])
        for html in (self._status, self._player, self._tiles):
            wiring.on_row_buttons(html)

    def _submit(self, chosen: Chosen, speech: str | None, clips: list[str] | None, *options: Any) -> tuple[Chosen, str]:
        if not speech or not clips:
            return chosen, error_box(text.SPEECH_OR_CLIPS_MISSING, NOTHING)
        try:
            render = to_options(*options)
            requests = self._uploads.requests(clips, speech, render)
            jobs = self._queue.submit_batch(requests)
        except HeyGemError as error:
            return chosen, error_box(error.text, error.hint)
        return replace(chosen, batch=jobs[0].batch_id or "", playing=""), ""


def _draw_card(view: View, chosen: Chosen) -> str:
    return batch_card(shown_batch(view, chosen), view.now_s, chosen.refusal)


def _draw_player(view: View, chosen: Chosen) -> str:
    return player(next((job for job in shown_batch(view, chosen) if job.id == chosen.playing), None), "play")


def _draw_tiles(view: View, chosen: Chosen) -> str:
    return batch_tiles(shown_batch(view, chosen), chosen.playing, chosen.refusal)
