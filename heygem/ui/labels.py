"""Words that gradio's components show, handed to gradio so that the browser picks the language."""

from __future__ import annotations

import gradio as gr

from heygem.ui.text import LABELS

# Bare keys such as "audio" would collide with gradio's own translations.
_PREFIX = "heygem_"
_ZH = {_PREFIX + key: text.zh for key, text in LABELS.items()}
_EN = {_PREFIX + key: text.en for key, text in LABELS.items()}

I18N = gr.I18n(en=_EN, zh=_ZH, **{"zh-CN": _ZH, "zh-TW": _ZH})


def label(key: str) -> str:
    """The words of `key`, an entry of `text.LABELS`, as gradio wants them.

    Raises:
        KeyError: there is no such entry.
    """
    if key not in LABELS:
        raise KeyError(key)
    # Typed as the str that gradio's components declare for some parameters that take both.
    words: str = I18N(_PREFIX + key)  # type: ignore[assignment]
    return words
