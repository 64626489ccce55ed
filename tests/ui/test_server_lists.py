"""The history and the ZIP over HTTP, as a browser asks for them."""

import io
from zipfile import ZipFile

import pytest
from live_server import CLIP, SPEECH, Page

from heygem.jobs.job import JobRequest

pytestmark = pytest.mark.filterwarnings("default")


def submit(server, *names):
    jobs = server.queue.submit_batch([JobRequest(CLIP, SPEECH, video_name=name) for name in names])
    while server.queue.run_next():
        pass
    return jobs


def test_the_history_is_searched_played_and_cleared(server, http):
    one, two = submit(server, "first 片段.mp4", "second.mp4")
    page = Page(http, "history")
    words = {"history-search": "片段", "history-state": "done", "history-date": "today"}
    shown = page.trigger("history-search", "change", words)["history-list"]
    assert one.id in shown and two.id not in shown
    shown = page.trigger("history-list", "click", data={"act": "show", "job": one.id})
    assert f"results/{one.id}/result.mp4" in shown["history-player"]
    assert page.trigger("history-list", "click", data={"act": "select", "job": one.id})["history-player"] is None
    shown = page.trigger("history-list", "click", data={"act": "delete-selected", "job": ""})
    assert "No job fits" in shown["history-list"] and shown["history-player"] == ""
    assert http.get(f"/results/{one.id}/result.mp4").status_code == 404
    shown = page.trigger("history-state", "change", {"history-state": "failed", "history-date": "any_date"})
    assert shown["history-list"] is None  # no job fits this either: the page is left as it is
    assert two.id in page.trigger("history-date", "change", {"history-date": "days_7"})["history-list"]
    # A page behind the last one is the last one.
    assert page.trigger("history-list", "click", data={"act": "page", "job": "9"})["history-list"] is None


def test_a_batch_is_downloaded_as_one_file(server, http):
    jobs = submit(server, "a.mp4", "a.mov")
    answer = http.get(f"/batches/{jobs[0].batch_id}/results.zip")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert "2of2.zip" in answer.headers["content-disposition"]
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["a.mp4", "a (2).mp4", "results.txt"]
    assert http.get("/batches/none/results.zip").status_code == 404


def test_gradio_does_not_look_all_the_time_for_events_that_are_never_queued(server):
    app = server.server.config.app
    [page] = [route.app.get_blocks() for route in app.routes if hasattr(getattr(route, "app", None), "get_blocks")]
    assert not any(event.queue for event in page.fns.values())
    assert page._queue.sleep_when_free >= 0.5 and page._queue.progress_update_sleep_when_free >= 0.5
