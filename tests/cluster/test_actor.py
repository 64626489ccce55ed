"""An actor without Ray: what it fetches, does, tells and leaves."""

from dataclasses import replace
from pathlib import Path

import pytest
from cut_store import CutStore
from waiting import wait_until

from heygem.cluster import actor as actor_module
from heygem.cluster.actor import ActorWorker, sweep
from heygem.cluster.messages import SharedSettings, Task
from heygem.jobs.job import Job, JobResult, JobStatus
from heygem.jobs.job_json import from_json, to_json
from heygem.jobs.process_identity import own_identity
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Stage
from heygem.settings import Settings


@pytest.fixture
def place(tmp_path, monkeypatch, request_for):
    monkeypatch.setenv("HEYGEM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HEYGEM_MODELS_DIR", str(tmp_path / "models"))
    return Place(tmp_path, request_for)


class Place:
    def __init__(self, folder, request_for):
        self.folder, self._request_for = folder, request_for
        self.store = folder / "store"
        self.actor = ActorWorker(SharedSettings.of(Settings()), "cpu", "stand_in_runner:make_runner")

    def task(self, words="3", run_id="run", **more):
        request = self._request_for(words)
        request = replace(request, options=RenderOptions(lips=more.get("speaker") or "demo"))
        inside = self.store / run_id / "in"
        inside.mkdir(parents=True)
        for path in (request.video, request.audio):
            (inside / path.name).write_bytes(path.read_bytes())
        job = Job("job1", request, JobStatus.RUNNING, 0.0)
        names = (request.video.name, request.audio.name)
        return Task(run_id, "job1", to_json(job, self.folder), names, f"file://{self.store}", **more)

    def ended(self, task):
        self.actor.begin(task)
        signs = []

        def has_ended():
            signs.append(self.actor.sign(task.key))
            return signs[-1].ended is not None

        wait_until(has_ended)
        return signs[-1], [line for sign in signs for _, line in sign.lines]

    def left(self):
        return sorted(str(path.relative_to(self.store)) for path in self.store.rglob("*") if path.is_file())


def test_it_leaves_results_in_the_store_and_nothing_on_its_disk(place):
    sign, lines = place.ended(place.task("3 words"))
    assert sign.ended.files == ("out/result.json", "out/result.mp4") and sign.ended.error is None
    assert (place.store / "run/out/result.mp4").read_text().startswith("3 words|speech 1|")
    result = from_json(JobResult, sign.ended.result, Path("/elsewhere"))
    assert result.output == Path("/elsewhere/result.mp4")
    assert "drawing 3 words" in lines
    (own,) = (place.folder / "cache" / "actors").iterdir()
    assert list(own.iterdir()) == []


def test_it_does_one_thing_at_a_time_and_stops_when_it_is_told(place):
    task = place.task("100000")
    place.actor.begin(task)
    place.actor.begin(task)  # an answer that was lost on its way
    with pytest.raises(RuntimeError):
        place.actor.begin(replace(task, out="other"))
    with pytest.raises(KeyError):
        place.actor.sign("other")
    place.actor.stop()
    wait_until(lambda: not place.actor.is_busy())
    assert place.actor.sign(task.key).ended.was_unwound
    sign, _ = place.ended(place.task("3", run_id="next"))
    assert sign.ended.result is not None


def test_errors_bugs_and_a_store_that_fails_are_told(place, monkeypatch):
    monkeypatch.setattr("heygem.cluster.file_store._PAUSES_S", ())
    faceless, _ = place.ended(place.task("no-face", run_id="a"))
    assert faceless.ended.error.code == "no_face" and not faceless.ended.is_lost
    bug, _ = place.ended(place.task("bug", run_id="b"))
    assert "ZeroDivisionError: a bug" in bug.ended.fault
    away, _ = place.ended(replace(place.task("3", run_id="c"), store=f"file://{place.folder}/away"))
    assert away.ended.error.code == "store_failed" and away.ended.is_lost


def test_a_store_that_is_away_for_some_calls_costs_nothing(place, cut_url, monkeypatch):
    monkeypatch.setattr("heygem.cluster.file_store._PAUSES_S", (0.0, 0.0))
    for number, first in enumerate((0, 2, 4, 6, 9)):
        CutStore.calls, CutStore.cut = 0, range(first, first + 2)
        sign, lines = place.ended(replace(place.task(run_id=f"run{number}"), store=cut_url))
        assert sign.ended.result is not None and sum("the store failed" in line for line in lines) == 2
        assert (place.store / f"run{number}/out/result.mp4").exists()


def test_a_large_file_on_its_way_gives_signs_of_life_and_can_be_stopped(place, cut_url, monkeypatch):
    monkeypatch.setattr("heygem.cluster.file_store._PIECE_BYTES", 1)
    CutStore.open_gate.clear()
    task = replace(place.task("a large file"), store=cut_url)
    place.actor.begin(task)
    wait_until(lambda: place.actor.sign(task.key).done)
    sign = place.actor.sign(task.key)
    assert sign.stage is Stage.LOADING and sign.ended is None
    place.actor.stop()
    CutStore.open_gate.set()
    wait_until(lambda: not place.actor.is_busy())
    assert place.actor.sign(task.key).ended.was_unwound


def test_the_lips_of_a_speaker_come_with_the_job(place):
    task = place.task(speaker="anna")
    (place.store / "run" / "lips").write_bytes(b"weights of anna")
    sign, _ = place.ended(task)
    assert sign.ended.result is not None
    assert (place.folder / "models/speakers/anna/lips.safetensors").read_bytes() == b"weights of anna"


def test_the_folders_of_dead_actors_are_swept(tmp_path):
    alive, dead = own_identity().replace(":", "_"), "boot_1_1"
    for name in (alive, dead, "somebody's"):
        (tmp_path / name).mkdir()
    sweep(tmp_path)
    sweep(tmp_path / "none")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([alive, "somebody's"])


def test_who_has_loaded_no_models_names_none(place, monkeypatch):
    monkeypatch.delitem(actor_module.sys.modules, "heygem.model_manager", raising=False)
    sign, _ = place.ended(place.task())
    assert sign.models == ()
