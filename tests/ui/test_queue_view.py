import pytest
from sample_jobs import ESCAPED, HOSTILE, ID, done, failed, job, running, waiting

from heygem.errors import NOTHING, Text
from heygem.jobs.job import JobError, JobStatus
from heygem.ui.job_parts import Refusal
from heygem.ui.queue_view import queue_card


def acts(html, job_id=ID):
    """Names of the actions that a row offers."""
    [row] = [part for part in html.split("<li ")[1:] if part.startswith(f'data-job="{job_id}"')]
    return [part.split('"')[0] for part in row.split('data-act="')[1:]]


@pytest.mark.parametrize(
    ("one", "offered"),
    [
        (running(), ["cancel"]),
        (waiting(1), ["cancel"]),
        (waiting(2), ["front", "cancel"]),
        (done(), ["delete"]),
        (failed(), ["retry", "delete"]),
        (job(JobStatus.CANCELLED), ["retry", "delete"]),
        (job(JobStatus.INTERRUPTED), ["retry", "delete"]),
    ],
    ids=lambda value: value.status if hasattr(value, "status") else "-".join(value),
)
def test_a_row_offers_what_its_job_allows(one, offered):
    html = queue_card([one], now_s=200.0)
    assert acts(html) == offered
    assert ("result.mp4?download=1" in html) is (one.status is JobStatus.DONE)


def test_buttons_say_in_both_languages_what_they_do_to_which_job():
    html = queue_card([waiting(2, name=HOSTILE)], 0)
    assert f'aria-label="移到最前 / Move to front: {ESCAPED}"' in html
    assert f'aria-label="取消 / Cancel: {ESCAPED}"' in html


def test_only_what_cannot_be_undone_asks_first():
    html = queue_card([failed(name=HOSTILE)], 0)
    assert html.count("data-ask-zh") == html.count("data-ask-en") == 1
    assert f'data-ask-zh="删除“{ESCAPED}”及其结果？' in html and f'data-ask-en="Delete “{ESCAPED}”' in html


def test_a_refusal_stands_in_the_row_that_it_belongs_to():
    refusal = Refusal("second", Text("不行 <b>", "Not now <b>"), Text("等等", "Wait"))
    rows = queue_card([failed(), failed(job_id="second")], 0, refusal=refusal).split("<li ")[1:]
    assert ["Not now &lt;b&gt;" in row and "Wait" in row and 'role="alert"' in row for row in rows] == [False, True]


def test_an_interrupted_job_says_why():
    error = JobError("interrupted", Text("中断 <b>", "Interrupted <b>"), NOTHING)
    html = queue_card([job(JobStatus.INTERRUPTED, error=error, ended_s=1.0)], now_s=2.0)
    assert "Interrupted &lt;b&gt;" in html and 'data-code="interrupted"' in html


def test_the_queue_says_why_it_waits():
    html = queue_card([waiting()], 0.0, Text("磁盘已满 <b>", "The disk is full <b>"))
    assert "磁盘已满 &lt;b&gt;" in html and "The disk is full &lt;b&gt;" in html
    assert "disk" not in queue_card([], 0.0)


def test_first_comes_what_runs_then_what_waits_in_order_then_the_last_ended():
    jobs = [
        done(job_id="old"),
        waiting(2, job_id="waits"),
        waiting(1, job_id="is-next"),
        running(job_id="runs"),
        job(JobStatus.CANCELLED, job_id="new", ended_s=90.0),
    ]
    html = queue_card(jobs, now_s=100.0)
    order = [html.index(f'<li data-job="{name}"') for name in ("runs", "is-next", "waits", "new", "old")]
    assert order == sorted(order)


def test_names_are_escaped():
    html = queue_card([running(name=HOSTILE), waiting(name=HOSTILE), done(name=HOSTILE)], 0)
    assert "<script" not in html and ESCAPED in html
