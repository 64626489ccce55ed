"""The user's own speakers as HTML, and the training that is shown with them. Pure; knows no folder and no queue."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from heygem.errors import Text
from heygem.jobs.job import Job
from heygem.training.speaker_facts import SpeakerFacts
from heygem.ui import icons
from heygem.ui import speakers_text as words
from heygem.ui.html_parts import bilingual, both, escape
from heygem.ui.job_parts import Refusal, asks, buttons, refusal_line
from heygem.ui.job_view import job_card, job_result


@dataclass(frozen=True, slots=True)
class SpeakerRow:
    """A speaker as the page shows it.

    Attributes:
        name: What jobs call it.
        facts: What is known of it; None for one that an older version made.
    """

    name: str
    facts: SpeakerFacts | None


def speakers_card(
    rows: Sequence[SpeakerRow],
    *,
    films: Collection[str] = (),
    chosen_lips: str = "",
    refusal: Refusal | None = None,
) -> str:
    """A line per speaker: what it reaches, and what can be done with it.

    Args:
        rows: In order.
        films: Ids of the jobs whose film is there.
        chosen_lips: The lips that the form of the single tab says.
        refusal: What a button was refused; shown under its speaker.
    """
    lines = "".join(_line(row, films, row.name == chosen_lips, refusal) for row in rows)
    quiet = f'<div class="hg-quiet">{bilingual(words.NO_SPEAKERS)}</div>'
    count = f'<span class="hg-meta">{len(rows)}</span>' if rows else ""
    body = f'<ul class="hg-jobs" aria-label="{both(words.SPEAKERS)}">{lines}</ul>' if rows else quiet
    return f'<header class="hg-speakers-head"><h3>{bilingual(words.SPEAKERS)}</h3>{count}</header>{body}'


def training_card(job: Job | None, now_s: float) -> str:
    """How a training goes, with the film of what it reached; empty without one."""
    if job is None:
        return ""
    actions = "" if job.result else f'<div class="hg-actions">{buttons(job)}</div>'
    return f"{job_card(job, now_s)}{actions}"


def training_film(job: Job | None) -> str:
    """The player of a training that is done; apart from the rest, so that it plays on."""
    if job is None or job.result is None:
        return ""
    return f"{job_result(job)} {_use(job.request.speaker, is_chosen=False)}"


def _line(row: SpeakerRow, films: Collection[str], is_chosen: bool, refusal: Refusal | None) -> str:
    facts = row.facts
    film = _button("film", facts.job, row.name, icons.PLAY, words.SHOW_FILM) if facts and facts.job in films else ""
    question = asks(Text(*(one.format(row.name) for one in words.DELETE_ONE)))
    delete = _button("delete-speaker", row.name, row.name, icons.DELETE, words.DELETE, question)
    return (
        f'<li data-job="{escape(row.name)}" tabindex="-1"><div class="hg-grow">'
        f'<b class="hg-name">{escape(row.name)}</b>'
        f'<div class="hg-meta">{_figures(facts)}</div>{_notices(facts)}{refusal_line(refusal, row.name)}'
        f'<div class="hg-row hg-speaker-actions">{_use(row.name, is_chosen=is_chosen)}'
        f'<span class="hg-grow"></span>{film}{delete}</div></div></li>'
    )


def _use(name: str, *, is_chosen: bool) -> str:
    state = " disabled" if is_chosen else ""
    return (
        f'<button type="button" class="hg-pill" data-act="use-lips" data-job="{escape(name)}"{state} '
        f'aria-label="{both(words.USE_AS_LIPS)}: {escape(name)}">'
        f"{bilingual(words.IS_CHOSEN if is_chosen else words.USE_AS_LIPS)}</button>"
    )


def _figures(facts: SpeakerFacts | None) -> str:
    if facts is None:
        return bilingual(words.NO_FIGURES)
    parts = [
        time.strftime("%Y-%m-%d %H:%M", time.localtime(facts.made_s)),
        escape(facts.clip),
        f"{bilingual(words.SOUND_LATE)} {facts.offset_ms} ms",
        f"r {facts.r:.2f} ({bilingual(words.BUILT_IN)} {facts.default_r:.2f})",
        f"PSNR {facts.psnr_db:.1f} dB ({bilingual(words.BUILT_IN)} {facts.default_psnr_db:.1f})",
    ]
    return " · ".join(parts)


def _notices(facts: SpeakerFacts | None) -> str:
    weak = [notice for notice in facts.notices if notice.code == "weak_lips"] if facts else []
    return "".join(f'<div class="hg-failure">{bilingual(notice.text)}</div>' for notice in weak)


def _button(act: str, target: str, name: str, sign: str, says: Text, more: str = "") -> str:
    return (
        f'<button type="button" class="hg-icon" data-act="{act}" data-job="{escape(target)}"{more} '
        f'title="{both(says)}" aria-label="{both(says)}: {escape(name)}">{sign}</button>'
    )
