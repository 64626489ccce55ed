"""The tab that is open. The browser's own tab remembers it over a reload, as the switch of language makes one."""

from __future__ import annotations

import gradio as gr

_KEY = "heygem_tab"

OPEN_TAB_SCRIPT = f"""<script>try {{
const parts = window.gradio_config.components, open = sessionStorage.getItem("{_KEY}");
if (parts.some((part) => part.type === "tabitem" && part.props.id === open))
  parts.find((part) => part.type === "tabs").props.selected = open;
}} catch (refused) {{ /* without storage, the first tab it is */ }}</script>""".encode()
"""For after what gradio is told of the page: that tab is open from the beginning, and no other is seen before it."""


def remember_when_open(tab: gr.Tab) -> None:
    """Have it opened after a reload if it was open before."""
    js = f"() => {{ try {{ sessionStorage.setItem('{_KEY}', '{tab.id}'); }} catch (refused) {{}} return []; }}"
    tab.select(None, js=js, queue=False, show_progress="hidden", api_visibility="private")
