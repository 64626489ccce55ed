"""What makes the rail a drawer where the window is narrow: its button, its head, its script. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from heygem.jobs.job import Job
from heygem.ui import icons, text
from heygem.ui.html_parts import bilingual, both

DRAWER_JS = Path(__file__).with_name("rail_drawer.js").read_text(encoding="utf-8")
"""For the button: opens the drawer, keeps the focus inside, and closes it by Escape and by a click beside it."""


def rail_button(jobs: Sequence[Job]) -> str:
    """The button that opens the drawer, with the number of jobs that run or wait."""
    unfinished = sum(not job.status.is_final for job in jobs)
    count = f"<b>{unfinished}</b>" if unfinished else ""
    return (
        '<button type="button" class="hg-pill" aria-expanded="false" aria-controls="rail">'
        f"{icons.DRAWER}{bilingual(text.RAIL)} {count}</button>"
    )


def rail_head() -> str:
    """The title, which only a drawer shows and a screen reader always tells, and the button that closes the drawer."""
    close = both(text.CLOSE_RAIL)
    return (
        f'<header class="hg-row"><h2>{bilingual(text.RAIL)}</h2><button type="button" class="hg-icon" id="rail-close" '
        f'title="{close}" aria-label="{close}">{icons.CANCEL}</button></header>'
    )
