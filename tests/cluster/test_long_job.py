"""One video drawn by several actors; the actors are threads here, and draw nothing."""

import threading
import time
from fractions import Fraction
from pathlib import Path

import pytest

from heygem.cluster import long_job, remote_run
from heygem.cluster.long_job import draw_shares, most_shares
from heygem.cluster.messages import ActorGoneError, ActorSilentError, ClusterGoneError, Ended, Facts, Node, Sign, Task
from heygem.cluster.pool import Pool
from heygem.cluster.remote_run import follow, raise_if_failed
from heygem.errors import HeyGemError, JobCancelled, JobRequeued, Text, WorkerLostError
from heygem.jobs.job import Job, JobError, JobKind, JobRequest, JobStatus
from heygem.pipeline.progress import Silent, Stage
from heygem.pipeline.shares import GROUNDWORK, SEGMENT_S, WHOLE

FACTS = Facts("1", {}, False)
TASK = Task("run", "job", "{}", ("clip",), "memory://store")


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(remote_run, "LISTEN_S", 0.001)
    monkeypatch.setattr(long_job, "LISTEN_S", 0.001)
    monkeypatch.setattr(remote_run, "_SILENT_S", 0.05)


class Actors:
    """A door to actors that draw ten frames a share; `fate` says what else becomes of a share."""

    def __init__(self, seats):
        self.node = Node("n", "10.0.0.1", float(seats), 0)
        self.begun = []
        self.fate = {}
        self.goes_on = lambda: False
        self.stopped = []
        self.killed = []
        self._looks = {}
        self._names = iter(range(100))

    def nodes(self):
        return [self.node]

    def start_actor(self, *arguments):
        return f"actor{next(self._names)}"

    def kill_actor(self, name):
        self.killed.append(name)

    def call(self, name, method, arguments=(), timeout_s=0):
        if method == "facts":
            return FACTS
        if method == "begin":
            self.begun.append((name, arguments[0]))
        if method == "stop":
            self.stopped.append(name)
        return self._sign(name, arguments[0]) if method == "sign" else False

    def _sign(self, name, key):
        step = key.rpartition("/")[2]
        look = self._looks[key] = self._looks.get(key, 0) + 1
        fate = self.fate.get(step)
        if isinstance(fate, Exception):
            raise fate
        if isinstance(fate, Ended):
            return Sign(ended=fate)
        if fate == "draws longer" and self.goes_on():
            return Sign(Stage.DRAWING, look, 10**6)
        if fate == "hands over" and look == 3:
            return Sign(Stage.FINISHING, 1)
        if look <= 3 or fate == "never ends":
            return Sign(Stage.DRAWING, min(10, 5 * look), 40)
        files = {"groundwork": ("groundwork/a.npz",), "out": ("out/result.mp4",)}.get(
            step, (f"{step}/journal.jsonl", "x.mp4")
        )
        return Sign(ended=Ended(files=files))


class Watch(Silent):
    def __init__(self):
        self.seen = []
        self.stop = threading.Event()

    def tick(self, stage, done, total=None):
        self.seen.append((stage, done))
        if self.stop.is_set():
            raise JobCancelled


@pytest.fixture
def place():
    """Three seats, one of which has the job."""
    return Place(3)


class Place:
    def __init__(self, seats):
        self.door = Actors(seats)
        self.pool = Pool(self.door, seats, None, lambda: FACTS, "")
        self.pool.refresh()
        self.seat = self.pool.take("job")
        self.actor = self.pool.actor(self.seat, lambda: None)
        self.watch = Watch()

    def draw(self, most=8, check=lambda: None):
        return draw_shares(self.pool, self.seat, self.actor, TASK, most, self.watch, check)

    def follow(self):
        return follow(self.pool, self.seat, self.actor, TASK, self.watch, lambda: None)

    def shares(self):
        return sorted((task.share.number, task.share.of) for _, task in self.door.begun if task.share.of)


def test_all_who_are_free_draw_and_the_first_finds_out_about_the_clip_once(place):
    rest = place.draw()
    steps = [task for _, task in place.door.begun]
    assert steps[0].share == GROUNDWORK and steps[0].out == "groundwork"
    assert place.shares() == [(0, 3), (1, 3), (2, 3)]
    assert {task.groundwork for task in steps[1:]} == {("groundwork/a.npz",)}
    assert len({name for name, task in place.door.begun if task.share.of}) == 3
    assert rest.share == WHOLE and rest.out == "out" and rest.groundwork == ("groundwork/a.npz",)
    assert [names[0] for names in rest.shares] == [f"share-{number}/journal.jsonl" for number in range(3)]
    assert [seat.job_id for seat in place.pool.seats()] == ["job", None, None]
    assert max(place.watch.seen) == (Stage.DRAWING, 10 + 5 + 5)  # what each drew since it began, as one


def test_who_waits_for_slower_ones_shows_what_they_draw(place):
    place.door.fate |= {"share-0": "hands over", "share-1": "draws longer"}
    end = time.monotonic() + 60

    def after():
        seen = list(place.watch.seen)
        return seen[seen.index((Stage.FINISHING, 1)) + 1 :] if (Stage.FINISHING, 1) in seen else []

    place.door.goes_on = lambda: len(set(after())) <= 5 and time.monotonic() < end
    place.draw(most=2)
    assert len(set(after())) > 5 and {stage for stage, _ in after()} == {Stage.DRAWING}


def test_no_more_draw_than_there_are_shares(place):
    place.draw(most=2)
    assert place.shares() == [(0, 2), (1, 2)]


def test_alone_it_is_drawn_in_one_go(place):
    place.pool.take("another"), place.pool.take("a third")
    assert place.draw().shares == () and place.shares() == []


@pytest.mark.parametrize("fate", [ActorGoneError("killed"), Ended(fault="a bug"), Ended(was_unwound=True), KeyError()])
def test_a_helper_that_fails_leaves_its_share_to_the_first(place, fate):
    place.door.fate["share-1"] = fate
    rest = place.draw()
    assert [names[0] for names in rest.shares] == ["share-0/journal.jsonl", "share-2/journal.jsonl"]
    assert [seat.job_id for seat in place.pool.seats()] == ["job", None, None]


def test_the_first_ones_failure_is_the_jobs(place):
    place.door.fate["share-0"] = Ended(error=JobError("no_face", Text("没有", "none"), Text("", "")))
    with pytest.raises(HeyGemError) as caught:
        place.draw()
    assert caught.value.code == "no_face"


def test_a_cancel_reaches_the_helpers(place):
    place.door.fate["share-1"] = place.door.fate["share-2"] = "never ends"
    threading.Timer(0.1, place.watch.stop.set).start()
    with pytest.raises(JobCancelled):
        place.draw()
    for thread in threading.enumerate():
        if thread.name.startswith("ray-job"):
            thread.join(10)
    assert len(place.door.stopped) == 2 and [seat.job_id for seat in place.pool.seats()] == ["job", None, None]


def test_a_silent_actor_counts_as_dead_after_a_while_and_a_gone_cluster_is_nobodys_fault(place):
    place.door.fate["out"] = ActorSilentError()
    with pytest.raises(WorkerLostError):
        place.follow()
    place.door.fate["out"] = ClusterGoneError()
    with pytest.raises(JobRequeued):
        place.follow()


def test_a_silence_that_ends_costs_nothing(place, monkeypatch):
    monkeypatch.setattr(remote_run, "_SILENT_S", 60)
    answers, silent = place.door.call, iter([True, False, True, True])  # one question in between was heard

    def call(*arguments):
        if next(silent, False):
            raise ActorSilentError
        return answers(*arguments)

    monkeypatch.setattr(place.door, "call", call)
    assert place.follow().files == ("out/result.mp4",)


def test_what_ended_a_step_there_is_raised_here():
    error = JobError("no_face", Text("没有", "none"), Text("换", "another"))
    for ended, kind in (
        (Ended(error=error), HeyGemError),
        (Ended(error=error, is_lost=True), WorkerLostError),
        (Ended(fault="Traceback"), RuntimeError),
        (Ended(was_unwound=True), JobRequeued),
    ):
        with pytest.raises(kind):
            raise_if_failed(ended)
    raise_if_failed(Ended(result="{}"))


@pytest.mark.parametrize(
    ("speech_s", "kind", "most"),
    [
        (65.0, JobKind.VIDEO, 6),
        (65.0, JobKind.PREVIEW, 1),
        (39.9, JobKind.VIDEO, 1),
        (40.0, JobKind.VIDEO, 4),
        (None, JobKind.VIDEO, 1),
    ],
)
def test_only_long_videos_are_shared(speech_s, kind, most):
    assert Fraction(10) == SEGMENT_S
    request = JobRequest(Path("clip"), Path("speech"), kind=kind)
    assert most_shares(Job("id", request, JobStatus.RUNNING, 0.0, speech_s=speech_s)) == most
