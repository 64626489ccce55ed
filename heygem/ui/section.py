"""Numbered headings of the page's parts."""

from __future__ import annotations

import gradio as gr

from heygem.errors import NOTHING, Text
from heygem.ui.html_parts import bilingual


def section(number: int, title: Text, hint: Text = NOTHING) -> None:
    """A heading; gradio's own floating labels are unreadable over a video."""
    html = (
        f'<div class="hg-section"><i>{number}</i><h3>{bilingual(title)}</h3>'
        f'<span class="hg-meta">{bilingual(hint)}</span></div>'
    )
    gr.HTML(html, apply_default_css=False)
