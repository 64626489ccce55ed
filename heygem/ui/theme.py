"""How the page looks: gradio's variables here, everything else in page.css.

Fonts are the machine's own: nothing is fetched.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

CSS_FILE = Path(__file__).with_name("page.css")

_FONTS = (
    "system-ui",
    "-apple-system",
    "'Segoe UI'",
    "'PingFang SC'",
    "'Microsoft YaHei'",
    "'Noto Sans CJK SC'",
    "sans-serif",
)
_MONO_FONTS = ("ui-monospace", "Menlo", "Consolas", "'Noto Sans Mono CJK SC'", "monospace")


def page_theme() -> gr.themes.Base:
    """Indigo on a quiet grey; dark where the browser asks for it."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        secondary_hue=gr.themes.colors.slate,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        font=_FONTS,
        font_mono=_MONO_FONTS,
    ).set(
        body_background_fill="#f4f6fb",
        body_background_fill_dark="#0c1018",
        block_background_fill="#ffffff",
        block_background_fill_dark="#141a26",
        block_border_color="#e3e7f0",
        block_border_color_dark="#252d3d",
        block_shadow="none",
        button_primary_background_fill="#4f46e5",
        button_primary_background_fill_hover="#4338ca",
        button_primary_background_fill_dark="#5b52ee",
        button_primary_text_color="#ffffff",
    )
