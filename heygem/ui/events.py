"""How buttons reach the queue and panels follow. No event runs a job: each returns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
from gradio.components import Component

from heygem.errors import JobNotFoundError
from heygem.jobs.task_queue import TaskQueue
from heygem.ui.panel import Chosen, Panel, View, refresh

ROW_BUTTONS_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (button) trigger('click', {act: button.dataset.act, job: button.dataset.job});
});
"""
"""For gr.HTML with buttons that have data-act and data-job: one listener survives every redraw."""

_POLL_S = 1.0


class Wiring:
    """Connects events inside an open gr.Blocks.

    Args:
        queue: Where jobs are.
        look: The server as it is now.
    """

    def __init__(self, queue: TaskQueue, look: Callable[[], View]) -> None:
        self.look = look
        self.chosen = gr.State(Chosen())
        self._queue = queue
        # Apart from `chosen`, so that a poll that is under way cannot undo what a button has just chosen.
        self._shown = gr.State([])
        self._panels: list[Panel] = []

    def poll(self, blocks: gr.Blocks, panels: Sequence[Panel]) -> None:
        """Draw `panels` when the page opens and once a second; call it before `on`."""
        self._panels = list(panels)
        blocks.load(self._refresh, [self._shown, self.chosen], self._outputs(), **_QUICK)
        gr.Timer(_POLL_S).tick(self._refresh, [self._shown, self.chosen], self._outputs(), **_QUICK)

    def on(
        self,
        event: Callable[..., Any],
        handler: Callable[..., Any],
        inputs: Sequence[Component] | None,
        outputs: Sequence[Component] | None,
    ) -> None:
        """Call `handler` at `event`, then draw what it changed without waiting for the next poll."""
        done = event(handler, inputs, outputs, **_QUICK)
        done.then(self._refresh, [self._shown, self.chosen], self._outputs(), **_QUICK)

    def on_row_buttons(self, html: gr.HTML) -> None:
        """Make the buttons in the rows of `html` work; it needs `ROW_BUTTONS_JS`."""

        def act(chosen: Chosen, event: gr.EventData) -> Chosen:
            job_id = str(event.job)
            if event.act == "cancel":
                self.cancel(job_id)
            elif event.act == "play":
                return replace(chosen, playing=job_id)
            return chosen

        # Gradio finds the parameter for the event by its annotation, which it evaluates in the module's scope.
        self.on(html.click, act, [self.chosen], [self.chosen])

    def cancel(self, job_id: str) -> None:
        """Stop a job, unless it ended and was forgotten meanwhile."""
        try:
            self._queue.cancel(job_id)
        except JobNotFoundError:
            return

    def _outputs(self) -> list[Component]:
        return [self._shown, *(panel.html for panel in self._panels)]

    def _refresh(self, shown: list[int], chosen: Chosen) -> list[Any]:
        marks, updates = refresh(self._panels, self.look(), chosen, shown)
        return [marks, *updates]


_QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
