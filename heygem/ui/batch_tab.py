"""The tab for one speech and many clips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from heygem.errors import NOTHING, HeyGemError
from heygem.jobs.task_queue import TaskQueue
from heygem.ui import text
from heygem.ui.events import ROW_BUTTONS_JS, Wiring
from heygem.ui.html_parts import error_box
from heygem.ui.job_view import batch_card, batch_table, job_result
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
                self._options = build_options_form(speaker_names(uploads.settings.models_dir))
                with gr.Row():
                    self._cancel = gr.Button(label("cancel_batch"), scale=1, elem_id="batch-cancel")
                    self._submit_button = gr.Button(
                        label("submit_batch"), variant="primary", scale=3, elem_id="batch-submit"
                    )
                self._error = gr.HTML(elem_id="batch-error", apply_default_css=False)
            with gr.Column(scale=3, min_width=340):
                section(3, text.BATCH_RESULTS)
                status = gr.HTML(elem_id="batch-status", apply_default_css=False)
                player = gr.HTML(elem_id="batch-player", apply_default_css=False)
                self._table = gr.HTML(elem_id="batch-table", apply_default_css=False, js_on_load=ROW_BUTTONS_JS)
        self.panels = [
            Panel(status, lambda view, chosen: batch_card(shown_batch(view, chosen), view.now_s)),
            Panel(player, _draw_player),
            Panel(self._table, lambda view, chosen: batch_table(shown_batch(view, chosen), view.now_s)),
        ]

    def connect(self, wiring: Wiring) -> None:
        """Make the buttons work."""
        inputs = [wiring.chosen, self._speech, self._clips, *self._options]
        wiring.on(self._submit_button.click, self._submit, inputs, [wiring.chosen, self._error])
        wiring.on(self._cancel.click, lambda chosen: self._stop(wiring, chosen), [wiring.chosen], None)
        wiring.on_row_buttons(self._table)

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

    def _stop(self, wiring: Wiring, chosen: Chosen) -> None:
        # The last first: otherwise the next would start each time the one before it is dropped.
        for job in reversed(shown_batch(wiring.look(), chosen)):
            wiring.cancel(job.id)


def _draw_player(view: View, chosen: Chosen) -> str:
    picked = next((job for job in shown_batch(view, chosen) if job.id == chosen.playing and job.result), None)
    return job_result(picked) if picked else ""
