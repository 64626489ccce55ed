"""What options are called on the page. Scripts and the command line know them by other names, and errors by theirs."""

from __future__ import annotations

from heygem.errors import HeyGemError, OptionError, Text
from heygem.ui import text

_LABELS = {"enhancer_strength": "strength", "sync_offset_ms": "sync", "label_duration_s": "label_duration"}
"""Entries of `text.LABELS` for options that are called otherwise there."""


def option_words(option: str) -> Text:
    """What the field of `RenderOptions` is called; itself where the page has no name for it."""
    return text.LABELS.get(_LABELS.get(option, option), Text(option, option))


def said_on_page(error: HeyGemError) -> Text:
    """What went wrong, with the option called as on the page if it is one that is out of range."""
    if not isinstance(error, OptionError) or not error.option:
        return error.text
    words = option_words(error.option.replace("-", "_"))
    return Text(*(said.replace(error.option, name, 1) for said, name in zip(error.text, words, strict=True)))
