"""The real server on a port of its own, with a worker that makes a result of ten bytes, and what a browser sends it."""

import re
import socket
import threading
import time
from pathlib import Path

import uvicorn

from heygem.errors import DownloadError, NoFaceError, Text
from heygem.jobs.disk_guard import DiskGuard
from heygem.jobs.job import JobResult
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.settings import Settings
from heygem.ui.blocks import build_app
from heygem.ui.events import CLEAR_JS
from heygem.ui.health import Health
from heygem.ui.models_view import ModelControls, Room
from heygem.ui.panel import MARKS_JS
from heygem.ui.preflight_desk import PreflightDesk
from heygem.weights.download_desk import DownloadDesk

DATA = Path(__file__).resolve().parents[1] / "data"
CLIP, SPEECH = DATA / "presenter.mp4", DATA / "golden" / "speechlike_16k_4s.wav"


class Server:
    def __init__(self, folder, **choices):
        self.outputs, self.cache = folder / "outputs", folder / "cache"
        self.log, self.asked = folder / "run.log", []
        folders = {"outputs_dir": self.outputs, "cache_dir": self.cache, "models_dir": folder / "models"}
        settings = Settings(**folders, log_file=self.log, **choices)

        def run(job, progress):
            (self.outputs / job.id / "result.mp4").write_bytes(b"0123456789")
            (self.outputs / job.id / "secret.txt").write_text("secret")
            return JobResult(self.outputs / job.id / "result.mp4", None, Text("", ""))

        self.queue = TaskQueue(run, outputs_dir=self.outputs)
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        watchdog = Watchdog(stall_s=600, on_stall=self.queue.give_up)
        health = Health(self.queue, list, DiskGuard(self.outputs, 0), watchdog)
        desk = PreflightDesk(lambda clip, speech: (None, None), self.report)
        controls = ModelControls(
            lambda: self.asked.append("warm up"),
            lambda: self.asked.append("unload"),
            lambda: Room(3 * 10**9, 10**10),
            DownloadDesk(settings.models_dir, self.fetch),
        )
        self.app = build_app(settings, self.queue, list, list, health, desk, controls)
        self.server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, timeout_graceful_shutdown=1))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listener]})
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def fetch(self, checkpoint, models_dir, watch):
        watch(0, checkpoint.bytes)
        if checkpoint.name == "gfpgan":
            raise DownloadError(Text("连不上。", "Not reached."), hint=Text("请检查网络。", "Check the network."))
        models_dir.mkdir(exist_ok=True)
        (models_dir / checkpoint.filename).touch()

    def report(self, clip, speech, options):
        raise NoFaceError(Text("没有人脸。", "No face."))

    def close(self):
        self.server.should_exit = True
        self.thread.join(10)


def upload(http, name, content):
    [path] = http.post("/gradio_api/upload", files={"files": (name, content)}).json()
    return path


def file_data(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def generate(http, speech, clip):
    """What the Generate button sends; the event's raw answer."""
    config = http.get("/config").json()
    by_id = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
    event = next(d for d in config["dependencies"] if d["targets"] and d["targets"][0][0] == by_id["single-generate"])
    values = {part["id"]: part["props"].get("value") for part in config["components"]}
    data = [values.get(number) for number in event["inputs"]]
    data[1:3] = [speech, clip]
    body = {"data": data, "fn_index": event["id"], "session_hash": "test"}
    return http.post("/gradio_api/run/predict", json=body)


class Page:
    """One browser tab, by the ids of what is on it."""

    def __init__(self, http, session):
        self.http, self.session = http, session
        config = http.get("/config").json()
        self.ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        self.events = config["dependencies"]
        self.props = {part["id"]: part["props"] for part in config["components"]}

    def open(self, storage_key, remembered=""):
        """What a page that opens makes of an id that its browser remembers: the id, the fields, what is drawn."""
        [kept] = [number for number, props in self.props.items() if props.get("storage_key") == storage_key]
        [begin] = [one for one in self.events if kept in one["inputs"]]
        self.props[kept] = {"value": remembered}
        _, remembered, *fields = self.send(begin, {}, None)
        then = self.after(begin)
        names = {number: name for name, number in self.ids.items()}
        shown = self.send(then, {}, None)
        return (
            remembered,
            fields,
            {names.get(number): html for number, html in zip(then["outputs"], shown, strict=True)},
        )

    def trigger(self, elem_id, event, values=None, data=None):
        """Trigger an event and the drawing that follows it; what the tab shows by element, None where it is left."""
        first, values = self.event_of(elem_id, event), dict(values or {})
        names = {number: name for name, number in self.ids.items()}
        if not first["backend_fn"]:  # the page moves what was given to another part itself
            values[names[first["outputs"][0]]] = values.pop(elem_id)
            first = self.after(first)
        then = self.after(first)
        self.send(first, values, data)
        shown = self.send(then, {}, None)
        return {
            names.get(number): None if isinstance(html, dict) else html
            for number, html in zip(then["outputs"], shown, strict=True)
        }

    def event_of(self, elem_id, event):
        at = (one for one in self.events if [self.ids[elem_id], event] in one["targets"])
        [found] = [one for one in at if one["js"] != CLEAR_JS]
        return found

    def after(self, event):
        [then] = [one for one in self.events if one["trigger_after"] == event["id"]]
        return then

    def send(self, event, values, data):
        given = {self.ids[name]: value for name, value in values.items()}
        sent = [given.get(number, self.props[number].get("value")) for number in event["inputs"]]
        if event["js"] == MARKS_JS:
            marks = [re.search("<!--(-?[0-9]+)-->$", str(html)) for html in sent]
            sent = [mark[1] if mark else "" for mark in marks]
        body = {"data": sent, "fn_index": event["id"], "session_hash": self.session, "event_data": data}
        answer = self.http.post("/gradio_api/run/predict", json=body)
        assert answer.status_code == 200, answer.text
        outputs = dict(zip(event["outputs"], answer.json()["data"], strict=True))
        if event["js"] == MARKS_JS:
            for number, html in outputs.items():
                if not isinstance(html, dict):
                    self.props[number]["value"] = html
        return list(outputs.values())
