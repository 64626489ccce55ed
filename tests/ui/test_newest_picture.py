"""What a running job draws, from the queue's thread to a browser; nothing of it is left when the job ends."""

from pathlib import Path
from threading import Event

import pytest
from fastapi import FastAPI
from sample_jobs import running
from starlette.testclient import TestClient

from heygem.errors import Text
from heygem.jobs.job import JobProgress, JobRequest, JobResult
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.pipeline.progress import Stage
from heygem.ui.job_view import job_result
from heygem.ui.results import serve_results

FILE = Path(__file__)


@pytest.fixture
def drawn(tmp_path):
    """A job that shows two frames at once and goes on when it is told to: the queue, the events and what it made."""
    has_drawn, goes_on = Event(), Event()
    made = []

    def run(job, progress):
        for number in (1, 2):
            progress.show(lambda: made.append(number) or b"jpeg %d" % number)  # noqa: B023 - called at once or never
            progress.tick(Stage.DRAWING, number, 2)
        has_drawn.set()
        assert goes_on.wait(30)
        return JobResult(tmp_path / "result.mp4", None, Text("", ""))

    watchdog = Watchdog(stall_s=600, on_stall=lambda job_id, error: None)
    queue = TaskQueue(watchdog.watched(run), outputs_dir=tmp_path)
    yield queue, has_drawn, goes_on, made
    goes_on.set()
    queue.close()


def test_the_newest_picture_is_served_while_the_job_runs(drawn):
    queue, has_drawn, goes_on, made = drawn
    app = FastAPI()
    serve_results(app, queue)
    browser = TestClient(app)
    job, waiting = (queue.submit(JobRequest(FILE, FILE)) for _ in range(2))
    assert browser.get(f"/results/{job.id}/newest.jpg").status_code == 204
    queue.start()
    assert has_drawn.wait(30)
    answer = browser.get(f"/results/{job.id}/newest.jpg")
    assert (answer.content, answer.headers["content-type"]) == (b"jpeg 1", "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert made == [1], "a second picture within a second"
    assert queue.get(job.id).progress.pictures == 1
    assert browser.get(f"/results/{waiting.id}/newest.jpg").status_code == 204
    queue.cancel(waiting.id)
    goes_on.set()
    assert queue.wait(job.id, 30).status == "done"
    assert browser.get(f"/results/{job.id}/newest.jpg").status_code == 204


def test_the_page_asks_for_each_picture_once():
    def html(pictures):
        return job_result(running(JobProgress(Stage.DRAWING, 50, 100, pictures=pictures)))

    assert 'src="results/0123456789ab/newest.jpg?n=3"' in html(3) and html(3) != html(4)
    assert 'alt="刚刚绘制的画面 / Newest drawn frame"' in html(3)
    assert "newest.jpg" not in html(0) and "hg-empty" in html(0)
