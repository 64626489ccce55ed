"""The history and the ZIP over HTTP, as a browser asks for them."""

import io
from zipfile import ZipFile

import pytest
from live_server import CLIP, SPEECH

from heygem.jobs.job import JobRequest

pytestmark = pytest.mark.filterwarnings("default")


class Page:
    """One browser tab, by the ids of what is on it."""

    def __init__(self, http, session):
        self.http, self.session = http, session
        config = http.get("/config").json()
        self.ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        self.events = config["dependencies"]
        self.props = {part["id"]: part["props"] for part in config["components"]}

    def trigger(self, elem_id, event, values=None, data=None):
        """Trigger an event and the drawing that follows it; what the tab shows by element, None where it is left."""
        target = [self.ids[elem_id], event]
        [first] = [one for one in self.events if target in one["targets"]]
        [then] = [one for one in self.events if one["trigger_after"] == first["id"]]
        self.send(first, values or {}, data)
        shown = self.send(then, {}, None)
        names = {number: name for name, number in self.ids.items()}
        return {
            names.get(number): None if isinstance(html, dict) else html
            for number, html in zip(then["outputs"], shown, strict=True)
        }

    def send(self, event, values, data):
        given = {self.ids[name]: value for name, value in values.items()}
        sent = [given.get(number, self.props[number].get("value")) for number in event["inputs"]]
        body = {"data": sent, "fn_index": event["id"], "session_hash": self.session, "event_data": data}
        answer = self.http.post("/gradio_api/run/predict", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


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


def test_a_batch_is_downloaded_as_one_file(server, http):
    jobs = submit(server, "a.mp4", "a.mov")
    answer = http.get(f"/batches/{jobs[0].batch_id}/results.zip")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert "2of2.zip" in answer.headers["content-disposition"]
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["a.mp4", "a (2).mp4", "results.txt"]
    assert http.get("/batches/none/results.zip").status_code == 404
