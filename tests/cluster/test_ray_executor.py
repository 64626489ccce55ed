"""The queue on a real Ray cluster of this machine, with a runner that renders nothing."""

import importlib.util
import os
import random
import shutil
import signal
import subprocess
import threading
from collections import Counter
from functools import partial

import pytest
from waiting import wait_until

from heygem.cluster import file_store, ray_executor
from heygem.cluster.ray_executor import RayExecutor
from heygem.errors import Text
from heygem.jobs.job import JobError, JobKind, JobRequest, JobResult, JobStatus
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.progress import Stage
from heygem.settings import Settings

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install -r requirements-ray.txt"
)


STALLED = JobError("stalled", Text("停", "still"), Text("", ""))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A queue on two actors; they are started once for all tests."""
    outputs = tmp_path_factory.mktemp("cluster") / "outputs"
    settings = Settings(
        outputs_dir=outputs, cache_dir=outputs / ".cache", ray_address="local", ray_cpu_actors=2, ray_idle_s=3600
    )
    env = pytest.MonkeyPatch()
    env.setenv("HEYGEM_CACHE_DIR", str(settings.cache_dir))  # as a node is told
    ticks, train_on = [], threading.Event()
    executor = RayExecutor(
        settings,
        partial(train_here, train_on),
        watched=partial(recorded, ticks),
        make_runner="stand_in_runner:make_runner",
    )
    queue = TaskQueue(executor, outputs_dir=outputs)
    queue.start()
    yield Place(queue, executor, outputs, ticks, train_on)
    queue.close(0)
    env.undo()


class Place:
    def __init__(self, queue, executor, outputs, ticks, train_on):
        self.queue, self.executor, self.outputs = queue, executor, outputs
        self.ticks, self.train_on = ticks, train_on

    def ended(self, *requests):
        jobs = self.queue.submit_batch(list(requests))
        return [self.queue.wait(job.id, 180) for job in jobs]

    def words_of(self, job):
        return job.result.output.read_text().split("|")

    def actor_pids(self):
        found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
        ours = {path.name.split("_")[1] for path in (self.outputs / ".cache" / "actors").iterdir()}
        return [int(line.split()[0]) for line in found.splitlines() if line.split()[0] in ours]


def train_here(train_on, job, progress):
    while not train_on.wait(0.02):
        progress.tick(Stage.DRAWING, 0)
    return JobResult(job.request.video, None, Text("这里", f"trained in {os.getpid()}"))


def recorded(ticks, run):
    """As the watchdog does."""

    def recorded_run(job, progress):
        class Recorder:
            def tick(self, stage, done, total=None):
                ticks.append((job.id, stage, done))
                progress.tick(stage, done, total)

        return run(job, Recorder())

    return recorded_run


def test_a_batch_spreads_over_the_actors_and_each_job_has_its_own_end(place, request_for):
    good, other, faceless, bug = place.ended(
        request_for("30 good"), request_for("30 other"), request_for("no-face"), request_for("bug")
    )
    assert [place.words_of(job)[:2] for job in (good, other)] == [["30 good", "speech 1"], ["30 other", "speech 2"]]
    pids = {int(place.words_of(job)[2]) for job in (good, other)}
    assert len(pids) == 2 and os.getpid() not in pids
    assert (faceless.status, faceless.error.code) == (JobStatus.FAILED, "no_face")
    assert faceless.error.text == Text("没有脸", "no face in clip") and faceless.error.hint == Text("换", "another")
    assert (bug.status, bug.error.code) == (JobStatus.FAILED, "internal")
    assert sorted(path.name for path in (place.outputs / good.id).iterdir()) == ["result.json", "result.mp4"]
    assert [path for path in (place.outputs / ".cache" / "ray").rglob("*") if path.is_file()] == []
    wait_until(lambda: [row.state for row in place.executor.actors()] == ["warm", "warm"])
    assert sum(row.jobs_done for row in place.executor.actors()) == 2


def test_every_piece_of_a_file_on_its_way_is_progress(place, request_for, monkeypatch):
    monkeypatch.setattr(file_store, "_PIECE_BYTES", 2)
    (job,) = place.ended(request_for("3 large"))
    told = {(stage, done) for job_id, stage, done in place.ticks if job_id == job.id}
    assert {(Stage.LOADING, done) for done in range(1, 9)} <= told  # of clip and speech
    assert {(Stage.FINISHING, done) for done in range(1, 9)} <= told


def test_a_store_that_is_away_is_waited_for_and_costs_no_actor(place, request_for, caplog, monkeypatch):
    monkeypatch.setattr(file_store, "_PAUSES_S", (0.1,) * 50)
    store, warm = place.outputs / ".cache" / "ray", place.actor_pids()
    shutil.rmtree(store)
    store.write_text("no folder: whatever is asked of it fails")
    job = place.queue.submit(request_for("3"))
    wait_until(lambda: sum("the store failed" in message for message in caplog.messages) > 2)
    store.unlink()
    assert (place.queue.wait(job.id, 60).status, place.queue.get(job.id).attempt) == (JobStatus.DONE, 1)

    monkeypatch.setattr(file_store, "_PAUSES_S", (0.01,))
    shutil.rmtree(store)
    store.write_text("no folder")
    (lost,) = place.ended(request_for("3"))
    store.unlink()
    assert (lost.status, lost.attempt, lost.error.code) == (JobStatus.INTERRUPTED, 2, "store_failed")
    assert "共享存储" in lost.error.text.zh and "HEYGEM_RAY_STORE" in lost.error.hint.en
    assert place.actor_pids() == warm


def test_what_a_job_logs_on_its_node_is_in_the_log_here(place, request_for, caplog):
    caplog.set_level("INFO", "heygem")
    place.ended(request_for("3 chatty"))
    assert "drawing 3 chatty" in caplog.messages


def test_progress_comes_back_and_a_cancel_gets_there(place, request_for):
    job = place.queue.submit(request_for("100000"))
    wait_until(lambda: (progress := place.queue.get(job.id).progress) and progress.done > 2)
    place.queue.cancel(job.id)
    assert place.queue.wait(job.id, 60).status is JobStatus.CANCELLED
    wait_until(lambda: all(row.job_id is None for row in place.executor.actors()))
    (after,) = place.ended(request_for("3"))
    assert after.status is JobStatus.DONE


def test_a_job_that_takes_its_actor_down_twice_is_interrupted(place, request_for):
    (job,) = place.ended(request_for("die"))
    assert (job.status, job.attempt, job.error.code) == (JobStatus.INTERRUPTED, 2, "worker_lost")


def test_a_job_that_stands_still_costs_its_actor_and_not_the_process(place, request_for):
    job = place.queue.submit(request_for("100000"))
    for attempt in (1, 2):
        wait_until(lambda want=attempt: (now := place.queue.get(job.id)).attempt == want and now.progress is not None)
        place.queue.give_up(job.id, STALLED)
    ended = place.queue.wait(job.id, 60)
    assert (ended.status, ended.error.code) == (JobStatus.INTERRUPTED, "stalled")
    assert place.queue.complaints() == []


def test_speakers_are_trained_here_one_after_another(place, request_for):
    clip = request_for("until told").video
    first, second, third = place.queue.submit_batch(
        [JobRequest(clip, clip, kind=JobKind.SPEAKER, speaker=name) for name in ("anna", "ben")] + [request_for("3")]
    )
    waiting = {(second.id, Stage.LOADING, done) for done in (1, 2, 3)}  # who waits does not stand still
    wait_until(lambda: place.executor._local_job == first.id and waiting <= set(place.ticks))
    assert not place.executor.give_up(first.id, STALLED)  # only a new process can end it
    assert not place.executor.is_apart(first) and place.executor.is_apart(third)
    place.queue.cancel(second.id)
    assert place.queue.wait(second.id, 60).status is JobStatus.CANCELLED
    place.train_on.set()
    ended = place.queue.wait(first.id, 60)
    assert ended.result.summary.en == f"trained in {os.getpid()}"
    assert place.queue.wait(third.id, 60).status is JobStatus.DONE


def test_actors_and_then_ray_itself_are_killed_and_every_job_is_done_once(place, request_for):
    requests = [request_for(f"15 number {number}") for number in range(12)]
    jobs = place.queue.submit_batch(requests)
    wait_until(lambda: sum(place.queue.get(job.id).status is JobStatus.DONE for job in jobs) >= 2)
    os.kill(random.choice(place.actor_pids()), signal.SIGKILL)
    wait_until(lambda: sum(place.queue.get(job.id).status is JobStatus.DONE for job in jobs) >= 5)
    place.executor._pool.door._process.kill()
    ended = [place.queue.wait(job.id, 180) for job in jobs]
    assert Counter(job.status for job in ended) == {JobStatus.DONE: 12}
    assert max(job.attempt for job in ended) == 2
    assert [place.words_of(job)[0] for job in ended] == [request.video.read_text() for request in requests]
    claimed = [event.at_s for job in jobs for event in place.queue.store.events(job.id)[:2][1:]]
    assert claimed == sorted(claimed)  # the order of starting


def test_idle_actors_are_released_and_come_back(place, request_for):
    place.ended(request_for("3"))
    place.executor._pool.release_idle(0)
    assert {row.state for row in place.executor.actors()} == {"cold"}
    (job,) = place.ended(request_for("3"))
    assert job.status is JobStatus.DONE


def test_a_cluster_that_is_not_there_lets_jobs_wait_and_says_so(tmp_path, request_for, monkeypatch):
    monkeypatch.setattr(ray_executor, "_AGAIN_S", 0.1)
    settings = Settings(outputs_dir=tmp_path / "o", cache_dir=tmp_path / "c", ray_address="127.0.0.1:9")
    executor = RayExecutor(settings, None)
    queue = TaskQueue(executor, outputs_dir=tmp_path / "o")
    queue.start()
    job = queue.submit(request_for())
    wait_until(lambda: queue.pause_reason is not None and "127.0.0.1:9 cannot be reached" in queue.pause_reason.en)
    assert queue.get(job.id).status is JobStatus.QUEUED
    queue.close(0)
