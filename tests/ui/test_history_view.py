import time

from sample_jobs import ESCAPED, HOSTILE, done, failed, waiting

from heygem.errors import Text
from heygem.jobs.job import JobStatus
from heygem.jobs.job_history import HistoryPage, HistoryQuery
from heygem.ui.history_view import PAGE_JOBS, HistoryLook, history_list
from heygem.ui.job_parts import Refusal

NOON = time.mktime((2026, 3, 2, 12, 0, 0, 0, 0, -1))


def draw(*jobs, total=None, refusal=None, **look):
    return history_list(HistoryPage(list(jobs), len(jobs) if total is None else total), HistoryLook(**look), refusal)


def test_days_begin_at_midnight():
    assert HistoryLook().query(NOON) == HistoryQuery()
    today, week = (HistoryLook("x", JobStatus.DONE, days).query(NOON) for days in (1, 7))
    assert today == HistoryQuery("x", (JobStatus.DONE,), NOON - 12 * 3600)
    assert time.localtime(week.since_s)[:5] == (2026, 2, 24, 0, 0)
    assert today == HistoryLook("x", JobStatus.DONE, 1).query(
        NOON + 60
    )  # so that it is asked once and not every second


def test_nothing_found_is_not_nothing_there():
    assert "还没有任务" in draw() and "No jobs yet" in draw()
    assert "No job fits" in draw(words="x") and "No job fits" in draw(days=1)
    assert "No job fits" in draw(state=JobStatus.DONE)


def test_an_ended_job_can_be_selected_and_deleted_after_a_question():
    html = draw(done(), failed(job_id="f"), waiting(job_id="w"), selected=frozenset({"f"}))
    first, second, third = html.split("<article ")[1:]
    assert 'data-act="select" data-job="0123456789ab"' in first and "data-ask-en" in first
    assert 'data-act="unselect" data-job="f" checked' in second
    assert "checkbox" not in third.split("</article>")[0] and 'data-act="delete"' not in third
    assert 'data-act="delete-selected"' in html and "Delete the 1 selected jobs" in html
    assert 'data-act="select-page" data-job="0123456789ab f"' in html
    assert "delete-selected" not in draw(done())


def test_a_failed_job_is_run_again_and_a_done_one_says_why_not():
    html = draw(done())
    assert "disabled" in html and "A finished job&#x27;s uploads are deleted" in html and 'data-act="retry"' not in html
    assert 'data-act="retry"' in draw(failed())


def test_pages_are_turned_as_far_as_they_go():
    assert "hg-pager" not in draw(done(), total=PAGE_JOBS)
    first = draw(done(), total=PAGE_JOBS + 1)
    assert 'data-act="page" data-job="1">' in first and 'data-job="-1" disabled' in first and "1 / 2" in first
    assert 'data-act="page" data-job="2" disabled' in draw(done(), total=PAGE_JOBS + 1, page=1)


def test_refusals_stand_where_they_belong():
    assert (
        "Not now" in draw(failed(), refusal=Refusal("0123456789ab", Text("不行", "Not now"))).partition("<article")[2]
    )
    assert "Not now" in draw(failed(), refusal=Refusal("", Text("不行", "Not now"))).partition("<article")[0]


def test_names_are_escaped():
    html = draw(done(name=HOSTILE), failed(name=HOSTILE))
    assert "<script" not in html and ESCAPED in html
