"""What supervisors and Prometheus are answered, over HTTP, with a real queue."""

import errno
import os
import time

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from heygem.errors import NoFaceError, QueueError, Text
from heygem.jobs.disk_guard import DiskGuard
from heygem.jobs.executors import ActorRow
from heygem.jobs.job import JobRequest, JobResult
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.pipeline.progress import Stage
from heygem.ui.health import Health
from heygem.ui.models_view import ModelRow

pytestmark = pytest.mark.filterwarnings("default")
SECRET = "secret holiday"


class House:
    def __init__(self, folder):
        self.clip, self.free = folder / f"{SECRET}.mp4", 10**12
        self.clip.write_bytes(b"clip")
        self.watchdog = Watchdog(stall_s=600, on_stall=lambda job_id, error: None)
        self.queue = TaskQueue(self.watchdog.watched(self.run), outputs_dir=folder / "outputs")
        self.models = [
            ModelRow("lips/demo", "cuda:0/fp16", True, 5.0, 1, 7),
            ModelRow("parser/x", "cpu", False, 9.0, 2, 0),
        ]
        disk = DiskGuard(folder, 2000, free_bytes=lambda folder: self.free_bytes())
        app = FastAPI()
        Health(self.queue, lambda: self.models, disk, self.watchdog).serve(app)
        self.http = TestClient(app)

    def free_bytes(self):
        if self.free is None:
            raise OSError(errno.EIO, os.strerror(errno.EIO), SECRET)
        return self.free

    def run(self, job, progress):
        if "bad" in job.request.audio_name:
            raise NoFaceError(Text("没有人脸", "no face"))
        progress.tick(Stage.DRAWING, 0, 12)
        progress.tick(Stage.DRAWING, 12, 12)
        return JobResult(self.queue._outputs_dir / job.id / "result.mp4", None, Text("", ""))

    def submit(self, speech_name="speech.wav"):
        self.queue.submit(JobRequest(self.clip, self.clip, audio_name=speech_name))

    def metrics(self):
        answer = self.http.get("/metrics")
        assert answer.status_code == 200 and SECRET not in answer.text
        samples = (sample for family in text_string_to_metric_families(answer.text) for sample in family.samples)
        return {(sample.name, *sorted(sample.labels.values())): sample.value for sample in samples}


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.queue.close(0)


def test_the_process_says_that_it_lives(house):
    house.free = None
    assert house.http.get("/healthz").json() == {"ok": True}


def test_it_is_ready_while_a_job_would_run(house):
    house.queue.start()
    answer = house.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


def test_it_is_not_ready_without_a_worker(house):
    answer = house.http.get("/readyz")
    assert answer.status_code == 503 and "worker" in answer.json()["reasons"][0]


def test_it_is_not_ready_while_it_stops(house):
    house.queue.start()
    house.queue.stop(10)
    assert house.http.get("/readyz").status_code == 503


def test_it_is_not_ready_without_space(house):
    house.queue.start()
    for house.free in (1999, None):
        answer = house.http.get("/readyz")
        assert answer.status_code == 503 and len(answer.json()["reasons"]) == 1
        assert SECRET not in answer.text


def test_it_is_not_ready_when_the_queue_cannot_be_written(house, monkeypatch):
    house.queue.start()

    def refuse():
        raise QueueError(Text(SECRET, SECRET))

    monkeypatch.setattr(house.queue.store, "check_writable", refuse)
    answer = house.http.get("/readyz")
    assert answer.status_code == 503 and len(answer.json()["reasons"]) == 1
    assert SECRET not in answer.text


def test_the_numbers_are_those_of_the_queue_the_models_and_the_disk(house):
    for name in ("one.wav", "bad.wav", "two.wav", "three.wav"):
        house.submit(name)
    for _ in range(3):
        house.queue.run_next()
    found = house.metrics()
    states = {key[1]: value for key, value in found.items() if key[0] == "heygem_jobs"}
    assert states == {"queued": 1, "running": 0, "done": 2, "failed": 1, "cancelled": 0, "interrupted": 0}
    assert found["heygem_queue_length",] == 1
    assert found["heygem_frames_drawn_total",] == 24 and found["heygem_frames_per_second",] == 0
    assert found["heygem_model_loads_total", "cuda:0/fp16", "lips/demo"] == 1
    assert found["heygem_model_hits_total", "cuda:0/fp16", "lips/demo"] == 7
    assert found["heygem_model_bytes", "cuda:0/fp16", "lips/demo"] == 5_000_000
    assert found["heygem_model_bytes", "cpu", "parser/x"] == 0
    assert found["heygem_disk_free_bytes",] == 10**12
    assert found["heygem_threads",] >= 1
    assert found["process_resident_memory_bytes",] > 1e6 and found["process_open_fds",] > 3
    assert found["process_start_time_seconds",] < time.time() + 60


def test_a_disk_that_is_gone_takes_no_other_number_with_it(house):
    house.free = None
    found = house.metrics()
    assert found["heygem_disk_free_bytes",] != found["heygem_disk_free_bytes",]
    assert found["heygem_queue_length",] == 0


def test_two_servers_in_one_process_keep_their_numbers_apart(house, tmp_path):
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other")
    house.submit()
    assert house.metrics()["heygem_queue_length",] == 1
    assert other.metrics()["heygem_queue_length",] == 0
    other.queue.close(0)


def test_the_workers_of_a_cluster_are_counted_where_there_is_one(house, monkeypatch):
    assert not [name for name, *_ in house.metrics() if name.startswith("heygem_actor")]
    rows = [
        ActorRow("10.0.0.1", "cuda", "busy", "abc", ("lips/demo", "detector/haar"), 7),
        ActorRow("10.0.0.2", "cpu", "refused", refused=Text("旧", "old")),
    ]
    monkeypatch.setattr(house.queue, "actors", lambda: rows)
    found = house.metrics()
    states = {key[1]: value for key, value in found.items() if key[0] == "heygem_actors"}
    assert states == {"busy": 1, "warm": 0, "cold": 0, "refused": 1}
    assert found["heygem_actor_jobs_total", "0", "10.0.0.1", "cuda"] == 7
    assert found["heygem_actor_models", "0", "10.0.0.1", "cuda"] == 2
