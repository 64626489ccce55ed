"""Small pieces of HTML. Whatever a user may have written goes through `escape`."""

from __future__ import annotations

from html import escape

from heygem.errors import Text
from heygem.ui.text import GO_BACK, YES

__all__ = ["bar", "bilingual", "both", "chip", "confirm_dialog", "duration", "error_box", "escape"]


def bilingual(text: Text) -> str:
    """Both languages; the style sheet hides one."""
    return f'<span class="zh" lang="zh">{escape(text.zh)}</span><span class="en" lang="en">{escape(text.en)}</span>'


def both(text: Text) -> str:
    """Both languages in one line, for attributes, which a style sheet cannot switch: gradio_words.js leaves one.

    It knows them by a Chinese sentence without a slash and an English one without a colon.
    """
    return escape(f"{text.zh} / {text.en}")


def duration(seconds: float) -> str:
    """75 s is 1:15."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def bar(share: float | None, label: Text) -> str:
    """A progress bar; without a share it only says that something is going on."""
    if share is None:
        return f'<div class="hg-bar busy" role="progressbar" aria-label="{both(label)}"><i></i></div>'
    percent = 100 * share
    return (
        f'<div class="hg-bar" role="progressbar" aria-label="{both(label)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent:.0f}"><i style="width:{percent:.1f}%"></i></div>'
    )


def chip(kind: str, text: Text, count: int | None = None) -> str:
    """A small coloured label."""
    number = "" if count is None else f" {count}"
    return f'<span class="hg-chip {escape(kind)}">{bilingual(text)}{number}</span>'


def confirm_dialog() -> str:
    """Asks whether a button is to do what cannot be undone; the script of the buttons opens it."""
    return (
        '<dialog id="hg-confirm" aria-labelledby="hg-question"><form method="dialog"><p id="hg-question">'
        '<span class="zh" lang="zh"></span><span class="en" lang="en"></span></p><div class="hg-row">'
        f'<button class="hg-button" value="no" autofocus>{bilingual(GO_BACK)}</button>'
        f'<button class="hg-button hg-danger" value="yes">{bilingual(YES)}</button></div></form></dialog>'
    )


def error_box(text: Text, hint: Text) -> str:
    """What went wrong and what to do about it."""
    advice = f'<div class="hg-hint">{bilingual(hint)}</div>' if any(hint) else ""
    return f'<div class="hg-error" role="alert"><b>{bilingual(text)}</b>{advice}</div>'
