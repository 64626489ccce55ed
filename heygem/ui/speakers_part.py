"""The part of the page for the user's own speakers: the list of them, and the training of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import gradio as gr

from heygem.errors import NOTHING, HeyGemError
from heygem.jobs.job import JobKind
from heygem.jobs.task_queue import TaskQueue
from heygem.training.speaker_facts import read_facts
from heygem.training.speaker_folder import delete_speaker
from heygem.ui import speakers_text as words
from heygem.ui.events import ROW_BUTTONS_JS, Wiring, clear_at
from heygem.ui.html_parts import bilingual, error_box
from heygem.ui.job_parts import Refusal
from heygem.ui.labels import label
from heygem.ui.options_form import lips_field, offered_lips
from heygem.ui.panel import Chosen, Panel, View, shown_speaker
from heygem.ui.speakers_view import SpeakerRow, speakers_card, training_card, training_film
from heygem.ui.uploads import Uploads
from heygem.weights.speakers import speaker_folder, speaker_names, speakers_folder

_AS_THEY_ARE = [gr.skip()] * 3
"""The lips of the single tab, the fold that they are in, and the tabs."""


class SpeakersPart:
    """Lays itself out inside an open gr.Blocks.

    Args:
        queue: Where trainings go.
        uploads: What may be submitted.
    """

    def __init__(self, queue: TaskQueue, uploads: Uploads) -> None:
        self._queue = queue
        self._uploads = uploads
        self._models_dir = uploads.settings.models_dir
        with gr.Column(elem_id="speakers-card"):
            self._list = gr.HTML(apply_default_css=False, js_on_load=ROW_BUTTONS_JS, elem_id="speakers")
            self._training = gr.HTML(apply_default_css=False, js_on_load=ROW_BUTTONS_JS, elem_id="speaker-training")
            self._film = gr.HTML(apply_default_css=False, js_on_load=ROW_BUTTONS_JS, elem_id="speaker-film")
            with gr.Accordion(label("train_speaker"), open=False, elem_id="speaker-form"):
                gr.HTML(f'<div class="hg-meta">{bilingual(words.NEEDS)}</div>', apply_default_css=False)
                self._name = gr.Textbox(
                    label=label("speaker_name"), info=label("speaker_name_info"), max_length=40, elem_id="speaker-name"
                )
                self._clip = gr.Video(
                    sources=["upload"],
                    label=label("clip"),
                    show_label=False,
                    height=170,
                    buttons=[],
                    elem_id="speaker-clip",
                )
                self._train = gr.Button(label("train"), variant="primary", elem_id="speaker-train")
                self._error = gr.HTML(elem_id="speaker-error", apply_default_css=False)
        # Every open page asks once a second.
        self._known_rows = lru_cache(maxsize=1)(self._read_rows)
        self.panels = [
            Panel(self._list, self._draw_list),
            Panel(self._training, lambda view, chosen: training_card(shown_speaker(view, chosen), view.now_s)),
            Panel(self._film, lambda view, chosen: training_film(shown_speaker(view, chosen))),
        ]

    def connect(self, wiring: Wiring, tabs: gr.Tabs, fold: gr.Accordion, single: gr.Radio, batch: gr.Radio) -> None:
        """Make the buttons work.

        Args:
            wiring: Of the page.
            tabs: Where the single tab is.
            fold: Where the options of that are folded away.
            single: The lips among them.
            batch: The lips of the batch tab's form.
        """
        chosen = wiring.chosen
        sent = [chosen, self._name, self._clip]
        wiring.on(self._train.click, self._submit, sent, [*sent, self._error])
        clear_at(self._error, [self._name.change, self._clip.change])

        def act(chosen: Chosen, event: gr.EventData) -> list[Any]:
            return self._act(chosen, str(event.act), str(event.job))

        for html in (self._list, self._film):
            wiring.on_press(html, act, [chosen], [chosen, single, fold, tabs])
        wiring.on_row_buttons(self._training)
        # The list is sent anew when a speaker appeared or went, and seldom else.
        wiring.on(self._list.change, self._offer, [single, batch], [single, batch])

    def _submit(self, chosen: Chosen, name: str | None, clip: str | None) -> list[Any]:
        if not name or not name.strip() or not clip:
            return [chosen, gr.skip(), gr.skip(), error_box(words.NAME_OR_CLIP_MISSING, NOTHING)]
        try:
            job = self._queue.submit(self._uploads.speaker(clip, name, self._queue.jobs()))
        except HeyGemError as error:
            return [chosen, gr.skip(), gr.skip(), error_box(error.text, error.hint)]
        return [replace(chosen, speaker_job=job.id), "", None, ""]

    def _act(self, chosen: Chosen, act: str, target: str) -> list[Any]:
        """Returns what the tab looks at, the single tab's lips, the fold that they are in, and the tabs."""
        chosen = replace(chosen, refusal=None)
        if act == "film":
            return [replace(chosen, speaker_job=target), *_AS_THEY_ARE]
        if act == "use-lips" and target in (speakers := speaker_names(self._models_dir)):
            return [chosen, lips_field(target, speakers), gr.Accordion(open=True), gr.Tabs(selected="single")]
        if act == "delete-speaker":
            try:
                delete_speaker(target, self._models_dir)
            except HeyGemError as error:
                chosen = replace(chosen, refusal=Refusal(target, error.text, error.hint))
        return [chosen, *_AS_THEY_ARE]

    def _offer(self, *lips: str) -> list[Any]:
        speakers = speaker_names(self._models_dir)
        return [offered_lips(one, speakers) for one in lips]

    def _draw_list(self, view: View, chosen: Chosen) -> str:
        films = {job.id for job in view.jobs if job.request.kind is JobKind.SPEAKER and job.result}
        lips = chosen.question.options.lips if chosen.question else ""
        return speakers_card(self._rows(), films=films, chosen_lips=lips, refusal=chosen.refusal)

    def _rows(self) -> Sequence[SpeakerRow]:
        try:
            changed = speakers_folder(self._models_dir).stat().st_mtime_ns
        except FileNotFoundError:
            return ()
        return self._known_rows(changed)

    def _read_rows(self, changed: int) -> tuple[SpeakerRow, ...]:
        """The speakers; `changed` is there to be remembered by."""
        names = speaker_names(self._models_dir)
        return tuple(SpeakerRow(name, read_facts(speaker_folder(name, self._models_dir))) for name in names)
