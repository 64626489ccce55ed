"""The log, the models, and which of the server's jobs a browser tab looks at."""

from pathlib import Path

import gradio as gr

from heygem.jobs.job import Job, JobRequest, JobStatus
from heygem.jobs.run_log import LogLine
from heygem.ui.html_parts import bilingual, duration
from heygem.ui.log_view import log_tail
from heygem.ui.models_view import ModelRow, models_card
from heygem.ui.panel import Chosen, Panel, View, refresh, shown_batch, shown_single
from heygem.ui.text import LABELS, STAGE, STATUS


def job(job_id, batch_id=None):
    return Job(job_id, JobRequest(Path("clip"), Path("speech")), JobStatus.QUEUED, 0.0, batch_id)


def view(*jobs):
    return View(jobs, [], [], 0.0)


def test_log_lines_are_escaped():
    html = log_tail([LogLine(1, 0.0, "INFO", "abc", "<img src=x onerror=alert(1)>")])
    assert "<img" not in html and "&lt;img" in html and ">abc<" in html


def test_models_show_what_is_resident_and_how_often_it_was_used():
    html = models_card([ModelRow("lips/<demo>", "cpu/fp32", True, 5.4, 1, 7), ModelRow("b", "cpu", False, 0, 2, 3)])
    assert "lips/&lt;demo&gt;" in html and "cpu/fp32" in html and "常驻" in html and "not resident" in html
    assert '<span class="hg-meta">5 MB</span>' in html
    assert "第一个任务" in models_card([])


def test_a_tab_shows_its_own_job_and_otherwise_the_newest():
    server = view(job("a"), job("x", "one"), job("b"), job("y", "two"), job("z", "two"))
    assert shown_single(server, Chosen()).id == "b"
    assert shown_single(server, Chosen(single_job="a")).id == "a"
    assert shown_single(server, Chosen(single_job="forgotten")).id == "b"
    assert shown_single(view(), Chosen()) is None
    assert [j.id for j in shown_batch(server, Chosen())] == ["y", "z"]
    assert [j.id for j in shown_batch(server, Chosen(batch="one"))] == ["x"]
    assert shown_batch(view(job("a")), Chosen()) == []


def test_only_what_changed_is_sent():
    panels = [Panel(None, lambda v, c: "same"), Panel(None, lambda v, c: str(len(v.jobs)))]
    shown, updates = refresh(panels, view(), Chosen(), [])
    assert updates == ["same", "0"]
    shown, updates = refresh(panels, view(job("a")), Chosen(), shown)
    assert updates == [gr.skip(), "1"]
    assert refresh(panels, view(job("a")), Chosen(), shown)[1] == [gr.skip(), gr.skip()]


def test_every_word_has_both_languages():
    for words in [*LABELS.values(), *STAGE.values(), *STATUS.values()]:
        assert words.zh and words.en
    assert bilingual(STATUS[JobStatus.DONE]).count("<span") == 2


def test_durations():
    assert [duration(s) for s in (0, 59.6, 75, 3661)] == ["0:00", "1:00", "1:15", "1:01:01"]
