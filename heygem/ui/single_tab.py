"""The tab for one speech and one clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from heygem.errors import NOTHING, HeyGemError, InputError, JobNotFoundError, OptionError
from heygem.jobs.job import Job, JobKind
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.options import RenderOptions
from heygem.ui import text
from heygem.ui.batch_draft import Draft, DraftClip
from heygem.ui.compare_view import COMPARE_JS, compare_card
from heygem.ui.draft_store import DraftStore
from heygem.ui.events import ROW_BUTTONS_JS, Wiring, clear_at
from heygem.ui.examples import EXAMPLES, take_example
from heygem.ui.html_parts import error_box
from heygem.ui.job_parts import Refusal, buttons, refusal_line
from heygem.ui.job_view import job_card, job_result
from heygem.ui.labels import label
from heygem.ui.log_view import log_line_of
from heygem.ui.options_form import build_options_form, from_options, to_options
from heygem.ui.panel import Chosen, Panel, View, shown_single
from heygem.ui.preflight_desk import PreflightDesk, Question
from heygem.ui.preflight_view import FACES_JS, preflight_card
from heygem.ui.remembered_form import as_uploaded, bring_back
from heygem.ui.section import clip_hint, section, speech_section
from heygem.ui.sent_clips import SentClips
from heygem.ui.stale_draft import freshened
from heygem.ui.uploads import Uploads
from heygem.weights.speakers import speaker_names

_SHOW_OPTIONS_JS = """(chosen) => {
  document.querySelector('#single-options').scrollIntoView({block: 'nearest'});
  return [chosen];
}"""
"""For a button that fills them: on a phone they lie above the window by then."""

_CAN_CANCEL_JS = """(html) => ({__type__: 'update', interactive: /data-status="(queued|running)"/.test(html)})"""
"""For a button that is of use while the job shown goes on. It keeps its place, or others would come under a finger."""


class SingleTab:
    """Lays itself out inside an open gr.Blocks.

    Args:
        queue: Where jobs go.
        uploads: What may be submitted.
        desk: Looks at uploads before they are.
    """

    def __init__(self, queue: TaskQueue, uploads: Uploads, desk: PreflightDesk) -> None:
        self._queue = queue
        self._uploads = uploads
        self._desk = desk
        self._sent = SentClips()
        self._drafts = DraftStore(uploads.folder)
        self._speakers: Callable[[], list[str]] = partial(speaker_names, uploads.settings.models_dir)
        with gr.Row(equal_height=False):
            with gr.Column(min_width=320):
                self._speech = speech_section("single-speech")
                section(2, text.CLIP, clip_hint(uploads.settings.max_upload_mb))
                self._clip = gr.Video(
                    sources=["upload"],
                    label=label("clip"),
                    show_label=False,
                    height=230,
                    buttons=[],
                    elem_id="single-clip",
                )
                with gr.Row(elem_id="examples"):
                    self._examples = [
                        (gr.Button(label(example.key), size="sm", min_width=90, elem_id=example.key), example)
                        for example in EXAMPLES
                    ]
                self._preflight = gr.HTML(elem_id="single-preflight", apply_default_css=False, js_on_load=FACES_JS)
                with gr.Column(elem_id="single-options"):
                    self.fold, self._options = build_options_form(self._speakers)
                self.lips = self._options.lips
                with gr.Row():
                    self._cancel = gr.Button(
                        label("cancel"), interactive=False, scale=1, min_width=80, elem_id="single-cancel"
                    )
                    self._preview = gr.Button(label("preview"), scale=2, min_width=140, elem_id="single-preview")
                    self._generate = gr.Button(label("generate"), variant="primary", scale=3, elem_id="single-generate")
                self._error = gr.HTML(elem_id="single-error", apply_default_css=False)
            with gr.Column(min_width=320):
                section(3, text.RESULT)
                self._status = gr.HTML(elem_id="single-status", apply_default_css=False, js_on_load=ROW_BUTTONS_JS)
                result = gr.HTML(elem_id="single-result", apply_default_css=False)
                compare = gr.HTML(elem_id="single-compare", apply_default_css=False, js_on_load=COMPARE_JS)
                self._again = gr.Button(label("again"), size="sm", elem_id="single-again")
        self.panels = [
            Panel(self._preflight, self._draw_preflight),
            Panel(self._status, _draw_status),
            Panel(result, lambda view, chosen: job_result(shown_single(view, chosen))),
            Panel(compare, self._draw_comparison),
        ]

    def connect(self, wiring: Wiring, page: gr.Blocks) -> None:
        """Make the buttons work, and have a page that opens show what its browser had filled in."""
        form = self._options
        fields: list[Component] = [self._speech, self._clip, *form]
        bring_back(wiring, page, "heygem_single", self._begin, fields)
        inputs = [wiring.chosen, *fields]
        for button, kind in ((self._generate, JobKind.VIDEO), (self._preview, JobKind.PREVIEW)):
            wiring.on(button.click, partial(self._submit, kind), inputs, [wiring.chosen, self._error])
        for button, example in self._examples:
            take = partial(take_example, example, self._uploads.folder)
            wiring.on(button.click, take, None, [self._speech, self._clip])
        wiring.on(self._cancel.click, lambda chosen: self._stop(wiring, chosen), [wiring.chosen], None)
        self._status.change(
            None, self._status, self._cancel, js=_CAN_CANCEL_JS, show_progress="hidden", api_visibility="private"
        )
        wiring.on_row_buttons(self._status)

        changed = [self._speech.change, self._clip.change, *(field.change for field in form)]
        wiring.on(partial(gr.on, changed, trigger_mode="always_last"), self._note, inputs, [wiring.chosen])
        clear_at(self._error, changed)

        def choose_face(chosen: Chosen, event: gr.EventData) -> tuple[Chosen, str]:
            return replace(chosen, face=str(event.face)), str(event.face)

        wiring.on_press(self._preflight, choose_face, [wiring.chosen], [wiring.chosen, form.face])
        fill = partial(self._fill_again, wiring)
        pressed = partial(self._again.click, js=_SHOW_OPTIONS_JS)
        wiring.on(pressed, fill, [wiring.chosen], [self._error, self.fold, *form])

    def _submit(
        self, kind: JobKind, chosen: Chosen, speech: str | None, clip: str | None, *options: Any
    ) -> tuple[Chosen, str]:
        if not speech or not clip:
            return chosen, error_box(text.SPEECH_OR_CLIP_MISSING, NOTHING)
        try:
            request = self._uploads.request(clip, speech, to_options(*options))
            job = self._queue.submit(replace(request, kind=kind))
        except HeyGemError as error:
            return chosen, error_box(error.text, error.hint)
        self._sent.note(job.id, Path(clip))
        return replace(chosen, single_job=job.id), ""

    def _stop(self, wiring: Wiring, chosen: Chosen) -> None:
        job = shown_single(wiring.look(), chosen)
        if job is not None:
            try:
                self._queue.cancel(job.id)
            except JobNotFoundError:
                return  # it ended and was forgotten meanwhile: there is nothing to stop

    def _begin(self, chosen: Chosen, draft_id: str) -> list[Any]:
        speakers = self._speakers()
        _, draft = self._drafts.change(draft_id, lambda draft: freshened(draft, speakers))
        chosen = self._asked(replace(chosen, single_draft=draft_id), draft)
        uploads = [as_uploaded(draft.speech), as_uploaded(_clip_of(draft))]
        return [chosen, *uploads, *from_options(draft.options, speakers)]

    def _note(self, chosen: Chosen, speech: str | None, clip: str | None, *values: Any) -> Chosen:
        """Remember what is filled in, and have the uploads looked at."""
        try:
            clip_path = self._uploads.path(clip) if clip else None
            speech_path = self._uploads.path(speech) if speech else None
        except InputError:
            return replace(chosen, question=None)  # what may not be submitted is not looked at either
        _, draft = self._drafts.change(chosen.single_draft, partial(_filled_in, speech_path, clip_path, values))
        return self._asked(chosen, draft)

    def _asked(self, chosen: Chosen, draft: Draft) -> Chosen:
        """Have the uploads looked at, as a job with these options would see them."""
        options = draft.options
        asked = RenderOptions(lips=options.lips, enhancer=options.enhancer, extend=options.extend)
        question = Question(_clip_of(draft), draft.speech, asked)
        if question.clip or question.speech:
            self._desk.ask(question)
        return replace(chosen, question=question, face=options.face)

    def _fill_again(self, wiring: Wiring, chosen: Chosen) -> list[Any]:
        job = shown_single(wiring.look(), chosen)
        if job is None:
            return [error_box(text.NO_JOB_YET, NOTHING), gr.skip(), *[gr.skip()] * len(self._options)]
        return ["", gr.Accordion(open=True), *from_options(job.request.options, self._speakers())]

    def _draw_preflight(self, view: View, chosen: Chosen) -> str:
        question = chosen.question
        answer = self._desk.answer(question) if question else None
        if answer is None and question and (question.clip or question.speech):
            self._desk.ask(question)  # the list of the batch tab had asked the same, and wants to know no more
        return preflight_card(question, answer, chosen.face)

    def _draw_comparison(self, view: View, chosen: Chosen) -> str:
        job = shown_single(view, chosen)
        return compare_card(job, None if job is None else self._sent.clip_of(job.id))


def _clip_of(draft: Draft) -> Path | None:
    return draft.clips[0].path if draft.clips else None


def _filled_in(speech: Path | None, clip: Path | None, values: Sequence[Any], draft: Draft) -> Draft:
    try:
        options = to_options(*values)
    except OptionError:
        options = draft.options  # one is half typed, perhaps; it is told when it is submitted
    if clip != _clip_of(draft):
        draft = replace(draft, clips=() if clip is None else (DraftClip.of(clip, clip.name),))
    return replace(draft, speech=speech, options=options)


def _draw_status(view: View, chosen: Chosen) -> str:
    job = shown_single(view, chosen)
    line = "" if job is None or job.status.is_final else log_line_of(job.id, view.log)
    return job_card(job, view.now_s, _retry(job, chosen.refusal)) + line


def _retry(job: Job | None, refusal: Refusal | None) -> str:
    """The button for a job that ended without a result, and why it did nothing."""
    if job is None or job.result or not job.status.is_final:
        return ""
    return f'<div class="hg-actions">{buttons(job)}</div>{refusal_line(refusal, job.id)}'
