"""Numbered parts of the page: their headings, and the one that both tabs have."""

from __future__ import annotations

import gradio as gr

from heygem.errors import NOTHING, Text
from heygem.ui import text
from heygem.ui.html_parts import bilingual
from heygem.ui.labels import label


def section(number: int, title: Text, hint: Text = NOTHING) -> None:
    """A heading; gradio's own floating labels are unreadable over a video."""
    html = (
        f'<div class="hg-section"><i>{number}</i><h2>{bilingual(title)}</h2>'
        f'<span class="hg-meta">{bilingual(hint)}</span></div>'
    )
    gr.HTML(html, apply_default_css=False)


def clip_hint(max_upload_mb: int) -> Text:
    """Which clips are taken; a size of whole GB is said so."""
    gb, rest = divmod(max_upload_mb, 1024)
    size = f"{max_upload_mb} MB" if rest else f"{gb} GB"
    return Text(*(words.format(size) for words in text.CLIP_HINT))


def speech_section(elem_id: str) -> gr.Audio:
    """The first part of a tab: where the speech is uploaded."""
    section(1, text.SPEECH, text.SPEECH_HINT)
    return gr.Audio(
        sources=["upload"], type="filepath", label=label("speech"), show_label=False, buttons=[], elem_id=elem_id
    )
