"""gradio's Blocks, with answers to polls that cost next to nothing. Knows nothing of what is shown."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState

SKIP = gr.skip()
"""For an output that stays as it is."""


class PolledPage(gr.Blocks):
    """Passes answers of HTML and states on as they are: there is nothing to convert. All others go gradio's way.

    For each output that is skipped gradio 6.31 builds the component anew, 1 ms under the interpreter's lock, and each
    HTML it hands to another thread and back, all of which wait for that lock while a job draws. With 14 panels and
    8 tabs that took a quarter of a core.
    """

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[str, Any], state: SessionState | None
    ) -> list[Any]:
        """What is sent to the browser for what a handler returned."""
        values = [predictions] if len(block_fn.outputs) == 1 else predictions
        if state is None or not isinstance(values, list | tuple) or len(values) != len(block_fn.outputs):
            return await super().postprocess_data(block_fn, predictions, state)
        answers = list(zip(block_fn.outputs, values, strict=True))
        if not all(_is_plain(block, value) for block, value in answers):
            return await super().postprocess_data(block_fn, predictions, state)
        for block, value in answers:
            if block.stateful:
                state[block._id] = value
        return [None if block.stateful else value for block, value in answers]


def _is_plain(block: Any, value: Any) -> bool:
    """Whether gradio would send the value, or keep it if the block is a state, as it is."""
    if block.stateful:
        return not (isinstance(value, dict) and "__type__" in value)
    return isinstance(block, gr.HTML) and (isinstance(value, str) or value == SKIP)
