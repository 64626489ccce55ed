"""What one browser tab looks at, while several of its events are under way. Knows no events."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from typing import Any

from heygem.ui.history_view import HistoryLook
from heygem.ui.panel import Chosen


class Choice:
    """A tab's `Chosen`, for all of its events: each changes what it is about, whatever others change meanwhile.

    Gradio gives an event the tab's state as it begins, and keeps what the event makes of it as it ends: of two presses
    at the same time one would be forgotten.
    """

    def __init__(self, now: Chosen | None = None) -> None:
        self._now = now or Chosen()
        self._guard = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Choice:
        return Choice(self._now)  # how gradio makes the state of a tab that opens

    @property
    def now(self) -> Chosen:
        """As it is at this moment."""
        return self._now

    def change(self, before: Chosen, after: Chosen) -> None:
        """Somebody who began with `before` made `after` of it."""
        with self._guard:
            self._now = _merged(self._now, before, after)


def _merged(now: Any, before: Any, after: Any) -> Any:
    """`now` with what was changed between `before` and `after`, field by field, and in sets element by element."""
    if before == after:
        return now
    if isinstance(after, Chosen | HistoryLook):
        parts = [each.name for each in fields(after)]
        return replace(now, **{name: _merged(*(getattr(one, name) for one in (now, before, after))) for name in parts})
    if isinstance(after, frozenset):
        return (now | (after - before)) - (before - after)
    return after
