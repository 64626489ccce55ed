"""The models that the server holds, as HTML. Pure; knows no model manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heygem.ui import text
from heygem.ui.html_parts import bilingual, escape


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model as the page shows it."""

    name: str
    place: str
    """Device and number format, such as cuda:0/fp16."""
    is_resident: bool
    """Its weights are on the device now."""
    size_mb: float
    loads: int
    hits: int


def models_card(rows: Sequence[ModelRow]) -> str:
    """A line per model: resident or not, size, how often it was loaded and how often it was there already."""
    if not rows:
        body = f'<div class="hg-quiet">{bilingual(text.MODELS_EMPTY)}</div>'
    else:
        body = f'<ul class="hg-models">{"".join(_line(row) for row in rows)}</ul>'
    total = sum(row.size_mb for row in rows if row.is_resident)
    size = f'<span class="hg-meta">{total:.0f} MB</span>' if rows else ""
    return f'<section class="hg-card"><header><h3>{bilingual(text.MODELS)}</h3>{size}</header>{body}</section>'


def _line(row: ModelRow) -> str:
    state = text.RESIDENT if row.is_resident else text.UNLOADED
    return (
        f'<li><i class="hg-dot{" on" if row.is_resident else ""}"></i>'
        f'<div class="hg-grow"><b class="hg-name">{escape(row.name)}</b>'
        f'<div class="hg-meta">{bilingual(state)} · {escape(row.place)} · {row.size_mb:.0f} MB · '
        f"{bilingual(text.LOADS)} {row.loads} · {bilingual(text.HITS)} {row.hits}</div></div></li>"
    )
