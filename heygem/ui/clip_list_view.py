"""The clips of a draft as HTML: what each one is, what is wrong with it, and what it is to have of its own.

Pure functions; no gradio, no files. A row is short, for there may be fifty: pictures are links.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from heygem.errors import Notice, Text
from heygem.jobs.job import JobError
from heygem.pipeline.options import RenderOptions
from heygem.ui import icons, text
from heygem.ui.batch_draft import Draft, DraftClip
from heygem.ui.clip_row_options import own_chips, own_form
from heygem.ui.html_parts import bar, bilingual, both, duration, error_box, escape
from heygem.ui.job_parts import Refusal, asks, refusal_line
from heygem.ui.preflight_desk import Answer
from heygem.ui.preflight_view import clip_size, verdict_chip
from heygem.ui.verdict import Verdict, remarks_of, trouble_of, verdict_of

LIST = "clips"
"""What a refusal belongs to that is about the whole list."""


@dataclass(frozen=True, slots=True)
class ListLook:
    """How a browser tab looks at a list.

    Attributes:
        draft_id: Of the draft, for the addresses of pictures.
        opened: Id of the clip whose options are shown.
        refusal: Why a button of the list, or of a row of it, did nothing.
        lips: What may be chosen for the lips.
        min_free_bytes: Space on the disk that results leave free.
    """

    draft_id: str = ""
    opened: str = ""
    refusal: Refusal | None = None
    lips: Sequence[str] = ()
    min_free_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A clip, and what is known of it."""

    clip: DraftClip
    answer: Answer = field(default_factory=Answer)
    is_twin: bool = False
    """One before it makes the same video."""

    @property
    def trouble(self) -> JobError | None:
        """Why its job would fail, if it would."""
        return trouble_of(self.answer, with_speech=self.clip.speech is not None)

    @property
    def remarks(self) -> list[Notice]:
        """What to know of it."""
        twin = [Notice("twin", text.TWIN, text.TWIN_HINT)] if self.is_twin else []
        return twin + remarks_of(self.answer)

    @property
    def verdict(self) -> Verdict:
        """What is known of it, in a word."""
        return verdict_of(self.answer, self.trouble, self.remarks)


def rows_of(draft: Draft, answers: Iterable[Answer | None]) -> list[Row]:
    """A row for each clip, with what was answered about it."""
    twins = draft.twins()
    pairs = zip(draft.clips, answers, strict=True)
    return [Row(clip, answer or Answer(), is_twin=clip.id in twins) for clip, answer in pairs]


def bad_clips(rows: Sequence[Row]) -> list[str]:
    """Ids of the clips whose jobs would fail."""
    return [row.clip.id for row in rows if row.verdict is Verdict.BAD]


def clip_list(draft: Draft, rows: Sequence[Row], look: ListLook) -> str:
    """The whole list, with what all of it needs; what may be taken again while it is empty."""
    refusal = refusal_line(look.refusal, LIST)
    if not rows:
        return _again(draft) + refusal
    items = "".join(_row(row, number, len(rows), draft.options, look) for number, row in enumerate(rows, 1))
    return (
        f'<section class="hg-card hg-clip-list"><header><h3>{len(rows)} {bilingual(text.CLIPS_COUNT)}</h3>'
        f'<div class="hg-actions">{_list_buttons(rows)}</div></header>{refusal}<ol class="hg-clips">{items}</ol>'
        f"{_summary(rows, look)}</section>"
    )


def _again(draft: Draft) -> str:
    if not draft.submitted:
        return ""
    words = Text(*(words.format(len(draft.submitted)) for words in text.CLIPS_AGAIN))
    return (
        f'<div class="hg-row"><button type="button" class="hg-button hg-small" data-act="clips-again" '
        f'data-job="{LIST}">{bilingual(words)}</button></div>'
    )


def _list_buttons(rows: Sequence[Row]) -> str:
    bad = len(bad_clips(rows))
    parts = []
    if bad:
        words = Text(*(words.format(bad) for words in text.REMOVE_BAD))
        parts.append(_button("clips-remove-bad", LIST, bilingual(words)))
    question = asks(Text(*(words.format(len(rows)) for words in text.REMOVE_ALL_ASK)))
    parts.append(_button("clips-remove-all", LIST, bilingual(text.REMOVE_ALL), question))
    return "".join(parts)


def _button(act: str, target: str, words: str, more: str = "") -> str:
    return (
        f'<button type="button" class="hg-button hg-small" data-act="{act}" data-job="{target}"{more}>{words}</button>'
    )


def _row(row: Row, number: int, count: int, common: RenderOptions, look: ListLook) -> str:
    clip, trouble = row.clip, row.trouble
    name = escape(clip.name)
    is_open = clip.id == look.opened
    looking = bar(None, text.LOOKING) if row.verdict is Verdict.LOOKING else ""
    why = "" if trouble is None else error_box(trouble.text, trouble.hint).replace(' role="alert"', "")
    return (
        f'<li class="hg-clip" data-job="{clip.id}" data-verdict="{row.verdict}" tabindex="-1">'
        f'<div class="hg-row"><span class="hg-grip" draggable="true" aria-hidden="true"></span>{_picture(row, look)}'
        f'<div class="hg-grow"><b class="hg-name" title="{name}">{number}. {name}</b>'
        f'<div class="hg-meta">{_facts(row)}</div></div></div>{looking}{why}'
        f'<div class="hg-row"><div class="hg-grow">{_verdict(row, is_open=is_open)}{own_chips(clip)}</div>'
        f'<div class="hg-actions">{_row_buttons(clip, number, count, is_open=is_open)}</div></div>'
        f"{refusal_line(look.refusal, clip.id)}{_details(row, common, look) if is_open else ''}</li>"
    )


def _row_buttons(clip: DraftClip, number: int, count: int, *, is_open: bool) -> str:
    return (
        _sign_button("clip-open", clip, icons.OPTIONS, text.CLIP_OPTIONS, _expanded(is_open))
        + _sign_button("clip-up", clip, icons.UP, text.UP, _off(number == 1))
        + _sign_button("clip-down", clip, icons.DOWN, text.DOWN, _off(number == count))
        + _sign_button("clip-remove", clip, icons.CANCEL, text.REMOVE)
    )


def _expanded(is_open: bool) -> str:
    return f' aria-expanded="{"true" if is_open else "false"}"'


def _off(is_off: bool) -> str:
    """Not `disabled`, which would take the keyboard's place away from whoever moves a clip to an end."""
    return ' aria-disabled="true"' if is_off else ""


def _sign_button(act: str, clip: DraftClip, sign: str, words: Text, more: str = "") -> str:
    return (
        f'<button type="button" class="hg-icon" data-act="{act}" data-job="{clip.id}" title="{both(words)}" '
        f'aria-label="{both(words)}: {escape(clip.name)}"{more}>{sign}</button>'
    )


def _picture(row: Row, look: ListLook) -> str:
    report = row.answer.report
    faces = report.clips[0].faces if report else None
    if not faces or not faces.choices:
        return '<i class="hg-thumb"></i>'
    wanted = row.clip.options.face if "face" in row.clip.own else "largest"
    number = next((n for n, choice in enumerate(faces.choices) if wanted in choice.values), 0)
    return f'<img class="hg-thumb" src="{face_url(look.draft_id, row.clip, number)}" alt="" loading="lazy">'


def face_url(draft_id: str, clip: DraftClip, number: int) -> str:
    """Where the picture of the `number`-th face of a clip is."""
    return f"clip-faces/{escape(draft_id)}/{clip.id}/{number}.jpg"


def _facts(row: Row) -> str:
    report = row.answer.report
    seen = report.clips[0] if report else None
    info = seen.info if seen else row.answer.clip
    parts = [] if info is None else [clip_size(info)]
    if seen is not None and seen.faces is not None:
        parts.append(f"{seen.faces.share:.0%} {bilingual(text.FACE_IN)}")
    if row.clip.speech is not None:
        parts.append(f"{bilingual(text.SPEECH)} {escape(row.clip.speech_name)}")
    return " · ".join(parts)


def _verdict(row: Row, *, is_open: bool) -> str:
    """A chip; one that counts remarks is a button that shows them."""
    if row.verdict is not Verdict.REMARKS:
        return verdict_chip(row.verdict, 0)
    return (
        f'<button type="button" class="hg-chip queued" data-act="clip-open" data-job="{row.clip.id}" '
        f'title="{both(text.SHOW_REMARKS)}"{_expanded(is_open)}>{bilingual(text.REMARKS)} {len(row.remarks)}</button>'
    )


def _details(row: Row, common: RenderOptions, look: ListLook) -> str:
    report = row.answer.report
    faces = report.clips[0].faces if report else None
    pictures = [face_url(look.draft_id, row.clip, number) for number in range(len(faces.choices))] if faces else []
    # A trouble is told above already.
    remarks = [notice for notice in row.remarks if row.trouble is None or notice.code != row.trouble.code]
    lines = "".join(f"<li>{bilingual(notice.text)} {bilingual(notice.hint)}</li>" for notice in remarks)
    form = own_form(row.clip, common, list(zip(faces.choices, pictures, strict=True)) if faces else [], look.lips)
    return f'<div class="hg-own">{f"<ul class=hg-notices>{lines}</ul>" if lines else ""}{form}</div>'


def _summary(rows: Sequence[Row], look: ListLook) -> str:
    """What all of it would need, as far as it is known; and what becomes of bad clips."""
    reports = [row.answer.report for row in rows if row.verdict is not Verdict.BAD and row.answer.report is not None]
    heard = [report for report in reports if report.speech is not None and report.speech.refused is None]
    looked_at = sum(row.answer.is_final for row in rows)
    parts = []
    if looked_at < len(rows):
        parts.append(f"{bilingual(text.LOOKED_AT)} <b>{looked_at}/{len(rows)}</b>")
    warning = _speech_trouble(rows)
    if heard:
        times = [report.expected_s for report in heard if report.expected_s is not None]
        expected = duration(sum(times)) if len(times) == len(heard) else bilingual(text.UNKNOWN_PACE)
        # One video after the other is made: the copies of the largest are all that is needed beside the results.
        needed = sum(report.result_bytes for report in heard) + max(
            report.needed_bytes - report.result_bytes for report in heard
        )
        parts.append(f"{bilingual(text.EXPECTED)} <b>{expected}</b>")
        parts.append(f"{bilingual(text.NEEDS)} <b>{max(1, round(needed / 1e6))} MB</b>")
        usable = min(report.free_bytes for report in heard) - look.min_free_bytes
        if needed > usable:
            room = Text(*(words.format(max(0, round(usable / 1e6))) for words in text.TOO_LITTLE_ROOM))
            warning += error_box(room, text.TOO_LITTLE_ROOM_HINT)
    bad = len(bad_clips(rows))
    alone = f'<div class="hg-meta hg-alone">{bilingual(text.BAD_FAIL_ALONE)}</div>' if bad else ""
    return f'<div class="hg-meta hg-needs">{" · ".join(parts)}</div>{alone}{warning}'


def _speech_trouble(rows: Sequence[Row]) -> str:
    """Why the common speech is refused: once, not at every clip."""
    speeches = (row.answer.report.speech for row in rows if row.clip.speech is None and row.answer.report is not None)
    refused = next((speech.refused for speech in speeches if speech is not None and speech.refused), None)
    return error_box(refused.text, refused.hint) if refused else ""
