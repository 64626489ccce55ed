"""The log, the models, and which of the server's jobs a browser tab looks at."""

import re
from dataclasses import replace
from pathlib import Path

import gradio as gr

from heygem.errors import Text
from heygem.jobs.executors import ActorRow
from heygem.jobs.job import Job, JobRequest, JobResult, JobStatus
from heygem.jobs.run_log import LogLine
from heygem.pipeline.options import RenderOptions
from heygem.ui.compare_view import compare_card
from heygem.ui.html_parts import bilingual, duration
from heygem.ui.log_view import log_head, log_line_of, log_tail
from heygem.ui.models_view import ModelRow, Room, models_card
from heygem.ui.panel import Chosen, Panel, View, refresh, shown_batch, shown_single
from heygem.ui.text import LABELS, STAGE, STATUS


def job(job_id, batch_id=None):
    return Job(job_id, JobRequest(Path("clip"), Path("speech")), JobStatus.QUEUED, 0.0, batch_id)


def view(*jobs):
    return View(jobs, [], [], 0.0)


def test_log_lines_are_escaped():
    html = log_tail([LogLine(1, 0.0, "INFO", "abc", "<img src=x onerror=alert(1)>")])
    assert "<img" not in html and "&lt;img" in html and ">abc<" in html


def test_a_log_line_can_be_hidden_by_level_and_by_job():
    html = log_tail([LogLine(1, 0.0, "WARNING", "abc", "low")])
    assert '<span class="line WARNING" data-job="abc">' in html
    head = log_head()
    assert head.count("<select") == 2 and 'href="log"' in head and 'data-zh="只看错误" data-en="Errors"' in head


def test_the_line_that_matters_is_the_last_complaint_of_the_job():
    lines = [LogLine(n, 0.0, level, job_id, f"<{n}>") for n, (level, job_id) in enumerate(
        [("WARNING", "b"), ("WARNING", "a"), ("ERROR", "a"), ("INFO", "a"), ("INFO", "b"), ("INFO", "c")]
    )]  # fmt: skip
    assert "&lt;2&gt;" in log_line_of("a", lines) and "ERROR" in log_line_of("a", lines)
    assert "&lt;0&gt;" in log_line_of("b", lines)
    assert log_line_of("c", lines) == log_line_of("d", lines) == ""


def test_models_say_how_long_they_took_and_rest():
    def row(**changes):
        return models_card([replace(ModelRow("a", "cpu", True, 5.4, 1, 7), **changes)])

    assert "loading took" not in row() and ">in use<" in row()
    assert "loading took</span> 2.3 s" in row(load_s=2.34)
    assert ">in use<" not in row(idle_s=59) and "idle" not in row(idle_s=59)
    assert "idle for</span> 2 min" in row(idle_s=179.9)
    assert "idle for" not in row(idle_s=179.9, is_resident=False)
    assert 'data-act="unload"' in row() and "disabled" not in row() and "disabled" in row(is_resident=False)


def test_the_room_left_is_shown():
    html = models_card([], disk=Room(10 * 10**9, 40 * 10**9))
    assert "Disk left</span></span><b>30.0 / 40 GB</b>" in html and "VRAM" not in html
    assert 'aria-valuenow="75" aria-valuetext="30.0 / 40 GB"><i style="width:75%">' in html  # what is left, as it says
    assert "VRAM left" in models_card([], vram=Room(1, 2))


def test_a_comparison_needs_a_result_and_its_clip():
    done = replace(
        job("a"), status=JobStatus.DONE, result=JobResult(Path("r.mp4"), None, Text("", "")),
        request=JobRequest(Path("c"), Path("s"), RenderOptions(extend="loop")),
    )  # fmt: skip
    clip = Path('/up/片 \'"1"?.mp4')
    html = compare_card(done, clip)
    assert html.count("<video") == 2 and 'data-extend="loop"' in html and "results/a/result.mp4" in html
    assert 'src="gradio_api/file=/up/%E7%89%87%20%27%221%22%3F.mp4"' in html
    assert 'data-start="0"' in html
    preview = replace(done, result=replace(done.result, part_s=(12.4, 17.4)))
    assert 'data-start="12.4"' in compare_card(preview, clip)
    assert compare_card(done, None) == compare_card(job("a"), clip) == compare_card(None, clip) == ""


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
    updates = refresh(panels, view(), Chosen(), ["", ""])
    same, count = (re.fullmatch("(.+)<!--(-?[0-9]+)-->", html).groups() for html in updates)
    assert (same[0], count[0]) == ("same", "0")
    unchanged, changed = refresh(panels, view(job("a")), Chosen(), [same[1], count[1]])
    assert unchanged == gr.skip() and changed.startswith("1<!--")
    # A page that was told late shows something older, and says so.
    assert refresh(panels, view(), Chosen(), [same[1], "5"]) == [gr.skip(), updates[1]]


def test_a_panel_is_emptied_once():
    panels = [Panel(None, lambda v, c: "")]
    assert refresh(panels, view(), Chosen(), ["7"]) == [""]
    assert refresh(panels, view(), Chosen(), [""]) == [gr.skip()]


def test_every_word_has_both_languages():
    for words in [*LABELS.values(), *STAGE.values(), *STATUS.values()]:
        assert words.zh and words.en
    assert bilingual(STATUS[JobStatus.DONE]).count("<span") == 2


def test_durations():
    assert [duration(s) for s in (0, 59.6, 75, 3661)] == ["0:00", "1:00", "1:15", "1:01:01"]


def test_the_workers_of_a_cluster_stand_below_the_models():
    rows = [
        ActorRow("10.0.0.1", "cuda", "busy", "abc123", ("lips/demo",), 7),
        ActorRow("<i>", "cpu", "refused", refused=Text("旧版本", "an older version")),
    ]
    html = models_card([], actors=rows)
    assert all(word in html for word in ("Cluster", "10.0.0.1", "abc123", "lips/demo", "at work", "</span> 7"))
    assert "an older version" in html and "旧版本" in html and "<i>" not in html
    assert "Cluster" not in models_card([])
