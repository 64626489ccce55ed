"""How buttons reach the queue and panels follow. No event runs a job: each returns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from heygem.jobs.task_queue import TaskQueue
from heygem.ui.choice import Choice
from heygem.ui.job_actions import JobActions
from heygem.ui.panel import MARKS_JS, Chosen, Panel, View, refresh

ROW_BUTTONS_JS = Path(__file__).with_name("row_buttons.js").read_text(encoding="utf-8")
"""For gr.HTML with buttons that have data-act and data-job, see `JobActions`; the page has one `confirm_dialog`."""

PLAYER_JS = """
watch('value', () => requestAnimationFrame(() => {
  const video = element.querySelector('video');
  if (!video) return;
  video.scrollIntoView({block: 'nearest'});
  video.play().catch(() => {});  // a browser may want a click on the video itself
}));
"""
"""For gr.HTML that holds a `player`: it changes when another result was picked, and only then."""

CLEAR_JS = "() => ''"

_POLL_S = 1.0


class Wiring:
    """Connects events inside an open gr.Blocks.

    Args:
        queue: Where jobs are.
        look: The server as it is now.
    """

    def __init__(self, queue: TaskQueue, look: Callable[[], View]) -> None:
        self.look = look
        self.chosen = gr.State(Choice())
        self._actions = JobActions(queue)
        self._panels: list[Panel] = []

    def poll(self, blocks: gr.Blocks, panels: Sequence[Panel]) -> None:
        """Draw `panels` when the page opens and once a second; call it before `on`."""
        self._panels = list(panels)
        self._redraw_at(blocks.load)
        self._redraw_at(gr.Timer(_POLL_S).tick)

    def on(
        self,
        event: Callable[..., Any],
        handler: Callable[..., Any],
        inputs: Sequence[Component] | None,
        outputs: Sequence[Component | gr.Accordion | gr.Tabs] | None,
    ) -> None:
        """Call `handler` at `event`, then draw what it changed without waiting for the next poll.

        Where `chosen` is among the inputs, `handler` gets it as a `Chosen`; where it is among the outputs as well, what
        `handler` changed of it is changed.
        """
        done = event(self._on_choice(handler, inputs or (), outputs or ()), inputs, outputs, **_QUICK)
        self._redraw_at(done.then)

    def on_press(
        self,
        html: gr.HTML,
        handler: Callable[..., Any],
        inputs: Sequence[Component] | None,
        outputs: Sequence[Component | gr.Accordion | gr.Tabs] | None,
    ) -> None:
        """Call `handler` whenever a button in `html` is pressed.

        Args:
            html: Needs `ROW_BUTTONS_JS` or a script that triggers clicks as that does.
            handler: Takes gr.EventData last; gradio finds that parameter by its annotation, which it evaluates in the
                handler's module.
            inputs: As for `on`.
            outputs: As for `on`.
        """
        # Gradio drops an event while the one before is under way, unless told; but another press is for another row.
        self.on(partial(html.click, trigger_mode="multiple"), handler, inputs, outputs)

    def on_row_buttons(self, html: gr.HTML) -> None:
        """Make the buttons in the rows of `html` do what they do to jobs."""

        def act(chosen: Chosen, event: gr.EventData) -> Chosen:
            return self._actions.act(chosen, str(event.act), str(event.job))

        self.on_press(html, act, [self.chosen], [self.chosen])

    def _on_choice(
        self, handler: Callable[..., Any], inputs: Sequence[object], outputs: Sequence[object]
    ) -> Callable[..., Any]:
        """`handler`, for a state that is a `Choice`."""
        if self.chosen not in inputs:
            return handler
        taken = inputs.index(self.chosen)

        @wraps(handler)  # gradio looks at its parameters
        def handled(*args: Any) -> Any:
            choice: Choice = args[taken]
            before = choice.now
            made = handler(*args[:taken], before, *args[taken + 1 :])
            if self.chosen not in outputs:
                return made
            if len(outputs) == 1:
                choice.change(before, made)
                return choice
            given, place = list(made), outputs.index(self.chosen)
            choice.change(before, given[place])
            given[place] = choice
            return given

        return handled

    def _redraw_at(self, event: Callable[..., Any]) -> None:
        drawn = [panel.html for panel in self._panels]
        # Marks are no values of these components: gradio is not to prepare them as such.
        event(self._refresh, [*drawn, self.chosen], drawn, js=MARKS_JS, preprocess=False, **_QUICK)

    def _refresh(self, *inputs: Any) -> list[Any]:
        *shown, choice = inputs
        return refresh(self._panels, self.look(), choice.now, shown)


_QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def clear_at(html: gr.HTML, events: Sequence[Callable[..., Any]]) -> None:
    """Empty `html` at any of `events`, in the page itself: what it said was of what was there before."""
    gr.on(list(events), None, None, html, js=CLEAR_JS, **_QUICK)
