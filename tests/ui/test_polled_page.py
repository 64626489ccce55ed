"""Answers are the same as gradio's own, without the work that it does for them."""

import asyncio
import copy

import gradio as gr
import pytest
from fastapi.encoders import jsonable_encoder
from gradio.state_holder import SessionState

from heygem.ui.polled_page import PolledPage

pytestmark = pytest.mark.filterwarnings("default")

SKIP = gr.skip()


def answers(kind, outputs, predictions):
    """What a page of that kind sends for a handler's answer, and the states that it keeps."""
    with kind() as page:
        made = [make() for make in outputs]
        button = gr.Button()
        button.click(lambda: None, None, made, queue=False)
    state = SessionState(page)
    block_fn = next(iter(page.fns.values()))
    sent = asyncio.run(page.postprocess_data(block_fn, copy.deepcopy(predictions), state))
    # An HTML that is skipped gets a property called __type__ from gradio, which nothing reads.
    plain = [SKIP if one == {**SKIP, "props": SKIP} else one for one in jsonable_encoder(sent)]
    return plain, [state[one._id] for one in made if isinstance(one, gr.State)]


@pytest.mark.parametrize(
    ("outputs", "predictions"),
    [
        ([lambda: gr.State([]), gr.HTML, gr.HTML], [[1, 2], SKIP, "<b>new</b>"]),
        ([lambda: gr.State({}), gr.HTML], [{"a": 1}, ""]),
        ([gr.HTML], "<i>one</i>"),
        ([gr.HTML], SKIP),
        ([lambda: gr.State(7)], 8),
        ([lambda: gr.State(7), gr.HTML], [gr.update(value=9), SKIP]),
        ([gr.HTML, gr.Textbox], ["<p>", "text"]),
        ([gr.HTML, gr.Textbox], [SKIP, gr.update(value="x", interactive=False)]),
        ([gr.HTML, gr.HTML], SKIP),
        ([gr.HTML], gr.update(value="<p>", visible=False)),
    ],
)
def test_it_sends_and_keeps_what_gradio_does(outputs, predictions):
    assert answers(PolledPage, outputs, predictions) == answers(gr.Blocks, outputs, predictions)


def test_nothing_is_built_for_outputs_that_stay_as_they_are(monkeypatch):
    built = []
    original = gr.HTML.__init__
    monkeypatch.setattr(
        gr.HTML, "__init__", lambda self, *args, **more: built.append(1) or original(self, *args, **more)
    )
    answers(PolledPage, [gr.HTML, gr.HTML], [SKIP, "<b>"])
    assert len(built) == 2  # the page's own
    answers(gr.Blocks, [gr.HTML, gr.HTML], [SKIP, "<b>"])
    assert len(built) > 4


def test_too_few_answers_are_a_fault_as_with_gradio():
    with pytest.raises(ValueError, match="didn't return enough"):
        answers(PolledPage, [gr.HTML, gr.HTML], ["<b>"])
