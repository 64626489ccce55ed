"""What the single tab draws, apart from any server."""

from pathlib import Path

import gradio as gr
import pytest
from sample_jobs import ID, done, failed, job, running, waiting

from heygem.errors import Text
from heygem.jobs.job import JobStatus
from heygem.settings import Settings
from heygem.ui.job_parts import Refusal
from heygem.ui.panel import Chosen, View
from heygem.ui.preflight_desk import PreflightDesk, Question
from heygem.ui.single_tab import SingleTab
from heygem.ui.uploads import Uploads

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def desk():
    return PreflightDesk(lambda clip, speech: (None, None), lambda *asked: None)


@pytest.fixture
def tab(tmp_path, desk):
    with gr.Blocks():
        return SingleTab(None, Uploads(tmp_path, Settings(models_dir=tmp_path)), desk)


def test_a_job_that_ended_without_a_video_is_tried_again_on_its_card(tab):
    draw = tab.panels[1].draw
    refused = Chosen(refusal=Refusal(ID, Text("满了", "<full>")))
    for ended in (failed(), job(JobStatus.CANCELLED), job(JobStatus.INTERRUPTED)):
        assert f'data-act="retry" data-job="{ID}"' in draw(View([ended], [], [], 0.0), Chosen())
        assert "&lt;full&gt;" in draw(View([ended], [], [], 0.0), refused)
    for other in (done(), running(), waiting()):
        assert "data-act" not in draw(View([other], [], [], 0.0), Chosen())


def test_what_another_tab_has_withdrawn_is_asked_again(tab, desk):
    view, question = View([], [], [], 0.0), Question(Path("a.mp4"))
    draw = tab.panels[0].draw
    draw(view, Chosen(question=question))
    assert desk.answer(question) is not None
    assert draw(view, Chosen(question=Question())) == "" and desk.answer(Question()) is None
