"""What the single tab draws, apart from any server."""

from pathlib import Path

import gradio as gr
import pytest

from heygem.settings import Settings
from heygem.ui.panel import Chosen, View
from heygem.ui.preflight_desk import PreflightDesk, Question
from heygem.ui.single_tab import SingleTab
from heygem.ui.uploads import Uploads

pytestmark = pytest.mark.filterwarnings("default")


def test_what_another_tab_has_withdrawn_is_asked_again(tmp_path):
    desk = PreflightDesk(lambda clip, speech: (None, None), lambda *asked: None)
    with gr.Blocks():
        tab = SingleTab(None, Uploads(tmp_path, Settings(models_dir=tmp_path)), desk)
    view, question = View([], [], [], 0.0), Question(Path("a.mp4"))
    draw = tab.panels[0].draw
    draw(view, Chosen(question=question))
    assert desk.answer(question) is not None
    assert draw(view, Chosen(question=Question())) == "" and desk.answer(Question()) is None
