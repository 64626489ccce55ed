"""The official weights that the server lacks, and how their downloads go, as HTML. Pure functions and a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heygem.errors import Text
from heygem.ui import icons, text
from heygem.ui.html_parts import bar, bilingual, both, chip, error_box, escape
from heygem.weights.download_desk import Download
from heygem.weights.manifest import Checkpoint

_MB = 1e6

UNFOLDED_JS = """
let is_open = null;
element.addEventListener('click', (event) => {
  if (event.target.closest('summary')) is_open = !element.querySelector('details').open;
});
watch('value', () => requestAnimationFrame(() => {
  const card = element.querySelector('details');
  if (card && is_open !== null) card.open = is_open;
}));
"""
"""For the card: what its reader has folded or unfolded stays so while it is redrawn."""


def weights_card(missing: Sequence[Checkpoint], downloads: Mapping[str, Download]) -> str:
    """A row for each checkpoint that is not there, with its licence above the button; empty if there are none.

    Args:
        missing: What the server lacks.
        downloads: Those that wait, are under way, or failed, by name.
    """
    if not missing:
        return ""
    rows = "".join(_row(one, downloads.get(one.name)) for one in missing)
    idle = [one for one in missing if one.name not in downloads or not downloads[one.name].is_active]
    is_open = " open" if downloads else ""
    return (
        f'<details class="hg-card hg-weights"{is_open}><summary>{bilingual(text.MISSING_WEIGHTS)} · {len(missing)}'
        f'</summary><div class="hg-meta">{bilingual(text.MISSING_WEIGHTS_INFO)}</div>'
        f'<ul class="hg-models">{rows}</ul>{_all_button(idle) if len(idle) > 1 else ""}</details>'
    )


def _row(one: Checkpoint, download: Download | None) -> str:
    name = escape(one.name)
    is_active = download is not None and download.is_active
    act, words, sign = ("cancel", text.CANCEL, icons.CANCEL) if is_active else _FETCH
    off = " disabled" if download is not None and download.is_ending else ""
    label = f"{both(words)}: {escape(one.filename)}"
    return (
        f'<li data-job="{name}" tabindex="-1"><div class="hg-grow"><b class="hg-name">{escape(one.filename)}</b> '
        f'<span class="hg-meta">{bilingual(one.purpose)} · {one.bytes / _MB:.0f} MB</span>'
        f'<div class="hg-meta hg-licence">{bilingual(text.LICENCE)} {bilingual(one.licence)}</div>'
        f"{_state(one, download)}<code>python -m heygem models download {name}</code></div>"
        f'<button type="button" class="hg-icon" data-act="{act}" data-job="{name}" title="{label}" '
        f'aria-label="{label}"{off}>{sign}</button></li>'
    )


_FETCH = ("download", text.DOWNLOAD, icons.DOWNLOAD)


def _state(one: Checkpoint, download: Download | None) -> str:
    """How far it is, or why it is not."""
    if download is None:
        return ""
    if download.error is not None:
        return error_box(download.error.text, download.error.hint)
    if not download.is_begun:
        return chip("queued", text.WAITS)
    rate = "" if download.rate is None else f" · {download.rate / _MB:.1f} MB/s"
    words = f"{download.done / _MB:.1f} / {one.bytes / _MB:.0f} MB{rate}"
    if download.is_ending:
        words = bilingual(text.STOPPING)
    elif download.done >= one.bytes:
        words = bilingual(text.VERIFYING)
    name = Text(*(f"{words} {one.filename}" for words in text.DOWNLOAD))
    return f'{bar(min(1.0, download.done / one.bytes), name)}<div class="hg-meta hg-rate">{words}</div>'


def _all_button(idle: Sequence[Checkpoint]) -> str:
    size = sum(one.bytes for one in idle) / _MB
    return (
        '<div class="hg-row hg-model-actions">'
        '<button type="button" class="hg-pill" data-act="download-all" data-job="">'
        f"{bilingual(text.DOWNLOAD_ALL)} · {size:.0f} MB</button></div>"
    )
