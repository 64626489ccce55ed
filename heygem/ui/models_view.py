"""The models that the server holds, and the room it has, as HTML. Pure; knows no model manager."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heygem.errors import Text
from heygem.jobs.executors import ActorRow
from heygem.ui import text
from heygem.ui.html_parts import bilingual, both, escape
from heygem.weights.download_desk import DownloadDesk

_GB = 1e9

MODELS_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (button) trigger('click', {act: button.dataset.act});
});
"""
"""For the card: one listener survives every redraw."""


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
    load_s: float = 0.0
    """Seconds that all its loads took, with the verification of its weights."""
    idle_s: float | None = None
    """Seconds since it was last used; None while it is in use."""


@dataclass(frozen=True, slots=True)
class Room:
    """Memory or disk, in bytes."""

    used: int
    total: int


@dataclass(frozen=True, slots=True)
class ModelControls:
    """What the page may do with the models; each returns at once.

    Attributes:
        warm_up: Load what a job with the default options needs.
        unload: Free all; those in use when their job ends.
        vram: The device's memory; None without one.
        downloads: Fetches official weights.
        actors: The workers of a cluster, where one does the jobs.
    """

    warm_up: Callable[[], None]
    unload: Callable[[], None]
    vram: Callable[[], Room | None]
    downloads: DownloadDesk
    actors: Callable[[], Sequence[ActorRow]] = tuple


def models_card(
    rows: Sequence[ModelRow],
    disk: Room | None = None,
    vram: Room | None = None,
    actors: Sequence[ActorRow] = (),
) -> str:
    """A line per model: resident or not, size, loads and hits, idle time; above them the room that is left.

    Where a cluster does the jobs, there is a line for each of its workers below: node, device, job, models, jobs done.
    """
    if not rows:
        body = f'<div class="hg-quiet">{bilingual(text.MODELS_EMPTY)}</div>'
    else:
        body = f'<ul class="hg-models">{"".join(_line(row) for row in rows)}</ul>'
    if actors:
        lines = "".join(_actor(row) for row in actors)
        body += f'<h4>{bilingual(text.ACTORS)}</h4><ul class="hg-models hg-actors">{lines}</ul>'
    total = sum(row.size_mb for row in rows if row.is_resident)
    size = f'<span class="hg-meta">{total:.0f} MB</span>' if rows else ""
    rooms = _room(text.VRAM, vram) + _room(text.DISK, disk)
    can_unload = any(row.is_resident for row in rows)
    return (
        f'<section class="hg-card"><header><h3>{bilingual(text.MODELS)}</h3>{size}</header>{rooms}{body}'
        f'<div class="hg-row hg-model-actions">{_button("warm-up", text.WARM_UP, text.WARM_UP_INFO)}'
        f"{_button('unload', text.UNLOAD, text.UNLOAD_INFO, is_off=not can_unload)}</div></section>"
    )


def _actor(row: ActorRow) -> str:
    parts = [bilingual(text.ACTOR_STATES[row.state]), escape(row.device)]
    parts += [escape(row.job_id)] if row.job_id else []
    parts += [escape(", ".join(row.models))] if row.models else []
    parts.append(f"{bilingual(text.ACTOR_JOBS)} {row.jobs_done}")
    parts += [bilingual(row.refused)] if row.refused else []
    return (
        f'<li><i class="hg-dot{" on" if row.state in ("busy", "warm") else ""}"></i>'
        f'<div class="hg-grow"><b class="hg-name">{escape(row.node)}</b>'
        f'<div class="hg-meta">{" · ".join(parts)}</div></div></li>'
    )


def _line(row: ModelRow) -> str:
    state = text.RESIDENT if row.is_resident else text.UNLOADED
    parts = [bilingual(state), escape(row.place), f"{row.size_mb:.0f} MB"]
    parts += [f"{bilingual(text.LOADS)} {row.loads}", f"{bilingual(text.HITS)} {row.hits}"]
    if row.load_s:
        parts.append(f"{bilingual(text.LOADING_TOOK)} {row.load_s:.1f} s")
    if row.is_resident and row.idle_s is None:
        parts.append(bilingual(text.IN_USE))
    elif row.is_resident and row.idle_s is not None and row.idle_s >= 60:
        # By the minute, so that an idle page is not redrawn each second.
        parts.append(f"{bilingual(text.UNUSED_FOR)} {int(row.idle_s // 60)} min")
    return (
        f'<li><i class="hg-dot{" on" if row.is_resident else ""}"></i>'
        f'<div class="hg-grow"><b class="hg-name">{escape(row.name)}</b>'
        f'<div class="hg-meta">{" · ".join(parts)}</div></div></li>'
    )


def _room(name: Text, room: Room | None) -> str:
    if room is None:
        return ""
    left = room.total - room.used
    percent = 100 * left / max(1, room.total)
    words = f"{left / _GB:.1f} / {room.total / _GB:.0f} GB"
    return (
        f'<div class="hg-room"><span class="hg-row hg-meta"><span class="hg-grow">{bilingual(name)}</span>'
        f'<b>{words}</b></span><div class="hg-bar" role="meter" aria-label="{both(name)}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent:.0f}" aria-valuetext="{words}">'
        f'<i style="width:{percent:.0f}%"></i></div></div>'
    )


def _button(act: str, words: Text, info: Text, *, is_off: bool = False) -> str:
    off = " disabled" if is_off else ""
    return (
        f'<button type="button" class="hg-pill" data-act="{act}" title="{both(info)}"{off}>{bilingual(words)}</button>'
    )
