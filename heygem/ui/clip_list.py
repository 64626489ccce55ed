"""The list of clips in the batch tab: what its buttons do, and how it is drawn. Knows drafts and the desk; no gradio.

A row asks the desk about its clip when it is drawn: so does one that another tab added, or a former server kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

from heygem.errors import NOTHING, HeyGemError, InputError, OptionError, Text
from heygem.jobs.job import Job, JobRequest
from heygem.pipeline.options import LipsChoice, RenderOptions
from heygem.ui import text
from heygem.ui.batch_csv import arranged, read_csv
from heygem.ui.batch_draft import Draft, DraftClip
from heygem.ui.clip_list_view import LIST, ListLook, bad_clips, clip_list, rows_of
from heygem.ui.draft_store import DraftStore, known_id
from heygem.ui.job_parts import Refusal
from heygem.ui.option_words import said_on_page
from heygem.ui.panel import Chosen
from heygem.ui.preflight_desk import Answer, PreflightDesk, Question
from heygem.ui.stale_draft import deleted_speakers, freshened
from heygem.ui.uploads import Uploads
from heygem.weights.speakers import speaker_names

_EDITS: dict[str, Callable[[DraftClip, str], DraftClip]] = {
    "clip-face": lambda clip, value: clip.with_own(face=value),
    "clip-sync": lambda clip, value: (
        clip.with_own(sync_offset_ms=_milliseconds(value)) if value else clip.without_own("sync_offset_ms")
    ),
    "clip-reset": lambda clip, value: clip.without_own(*clip.own),
}
"""What changes a clip's own options; the value follows the name of the act."""


class ClipList:
    """Does what the list's buttons say, on the draft that a browser tab has.

    Args:
        uploads: What may be submitted.
        desk: Looks at files.
    """

    def __init__(self, uploads: Uploads, desk: PreflightDesk) -> None:
        self.drafts = DraftStore(uploads.folder)
        self._uploads = uploads
        self._desk = desk
        self._moves: dict[str, Callable[[Draft, str, str], Draft]] = {
            "clip-up": lambda draft, clip, value: draft.moved(clip, -1),
            "clip-down": lambda draft, clip, value: draft.moved(clip, 1),
            "clip-to": lambda draft, clip, value: draft.moved_to(clip, value),
            "clip-remove": lambda draft, clip, value: draft.without([clip]),
            "clips-remove-all": lambda draft, clip, value: replace(draft, clips=()),
            "clips-remove-bad": lambda draft, clip, value: draft.without(
                bad_clips(rows_of(draft, self.answers(draft)))
            ),
            "clips-again": lambda draft, clip, value: replace(draft.with_clips(draft.submitted), submitted=()),
        }

    def begin(self, chosen: Chosen, remembered: object) -> Chosen:
        """What a page that opens has of the draft that its browser remembers.

        Uploads that are gone leave the list, and nothing names a speaker that was deleted; both are told.
        """
        draft_id, speakers = known_id(remembered), self._speakers()
        before, _ = self.drafts.change(draft_id, lambda draft: freshened(draft, speakers))
        chosen = replace(chosen, draft=draft_id)
        gone = [clip.name for clip in before.clips if not clip.path.is_file()]
        missed = ((text.CLIPS_GONE, gone), (text.SPEAKERS_GONE, deleted_speakers(before, speakers)))
        told = [_names(words, names) for words, names in missed if names]
        if not told:
            return chosen
        words = Text(" ".join(one.zh for one in told), " ".join(one.en for one in told))
        return self._refused(chosen, LIST, words, text.UPLOAD_AGAIN if gone else NOTHING)

    def add(self, chosen: Chosen, paths: Sequence[str]) -> Chosen:
        """Put uploads at the end of the list, as many as a batch takes."""
        try:
            added = [self._uploads.path(name) for name in paths]
        except InputError as error:
            return self._refused(chosen, LIST, error.text, error.hint)
        most = self._uploads.settings.max_batch_clips

        def change(draft: Draft) -> Draft:
            room = max(0, most - len(draft.clips))
            return draft.with_clips([DraftClip.of(path, path.name) for path in added[:room]])

        chosen = chosen if chosen.draft else self.begin(chosen, None)
        before, after = self._change(chosen, change)
        left = len(added) - (len(after.clips) - len(before.clips))
        if left:
            words = Text(*(words.format(most=most, left=left) for words in text.CLIPS_LEFT_OUT))
            return self._refused(chosen, LIST, words)
        return replace(chosen, refusal=None)

    def arrange(self, chosen: Chosen, csv: str) -> Chosen:
        """Make the list what a CSV says.

        Raises:
            InputError: with all its mistakes; the list stays as it is.
        """
        # Nobody else's list waits for it.
        lines = read_csv(csv, self.draft(chosen), self._uploads, self._speakers())
        self._change(chosen, lambda draft: arranged(draft, lines, self._uploads))
        return replace(chosen, refusal=None, opened_clip="")

    def note(self, chosen: Chosen, speech: str | None, options: RenderOptions) -> None:
        """Remember what is common to all clips."""
        try:
            path = self._uploads.path(speech) if speech else None
        except InputError:
            path = None  # what may not be submitted is not looked at either
        self._change(chosen, lambda draft: replace(draft, speech=path, options=options))

    def act(self, chosen: Chosen, act: str, clip_id: str) -> Chosen:
        """Do what a button says, once; one that does not exist does nothing, for a page may be older than we."""
        act, _, value = act.partition(" ")
        if act == "clip-open":
            return replace(chosen, opened_clip="" if chosen.opened_clip == clip_id else clip_id, refusal=None)
        try:
            self._change(chosen, lambda draft: self._acted(draft, act, clip_id, value))
        except HeyGemError as error:
            return self._refused(chosen, clip_id, said_on_page(error), error.hint)
        return replace(chosen, refusal=None)

    def submit(
        self,
        chosen: Chosen,
        speech: str | None,
        options: RenderOptions,
        queue: Callable[[Sequence[JobRequest]], list[Job]],
    ) -> list[Job]:
        """Queue what is in the list, which is empty then. Of two tabs that do so at once one finds it empty.

        Args:
            chosen: Whose draft.
            speech: The common speech, an upload.
            options: The common options.
            queue: Takes the requests.

        Raises:
            HeyGemError: none was queued; the list is as it was.
        """
        taken, _ = self._change(chosen, lambda draft: replace(draft, clips=(), submitted=draft.clips))
        try:
            return queue(self._requests(taken, speech, options))
        except HeyGemError:
            # What came in meanwhile stays as well.
            self._change(
                chosen,
                lambda draft: replace(draft, clips=(*taken.clips, *draft.clips), submitted=taken.submitted),
            )
            raise

    def draft(self, chosen: Chosen) -> Draft:
        """The draft of a browser tab."""
        return self.drafts.get(chosen.draft)

    def answers(self, draft: Draft) -> list[Answer | None]:
        """What is known of each clip; whatever was not asked yet is asked."""
        questions = [question_of(clip, draft) for clip in draft.clips]
        answers = [self._desk.answer(question) for question in questions]
        self._desk.ask(*(question for question, answer in zip(questions, answers, strict=True) if answer is None))
        return answers

    def draw(self, chosen: Chosen) -> str:
        """The list as HTML."""
        draft = self.draft(chosen)
        look = ListLook(
            draft_id=chosen.draft,
            opened=chosen.opened_clip,
            refusal=chosen.refusal,
            lips=self._lips() if chosen.opened_clip else (),
            min_free_bytes=self._uploads.settings.min_free_mb * 1_000_000,
        )
        return clip_list(draft, rows_of(draft, self.answers(draft)), look)

    def face(self, draft_id: str, clip_id: str, number: int) -> bytes | None:
        """The picture of a face of a clip (JPEG), where there is one."""
        draft = self.drafts.get(draft_id)
        clip = draft.clip(clip_id)
        answer = None if clip is None else self._desk.answer(question_of(clip, draft))
        faces = answer.report.clips[0].faces if answer is not None and answer.report is not None else None
        return faces.choices[number].jpeg if faces is not None and 0 <= number < len(faces.choices) else None

    def _requests(self, draft: Draft, speech: str | None, options: RenderOptions) -> list[JobRequest]:
        if not draft.clips:
            raise InputError(text.SPEECH_OR_CLIPS_MISSING, code="file_missing")
        common = self._uploads.path(speech) if speech else None
        return self._uploads.checked(draft.requests(common, options))

    def _acted(self, draft: Draft, act: str, clip_id: str, value: str) -> Draft:
        if act in self._moves:
            moved = self._moves[act](draft, clip_id, value)
            # "Once more" may meet clips that came in meanwhile.
            return replace(moved, clips=moved.clips[: max(len(draft.clips), self._uploads.settings.max_batch_clips)])
        clip = draft.clip(clip_id)
        if clip is None:
            return draft
        if act == "clip-lips" and value in self._lips():
            return draft.changed(clip.with_own(lips=value))
        return draft.changed(_EDITS[act](clip, value)) if act in _EDITS else draft

    def _change(self, chosen: Chosen, change: Callable[[Draft], Draft]) -> tuple[Draft, Draft]:
        before, after = self.drafts.change(chosen.draft, change)
        wanted = {question_of(clip, after) for clip in after.clips}
        for clip in before.clips:
            if (question := question_of(clip, before)) not in wanted:
                self._desk.withdraw(question)
        return before, after

    def _lips(self) -> tuple[str, ...]:
        """What a clip may have for lips of its own."""
        return (*get_args(LipsChoice), *self._speakers())

    def _speakers(self) -> list[str]:
        return speaker_names(self._uploads.settings.models_dir)

    @staticmethod
    def _refused(chosen: Chosen, target: str, words: Text, hint: Text = NOTHING) -> Chosen:
        return replace(chosen, refusal=Refusal(target, words, hint))


def question_of(clip: DraftClip, draft: Draft) -> Question:
    """What is asked about a clip: with the options that change the answer, and no others."""
    options = clip.effective(draft.options)
    asked = RenderOptions(lips=options.lips, enhancer=options.enhancer, extend=options.extend)
    return Question(clip.path, clip.speech or draft.speech, asked)


def _names(words: Text, names: Sequence[str]) -> Text:
    return Text(words.zh.format("、".join(names)), words.en.format(", ".join(names)))


def _milliseconds(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise OptionError(Text(f"{value!r} 不是数字。", f"{value!r} is no number."))
    return number
