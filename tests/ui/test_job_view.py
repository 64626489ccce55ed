import re
from dataclasses import replace

import pytest
from sample_jobs import ESCAPED, HOSTILE, done, failed, job, running

from heygem.errors import NOTHING, Text
from heygem.jobs.job import JobError, JobProgress, JobStatus
from heygem.pipeline.progress import Stage
from heygem.ui.job_view import job_card, job_result, player, state_pill


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


def test_screen_readers_are_told_the_state_and_nothing_that_changes_all_the_time():
    one, next_ = (job_card(running(JobProgress(Stage.DRAWING, at, 100, 12.5, 66.0)), 103.0 + at) for at in (25, 26))
    told = re.compile('<span role="status">(.*?)</div>')
    assert one != next_ and told.findall(one) == told.findall(next_)
    assert "Running" in told.findall(one)[0] and "Done" in told.findall(job_card(done(), 3.0))[0]
    assert told.findall(job_card(None, 3.0)) == ["</span>"]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.INTERRUPTED])
def test_a_job_that_ended_without_a_video_neither_runs_nor_promises_one(status):
    ended = job(status, progress=JobProgress(Stage.TRACKING, 25, None), started_s=1.0, ended_s=2.0)
    html = job_card(ended, now_s=3.0)
    assert html.count('<li class="stopped">') == 1 and '<li class="current">' not in html
    assert html.count('<li class="done">') == 2
    assert "This job made no video" in (html := job_result(ended)) and "这个任务没有生成视频" in html
    assert "will play here" in job_result(running()) and "will play here" in job_result(None)


def test_a_waiting_job_shows_its_position():
    assert "排队第</span>" in (html := job_card(job(JobStatus.QUEUED, position=3), now_s=0)) and " 3<" in html


def test_a_waiting_job_shows_when_it_will_be_done_if_that_is_known():
    assert (
        "done in about" in (html := job_card(job(JobStatus.QUEUED, position=3, eta_s=75.0), now_s=0)) and "1:15" in html
    )
    assert "done in about" not in job_card(job(JobStatus.QUEUED, position=3), now_s=0)


def test_a_result_is_played_downloaded_and_says_what_made_it():
    html = job_result(done())
    assert '<video controls playsinline preload="auto" src="results/0123456789ab/result.mp4">' in html
    assert 'href="results/0123456789ab/result.mp4?download=1"' in html
    assert "引擎 &lt;i&gt;" in html and "Engine &lt;i&gt;" in html


@pytest.mark.parametrize("other", [None, failed(), job(JobStatus.QUEUED, position=1)])
def test_without_a_result_there_is_no_player(other):
    assert "<video" not in job_result(other)


def test_names_are_escaped():
    for html in (job_card(running(name=HOSTILE), 0), player(done(name=HOSTILE), "play")):
        assert "<script" not in html and ESCAPED in html


def test_what_was_picked_from_a_grid_is_played_and_can_be_put_away():
    html = player(done(), "show")
    assert "<video controls" in html and 'data-act="show" data-job=""' in html and "关闭播放器 / Close player" in html
    assert player(None, "show") == player(failed(), "show") == ""


def test_the_server_is_at_work_while_a_job_runs():
    assert "busy" in state_pill([done(), running()]) and "idle" in state_pill([done()])


def test_a_job_without_a_hint_shows_no_empty_one():
    error = JobError("internal", Text("内部", "Internal"), NOTHING)
    assert "hg-hint" not in job_card(job(JobStatus.FAILED, error=error), 0)


def test_a_preview_says_which_seconds_it_shows():
    whole = done()
    assert "hg-part" not in job_result(whole)
    html = job_result(replace(whole, result=replace(whole.result, part_s=(12.0, 17.04))))
    assert "第 12.0 至 17.0 秒" in html and "seconds 12.0 to 17.0 of the result" in html
