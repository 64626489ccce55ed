"""The tab for one speech and many clips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from heygem.errors import HeyGemError, OptionError
from heygem.jobs.task_queue import TaskQueue
from heygem.ui import text
from heygem.ui.batch_view import batch_card, batch_tiles
from heygem.ui.clip_list import ClipList
from heygem.ui.events import PLAYER_JS, ROW_BUTTONS_JS, Wiring, clear_at
from heygem.ui.html_parts import bilingual, error_box
from heygem.ui.job_view import player
from heygem.ui.labels import label
from heygem.ui.options_form import build_options_form, from_options, to_options
from heygem.ui.panel import Chosen, Panel, View, shown_batch
from heygem.ui.preflight_desk import PreflightDesk
from heygem.ui.remembered_form import as_uploaded, bring_back
from heygem.ui.section import section, speech_section
from heygem.ui.uploads import Uploads
from heygem.weights.speakers import speaker_names

_CLIP_SUFFIXES = [".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".flv", ".wmv"]

_TAKE_JS = "(files) => [files, null]"
_CLIP_LIST_JS = ROW_BUTTONS_JS + Path(__file__).with_name("clip_list.js").read_text(encoding="utf-8")


class BatchTab:
    """Lays itself out inside an open gr.Blocks.

    Args:
        queue: Where jobs go.
        uploads: What may be submitted.
        desk: Looks at uploads before they are.
    """

    def __init__(self, queue: TaskQueue, uploads: Uploads, desk: PreflightDesk) -> None:
        self._queue = queue
        self._uploads = uploads
        self.clips = ClipList(uploads, desk)
        self._speakers: Callable[[], list[str]] = partial(speaker_names, uploads.settings.models_dir)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                self._speech = speech_section("batch-speech")
                section(2, text.CLIPS, text.CLIPS_HINT)
                self._drop = gr.File(
                    file_count="multiple",
                    file_types=_CLIP_SUFFIXES,
                    label=label("clips"),
                    show_label=False,
                    height=140,
                    elem_id="batch-clips",
                )
                self._arrived = gr.File(file_count="multiple", visible=False, elem_id="batch-arrived")
                self._list = gr.HTML(elem_id="batch-list", apply_default_css=False, js_on_load=_CLIP_LIST_JS)
                self._csv = gr.UploadButton(label("csv"), file_types=[".csv"], size="sm", elem_id="batch-csv")
                gr.HTML(f'<div class="hg-meta">{bilingual(text.CSV_HINT)}</div>', apply_default_css=False)
                self._csv_error = gr.HTML(elem_id="batch-csv-error", apply_default_css=False)
                _, self._options = build_options_form(self._speakers)
                self.lips = self._options.lips
                self._submit_button = gr.Button(label("submit_batch"), variant="primary", elem_id="batch-submit")
                self._error = gr.HTML(elem_id="batch-error", apply_default_css=False)
            with gr.Column(scale=6, min_width=340):
                section(3, text.BATCH_RESULTS)
                self._status = gr.HTML(elem_id="batch-status", apply_default_css=False, js_on_load=ROW_BUTTONS_JS)
                self._player = gr.HTML(
                    elem_id="batch-player", apply_default_css=False, js_on_load=ROW_BUTTONS_JS + PLAYER_JS
                )
                self._tiles = gr.HTML(elem_id="batch-tiles", apply_default_css=False, js_on_load=ROW_BUTTONS_JS)
        self.panels = [
            Panel(self._list, lambda view, chosen: self.clips.draw(chosen)),
            Panel(self._status, _draw_card),
            Panel(self._player, _draw_player),
            Panel(self._tiles, _draw_tiles),
        ]

    def connect(self, wiring: Wiring, page: gr.Blocks) -> None:
        """Make the buttons work, and have a page that opens show what its browser was putting together."""
        chosen, form = wiring.chosen, self._options
        bring_back(wiring, page, "heygem_draft", self._begin, [self._speech, *form])
        # The page empties the drop area itself: what is dropped while the server adds these clips is added on its own.
        taken = self._drop.upload(
            None,
            self._drop,
            [self._arrived, self._drop],
            js=_TAKE_JS,
            trigger_mode="multiple",
            show_progress="hidden",
            api_visibility="private",
        )
        wiring.on(partial(taken.then, trigger_mode="multiple"), self._add, [chosen, self._arrived], [chosen])
        listed = partial(self._csv.upload, trigger_mode="always_last")  # one that comes while another is read counts
        wiring.on(listed, self._arrange, [chosen, self._csv], [chosen, self._csv_error])
        changes = partial(gr.on, [self._speech.change, *(field.change for field in form)], trigger_mode="always_last")
        wiring.on(changes, self._note, [chosen, self._speech, *form], None)
        in_list = (self._drop.upload, self._csv.upload, self._list.click)
        clear_at(self._error, [*in_list, self._speech.change, *(field.change for field in form)])

        def act(chosen: Chosen, event: gr.EventData) -> Chosen:
            return self.clips.act(chosen, str(event.act), str(event.job))

        wiring.on_press(self._list, act, [chosen], [chosen])
        wiring.on(self._submit_button.click, self._submit, [chosen, self._speech, *form], [chosen, self._error])
        for html in (self._status, self._player, self._tiles):
            wiring.on_row_buttons(html)

    def _begin(self, chosen: Chosen, draft_id: str) -> list[Any]:
        chosen = self.clips.begin(chosen, draft_id)
        draft = self.clips.draft(chosen)
        return [chosen, as_uploaded(draft.speech), *from_options(draft.options, self._speakers())]

    def _add(self, chosen: Chosen, paths: list[str] | None) -> Chosen:
        return self.clips.add(chosen, paths or [])

    def _arrange(self, chosen: Chosen, csv: str) -> tuple[Chosen, str]:
        try:
            return self.clips.arrange(chosen, csv), ""
        except HeyGemError as error:
            return chosen, error_box(error.text, error.hint)

    def _note(self, chosen: Chosen, speech: str | None, *options: Any) -> None:
        try:
            common = to_options(*options)
        except OptionError:
            return  # told when it is submitted; it may be half typed
        self.clips.note(chosen, speech, common)

    def _submit(self, chosen: Chosen, speech: str | None, *options: Any) -> tuple[Chosen, str]:
        try:
            jobs = self.clips.submit(chosen, speech, to_options(*options), self._queue.submit_batch)
        except HeyGemError as error:
            return chosen, error_box(error.text, error.hint)
        return replace(chosen, batch=jobs[0].batch_id or "", playing="", opened_clip="", refusal=None), ""


def _draw_card(view: View, chosen: Chosen) -> str:
    return batch_card(shown_batch(view, chosen), view.now_s, chosen.refusal)


def _draw_player(view: View, chosen: Chosen) -> str:
    return player(next((job for job in shown_batch(view, chosen) if job.id == chosen.playing), None), "play")


def _draw_tiles(view: View, chosen: Chosen) -> str:
    return batch_tiles(shown_batch(view, chosen), chosen.playing, chosen.refusal)
