"""What was found out about uploads before their job, as HTML. Pure functions; no gradio, no files."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from heygem.errors import Notice, Text
from heygem.ui import text
from heygem.ui.html_parts import bar, bilingual, both, chip, duration, error_box, escape
from heygem.ui.preflight_desk import Answer, Question
from heygem.ui.verdict import FACELESS, Verdict, remarks_of, trouble_of, verdict_of

if TYPE_CHECKING:
    from heygem.jobs.face_choice import FaceChoice
    from heygem.jobs.preflight import ClipReport, PreflightReport, SpeechReport
    from heygem.media.media_info import VideoInfo

FACES_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-face]');
  if (button) trigger('click', {face: button.dataset.face});
});
"""
"""For the card: one listener survives every redraw."""

_WORDS = {"largest": text.LARGEST, "leftmost": text.LEFTMOST}


def preflight_card(question: Question | None, answer: Answer | None, face: str) -> str:
    """Facts, faces and notices of a clip and a speech; empty while there is neither.

    Args:
        question: What was asked.
        answer: What is known by now.
        face: The choice of whose mouth moves: the value of `RenderOptions.face`.
    """
    if question is None or answer is None or (question.clip is None and question.speech is None):
        return ""
    facts = "".join(f"<li>{fact}</li>" for fact in (_clip_facts(answer), _speech_facts(answer)) if fact)
    wait = "" if answer.is_final else f'<div class="hg-meta">{bilingual(text.LOOKING)}</div>{bar(None, text.LOOKING)}'
    faces = _faces(_choices(answer.report), face)
    failure = error_box(answer.failed.text, answer.failed.hint) if answer.failed else ""
    state = "done" if answer.is_final else "looking"
    return (
        f'<section class="hg-card hg-preflight" data-state="{state}"><header><h3>{bilingual(text.PREFLIGHT)}</h3>'
        f'<span class="hg-meta">{_verdict(question, answer)}</span></header>'
        f'<ul class="hg-facts">{facts}</ul>{wait}{faces}{_needs(answer)}{_remarks(answer.report)}{failure}'
        f"{_lips_note(answer.report)}</section>"
    )


def clip_size(info: VideoInfo) -> str:
    """Length, rate and size of a clip, in a few words."""
    rate = f"{float(info.fps):.2f}".rstrip("0").rstrip(".")
    return f"{duration(float(info.duration))} · {rate} fps · {info.width} × {info.height}"


def face_words(choice: FaceChoice) -> Text:
    """What somebody who can be chosen is called."""
    value = choice.values[0]
    return _WORDS.get(value, Text(f"{text.PERSON.zh} {value}", f"{text.PERSON.en} {value}"))


def verdict_chip(verdict: Verdict, remarks: int) -> str:
    """What is known of a clip, coloured.

    Args:
        verdict: That.
        remarks: How many there are.
    """
    match verdict:
        case Verdict.BAD:
            return chip("failed", text.WILL_FAIL)
        case Verdict.READY:
            return chip("done", text.ALL_GOOD)
        case Verdict.REMARKS:
            return chip("queued", text.REMARKS, remarks)
        case Verdict.LOOKING:
            return chip("looking", text.LOOKING_SHORT)


def _verdict(question: Question, answer: Answer) -> str:
    """Once both files are there; that one of them will not do, at once."""
    remarks = [*remarks_of(answer), *_other_notices(answer.report)]
    verdict = verdict_of(answer, trouble_of(answer), remarks)
    is_whole = question.clip is not None and question.speech is not None and answer.is_final
    return verdict_chip(verdict, len(remarks)) if is_whole or verdict is Verdict.BAD else ""


def _clip_facts(answer: Answer) -> str:
    clip = answer.report.clips[0] if answer.report and answer.report.clips else None
    info = clip.info if clip else answer.clip
    if info is None:
        return ""
    parts = [clip_size(info)]
    if clip and clip.faces:
        parts.append(f"{clip.faces.share:.0%} {bilingual(text.FACE_IN)}")
    return f"<b>{bilingual(text.CLIP)}</b> {' · '.join(parts)}"


def _speech_facts(answer: Answer) -> str:
    report = answer.report
    audio = report.speech.audio if report and report.speech else None
    info, length = (audio.info, audio.duration) if audio else (answer.speech, None)
    if info is None:
        return ""
    length = length or info.duration
    parts = [duration(float(length))] if length is not None else []
    return f"<b>{bilingual(text.SPEECH)}</b> {' · '.join([*parts, f'{info.rate_hz / 1000:g} kHz', info.codec])}"


def _choices(report: PreflightReport | None) -> Sequence[FaceChoice]:
    faces = report.clips[0].faces if report and report.clips else None
    return faces.choices if faces else ()


def _faces(choices: Sequence[FaceChoice], face: str) -> str:
    """A button per person; a lone person is only shown, there being nothing to choose."""
    if not choices:
        return ""
    if len(choices) == 1:
        return f'<div class="hg-faces">{_picture(choices[0], both(text.PERSON))}</div>'
    # The first to appear is person 0 wherever numbers are sure.
    meant = "0" if face == "first" else face
    buttons = "".join(_button(choice, is_chosen=meant in choice.values) for choice in choices)
    numbered = any(value.isdecimal() for choice in choices for value in choice.values)
    caution = "" if numbered else f'<div class="hg-meta">{bilingual(text.BY_PLACE_ONLY)}</div>'
    label = both(text.WHO_SPEAKS)
    return (
        f'<h4>{bilingual(text.WHO_SPEAKS)}</h4>{caution}<div class="hg-faces" role="group" aria-label="{label}">'
        f"{buttons}</div>"
    )


def _button(choice: FaceChoice, *, is_chosen: bool) -> str:
    value = choice.values[0]
    pressed = "true" if is_chosen else "false"
    return (
        f'<button type="button" class="hg-face" data-face="{escape(value)}" aria-pressed="{pressed}">'
        f"{_picture(choice, '')}<span>{bilingual(face_words(choice))}</span></button>"
    )


def _picture(choice: FaceChoice, words: str) -> str:
    return f'<img width="64" height="64" alt="{words}" src="data:image/jpeg;base64,{b64encode(choice.jpeg).decode()}">'


def _needs(answer: Answer) -> str:
    """Space and time; only once there is something to make."""
    report = answer.report
    if report is None or report.speech is None or not report.clips or trouble_of(answer) is not None:
        return ""
    expected = bilingual(text.UNKNOWN_PACE) if report.expected_s is None else duration(report.expected_s)
    megabytes = max(1, round(report.needed_bytes / 1e6))
    return (
        f'<div class="hg-meta hg-needs">{bilingual(text.EXPECTED)} <b>{expected}</b> · '
        f"{bilingual(text.NEEDS)} <b>{megabytes} MB</b></div>"
    )


def _remarks(report: PreflightReport | None) -> str:
    """Why there would be no video, and what to know of one."""
    if report is None:
        return ""
    parts: list[ClipReport | SpeechReport] = [*report.clips, *([report.speech] if report.speech else [])]
    notices = [*(notice for clip in report.clips for notice in clip.notices), *_other_notices(report)]
    boxes = "".join(error_box(part.refused.text, part.refused.hint) for part in parts if part.refused)
    boxes += "".join(error_box(notice.text, notice.hint) for notice in notices if notice.code == FACELESS)
    lines = "".join(
        f"<li>{bilingual(notice.text)} {bilingual(notice.hint)}</li>" for notice in notices if notice.code != FACELESS
    )
    return boxes + (f'<ul class="hg-notices">{lines}</ul>' if lines else "")


def _lips_note(report: PreflightReport | None) -> str:
    """What the engine is for: told before a video is made, too; it is no fault of the files."""
    if report is None or not report.clips:
        return ""
    return f'<div class="hg-made-by">{bilingual(report.lips_note)}</div>'


def _other_notices(report: PreflightReport | None) -> list[Notice]:
    """What to know of the speech, and of the disk."""
    if report is None:
        return []
    return [*(report.speech.notices if report.speech else ()), *report.notices]
