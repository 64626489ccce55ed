"""The tab for one speech and one clip."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from heygem.errors import NOTHING, HeyGemError, JobNotFoundError
from heygem.jobs.task_queue import TaskQueue
from heygem.ui import text
from heygem.ui.events import Wiring
from heygem.ui.examples import EXAMPLES, take_example
from heygem.ui.html_parts import error_box
from heygem.ui.job_view import job_card, job_result
from heygem.ui.labels import label
from heygem.ui.options_form import build_options_form, to_options
from heygem.ui.panel import Chosen, Panel, shown_single
from heygem.ui.section import section, speech_section
from heygem.ui.uploads import Uploads
from heygem.weights.speakers import speaker_names


class SingleTab:
    """Lays itself out inside an open gr.Blocks."""

    def __init__(self, queue: TaskQueue, uploads: Uploads) -> None:
        self._queue = queue
        self._uploads = uploads
        with gr.Row(equal_height=False):
            with gr.Column(min_width=320):
                self._speech = speech_section("single-speech")
                section(2, text.CLIP, text.CLIP_HINT)
                self._clip = gr.Video(
                    sources=["upload"],
                    label=label("clip"),
                    show_label=False,
                    height=260,
                    buttons=[],
                    elem_id="single-clip",
                )
                with gr.Row(elem_id="examples"):
                    self._examples = [
                        (gr.Button(label(example.key), size="sm", min_width=120, elem_id=example.key), example)
                        for example in EXAMPLES
                    ]
                self._options = build_options_form(speaker_names(uploads.settings.models_dir))
                with gr.Row():
                    self._cancel = gr.Button(label("cancel"), scale=1, elem_id="single-cancel")
                    self._generate = gr.Button(label("generate"), variant="primary", scale=3, elem_id="single-generate")
                self._error = gr.HTML(elem_id="single-error", apply_default_css=False)
            with gr.Column(min_width=320):
                section(3, text.RESULT)
                status = gr.HTML(elem_id="single-status", apply_default_css=False)
                result = gr.HTML(elem_id="single-result", apply_default_css=False)
        self.panels = [
            Panel(status, lambda view, chosen: job_card(shown_single(view, chosen), view.now_s)),
            Panel(result, lambda view, chosen: job_result(shown_single(view, chosen))),
        ]

    def connect(self, wiring: Wiring) -> None:
        """Make the buttons work."""
        inputs = [wiring.chosen, self._speech, self._clip, *self._options]
        wiring.on(self._generate.click, self._submit, inputs, [wiring.chosen, self._error])
        for button, example in self._examples:
            take = partial(take_example, example, self._uploads.folder)
            wiring.on(button.click, take, None, [self._speech, self._clip])
        wiring.on(self._cancel.click, lambda chosen: self._stop(wiring, chosen), [wiring.chosen], None)

    def _submit(self, chosen: Chosen, speech: str | None, clip: str | None, *options: Any) -> tuple[Chosen, str]:
        if not speech or not clip:
            return chosen, error_box(text.SPEECH_OR_CLIP_MISSING, NOTHING)
        try:
            job = self._queue.submit(self._uploads.request(clip, speech, to_options(*options)))
        except HeyGemError as error:
            return chosen, error_box(error.text, error.hint)
        return replace(chosen, single_job=job.id), ""

    def _stop(self, wiring: Wiring, chosen: Chosen) -> None:
        job = shown_single(wiring.look(), chosen)
        if job is not None:
            try:
                self._queue.cancel(job.id)
            except JobNotFoundError:
                return  # it ended and was forgotten meanwhile: there is nothing to stop
