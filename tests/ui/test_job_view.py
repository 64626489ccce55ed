from pathlib import Path

import pytest

from heygem.errors import NOTHING, Text
from heygem.jobs.job import Job, JobError, JobProgress, JobRequest, JobResult, JobStatus
from heygem.pipeline.progress import Stage
from heygem.ui.job_view import batch_card, batch_table, job_card, job_result, queue_card, state_pill

HOSTILE = "<script>alert(1)</script> \"x\" 'y' & {{value}} ${1+1}.mp4"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt; &quot;x&quot; &#x27;y&#x27; &amp; {{value}} ${1+1}.mp4"


def job(status, job_id="0123456789ab", name="clip.mp4", **more):
    request = JobRequest(Path("/out/clip"), Path("/out/speech"), video_name=name, audio_name=name)
    return Job(job_id, request, status, queued_s=0.0, **more)


def failed(**more):
    error = JobError("no_face", Text("没有人脸 <b>", "No face <b>"), Text("换一段", "Use another"))
    return job(JobStatus.FAILED, error=error, started_s=1.0, ended_s=2.0, **more)


def done(**more):
    result = JobResult(Path("/out/result.mp4"), None, Text("引擎 <i>", "Engine <i>"))
    return job(JobStatus.DONE, result=result, started_s=10.0, ended_s=85.0, **more)


def running(progress, **more):
    return job(JobStatus.RUNNING, progress=progress, started_s=100.0, **more)


def test_a_running_job_shows_stage_frames_rate_and_time_left():
    html = job_card(running(JobProgress(Stage.DRAWING, 25, 100, 12.5, 66.0)), now_s=103.0)
    assert 'aria-valuenow="25"' in html and "width:25.0%" in html
    assert "25/100" in html and ">12.5<" in html and ">1:06<" in html and "0:03" in html
    assert html.count('<li class="done">') == 3 and html.count('<li class="current">') == 1


def test_a_stage_of_unknown_length_shows_no_share():
    html = job_card(running(JobProgress(Stage.TRACKING, 25, None)), now_s=103.0)
    assert 'role="progressbar"' in html and "aria-valuenow" not in html


def test_a_failed_job_shows_sentence_and_hint_in_both_languages():
    html = job_card(failed(), now_s=3.0)
    for words in ("没有人脸 &lt;b&gt;", "No face &lt;b&gt;", "换一段", "Use another"):
        assert words in html


def test_a_waiting_job_shows_its_position():
    assert "排队第</span>" in (html := job_card(job(JobStatus.QUEUED, position=3), now_s=0)) and " 3<" in html


def test_a_waiting_job_shows_when_it_will_be_done_if_that_is_known():
    assert (
        "done in about" in (html := job_card(job(JobStatus.QUEUED, position=3, eta_s=75.0), now_s=0)) and "1:15" in html
    )
    assert "done in about" not in job_card(job(JobStatus.QUEUED, position=3), now_s=0)


def test_an_interrupted_job_says_why():
    error = JobError("interrupted", Text("中断 <b>", "Interrupted <b>"), NOTHING)
    html = queue_card([job(JobStatus.INTERRUPTED, error=error, ended_s=1.0)], now_s=2.0)
    assert "Interrupted &lt;b&gt;" in html and 'data-code="interrupted"' in html


def test_the_queue_says_why_it_waits():
    html = queue_card([job(JobStatus.QUEUED, position=1)], 0.0, Text("磁盘已满 <b>", "The disk is full <b>"))
    assert "磁盘已满 &lt;b&gt;" in html and "The disk is full &lt;b&gt;" in html
    assert "disk" not in queue_card([], 0.0)


def test_a_result_is_played_downloaded_and_says_what_made_it():
    html = job_result(done())
    assert '<video controls playsinline preload="auto" src="results/0123456789ab/result.mp4">' in html
    assert 'href="results/0123456789ab/result.mp4?download=1"' in html
    assert "引擎 &lt;i&gt;" in html and "Engine &lt;i&gt;" in html


@pytest.mark.parametrize("other", [None, failed(), job(JobStatus.QUEUED, position=1)])
def test_without_a_result_there_is_no_player(other):
    assert "<video" not in job_result(other)


def test_a_batch_counts_what_ended_and_names_what_runs():
    jobs = [done(), failed(), running(JobProgress(Stage.DRAWING, 1, 2), name="third.mp4"), job(JobStatus.QUEUED)]
    html = batch_card(jobs, now_s=101.0)
    assert ">2/4<" in html and "third.mp4" in html
    assert 'aria-valuenow="62"' in html  # (1 + 1 + 0.5 + 0) / 4
    for status in ("done", "failed", "running", "queued"):
        assert f'class="hg-chip {status}"' in html


def test_a_batch_table_offers_what_each_job_allows():
    html = batch_table([done(), failed(), job(JobStatus.QUEUED, position=1)], now_s=0)
    rows = html.split("<tr ")[1:]
    assert 'data-act="play"' in rows[0] and "download=1" in rows[0] and 'data-act="cancel"' not in rows[0]
    assert "No face" in rows[1] and 'data-code="no_face"' in rows[1] and "data-act" not in rows[1]
    assert 'data-act="cancel"' in rows[2]


def test_the_queue_shows_the_running_first_and_the_last_ended_first():
    jobs = [
        done(job_id="old"),
        job(JobStatus.QUEUED, job_id="waits", position=1),
        running(None, job_id="runs"),
        job(JobStatus.CANCELLED, job_id="new", ended_s=90.0),
    ]
    html = queue_card(jobs, now_s=100.0)
    order = [html.index(f'<li data-job="{name}"') for name in ("runs", "waits", "new", "old")]
    assert order == sorted(order)
    assert "busy" in state_pill(jobs) and "idle" in state_pill([])


@pytest.mark.parametrize("draw", [lambda j: job_card(j, 0), lambda j: batch_card([j], 0), lambda j: queue_card([j], 0)])
def test_names_are_escaped(draw):
    html = draw(running(None, name=HOSTILE))
    assert "<script" not in html and ESCAPED in html


def test_names_are_escaped_in_tables():
    html = batch_table([running(None, name=HOSTILE), done(name=HOSTILE), failed(name=HOSTILE)], 0)
    assert "<script" not in html and html.count(ESCAPED) == 6


def test_a_job_without_a_hint_shows_no_empty_one():
    error = JobError("internal", Text("内部", "Internal"), NOTHING)
    assert "hg-hint" not in job_card(job(JobStatus.FAILED, error=error), 0)
