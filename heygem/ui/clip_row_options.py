"""What one clip of a batch is to have of its own, as HTML: small labels, and the part of its row that changes it.

Offered are the choices that depend on the clip: who speaks, how late its lips are, whose lips they are. A list in a
file may give a clip any option; all of them are shown and can be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heygem.pipeline.options import RenderOptions
from heygem.ui import text
from heygem.ui.batch_draft import DraftClip
from heygem.ui.html_parts import bilingual, both, escape
from heygem.ui.option_words import option_words
from heygem.ui.preflight_view import face_words
from heygem.weights.speakers import is_speaker_name

if TYPE_CHECKING:
    from heygem.jobs.face_choice import FaceChoice


def own_chips(clip: DraftClip) -> str:
    """A small label for each option that is the clip's own."""
    return "".join(
        f'<span class="hg-chip hg-own-chip">{_label(name)} {_value(name, getattr(clip.options, name))}</span>'
        for name in clip.own
    )


def own_form(
    clip: DraftClip, common: RenderOptions, faces: Sequence[tuple[FaceChoice, str]], lips: Sequence[str]
) -> str:
    """The choices of a clip.

    Args:
        clip: Whose.
        common: What it follows in all that is not its own.
        faces: Who can be chosen to speak, each with the address of a picture.
        lips: What may be chosen for the lips.
    """
    options = clip.effective(common)
    sync = f"{options.sync_offset_ms:g}"
    reset = _choice(clip, "clip-reset", bilingual(text.AS_ALL), is_chosen=None) if clip.own else ""
    return (
        f"{_faces(clip, options.face, faces)}"
        f"<h4>{_label('lips')}</h4>{_group('lips', _lips(clip, options.lips, lips))}"
        f'<h4><label for="sync-{clip.id}">{_label("sync_offset_ms")}</label></h4>'
        f'<div class="hg-row"><input class="hg-number" id="sync-{clip.id}" type="number" step="10" min="-2000" '
        f'max="2000" value="{sync}" data-change="clip-sync" data-job="{clip.id}">'
        f'<span class="hg-meta">{bilingual(text.LABELS["sync_info"])}</span></div>{reset}'
    )


def _faces(clip: DraftClip, face: str, faces: Sequence[tuple[FaceChoice, str]]) -> str:
    if len(faces) < 2:  # nothing to choose
        return ""
    meant = "0" if face == "first" else face
    buttons = "".join(
        f'<button type="button" class="hg-face" data-act="clip-face {escape(choice.values[0])}" data-job="{clip.id}" '
        f'aria-pressed="{_true(meant in choice.values)}"><img width="64" height="64" alt="" src="{url}">'
        f"<span>{bilingual(face_words(choice))}</span></button>"
        for choice, url in faces
    )
    return f"<h4>{bilingual(text.WHO_SPEAKS)}</h4>{_group('face', buttons, 'hg-faces')}"


def _lips(clip: DraftClip, chosen: str, lips: Sequence[str]) -> str:
    # Weights that a script chose by their path can be kept; a speaker that was deleted cannot.
    names = lips if is_speaker_name(chosen) else (*lips, chosen)
    return "".join(
        _choice(clip, f"clip-lips {escape(name)}", _value("lips", name), is_chosen=name == chosen) for name in names
    )


def _choice(clip: DraftClip, act: str, words: str, *, is_chosen: bool | None) -> str:
    pressed = "" if is_chosen is None else f' aria-pressed="{_true(is_chosen)}"'
    return (
        f'<button type="button" class="hg-button hg-small" data-act="{act}" data-job="{clip.id}"{pressed}>'
        f"{words}</button>"
    )


def _group(option: str, buttons: str, kind: str = "hg-choices") -> str:
    return f'<div class="{kind}" role="group" aria-label="{both(option_words(option))}">{buttons}</div>'


def _label(option: str) -> str:
    return bilingual(option_words(option))


def _value(option: str, value: object) -> str:
    if option == "face" and str(value).isdecimal():
        return f"{bilingual(text.PERSON)} {value}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return bilingual(text.LABELS[value]) if isinstance(value, str) and value in text.LABELS else escape(str(value))


def _true(is_so: bool) -> str:
    return "true" if is_so else "false"
