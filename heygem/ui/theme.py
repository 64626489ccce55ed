"""How the page looks: gradio's variables here, everything else in page.css.

Fonts are the machine's own: nothing is fetched.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

CSS_FILE = Path(__file__).with_name("page.css")

THEME_KEY = "heygem_theme"
"""Where a browser remembers the theme that was picked: light or dark."""

# Gradio asks the browser what the system prefers, before it draws anything and whenever that changes. So the answer is
# ours: what was picked here, else what the system does prefer.
THEME_SCRIPT = f"""(() => {{
const system = matchMedia("(prefers-color-scheme: dark)"), answer = new EventTarget(), ask = matchMedia.bind(window);
let picked = null;
try {{ picked = localStorage.getItem("{THEME_KEY}"); }} catch (refused) {{ /* without storage, it is the system's */ }}
const set = (is_dark) => {{
  answer.matches = is_dark;
  document.documentElement.style.colorScheme = is_dark ? "dark" : "light";
  answer.dispatchEvent(new Event("change"));
}};
answer.media = system.media;
set(picked ? picked === "dark" : system.matches);
window.matchMedia = (query) => /^\\(prefers-color-scheme:\\s*dark\\)$/.test(query) ? answer : ask(query);
system.addEventListener("change", () => {{ if (!picked) set(system.matches); }});
document.addEventListener("click", (event) => {{
  if (!event.target.closest("#theme")) return;
  picked = answer.matches ? "light" : "dark";
  set(picked === "dark");
  try {{ localStorage.setItem("{THEME_KEY}", picked); }} catch (refused) {{ /* it lasts until the page is closed */ }}
}});
}})();"""
"""For the head of the page, before gradio's own; a click on #theme changes over and is remembered."""

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
    """Indigo on a quiet grey; dark where the browser asks for it or the user does."""
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
        # Gradio's own is too pale to read.
        body_text_color_subdued="#5d667a",
        body_text_color_subdued_dark="#98a2b8",
        block_info_text_color="#5d667a",
        block_info_text_color_dark="#98a2b8",
        background_fill_secondary="#fafbfe",
        background_fill_secondary_dark="#10151f",
        block_radius="14px",
        block_shadow="none",
        button_border_width="1px",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f4f6fb",
        button_secondary_background_fill_dark="#141a26",
        button_secondary_background_fill_hover_dark="#1c2433",
        button_secondary_border_color="#d5dae6",
        button_secondary_border_color_dark="#2c3648",
        button_primary_background_fill="linear-gradient(90deg, #4338ca, #4f46e5)",
        button_primary_background_fill_hover="#4338ca",
        button_primary_background_fill_dark="linear-gradient(90deg, #4f46e5, #6157f0)",
        button_primary_background_fill_hover_dark="#5b52ee",
        button_primary_border_color="transparent",
        button_primary_border_color_dark="transparent",
        button_primary_text_color="#ffffff",
    )
