"""Where actors may sit."""

import pytest

from heygem.cluster.handshake import check_facts, own_facts
from heygem.cluster.messages import ActorGoneError, ActorSilentError, Facts, Node, SharedSettings
from heygem.cluster.pool import Pool, cpu_seats, gpu_seats
from heygem.cluster.ray_executor import RayExecutor
from heygem.errors import ClusterError, NodeRefusedError
from heygem.settings import Settings

BIG, SMALL, NONE = Node("b", "10.0.0.1", 16.0, 4), Node("s", "10.0.0.2", 3.0, 1), Node("n", "10.0.0.3", 0.0, 0)
FACTS = Facts("1+a", {"wav2lip": "0" * 64}, False)


class Door:
    """Answers for a cluster."""

    def __init__(self, *nodes):
        self.here = list(nodes)
        self.facts = {}
        self.started = []
        self.killed = []
        self.silent = 0

    def nodes(self):
        return self.here

    def start_actor(self, node, cpus, gpus, shared, make_runner):
        self.started.append(node)
        return f"{node}{len(self.started)}"

    def call(self, name, method, arguments=(), timeout_s=0):
        if self.silent:
            self.silent -= 1
            raise ActorSilentError
        facts = self.facts.get(name[0], FACTS)
        if facts is None:
            raise ActorGoneError("no memory")
        return facts

    def kill_actor(self, name):
        self.killed.append(name)


def pool_of(door, cpu_actors=0):
    shared = SharedSettings.of(Settings())
    pool = Pool(door, cpu_actors, shared, lambda: FACTS, "a:b")
    pool.refresh()
    return pool


def test_there_is_a_seat_for_each_gpu_with_its_share_of_the_processors():
    seats = gpu_seats([BIG, SMALL, NONE])
    assert [(seat.node.id, seat.cpus, seat.gpus, seat.device) for seat in seats] == [("b", 4.0, 1, "cuda")] * 4 + [
        ("s", 3.0, 1, "cuda")
    ]


def test_actors_on_processors_are_dealt_out_in_turn_and_share_them():
    assert [(seat.node.id, seat.number, seat.cpus, seat.gpus) for seat in cpu_seats([BIG, SMALL, NONE], 3)] == [
        ("b", 0, 8.0, 0),
        ("s", 0, 3.0, 0),
        ("b", 1, 8.0, 0),
    ]
    assert [seat.cpus for seat in cpu_seats([SMALL], 6)] == [0.5] * 6
    assert cpu_seats([NONE], 2) == []


def test_a_job_sits_down_where_an_actor_is_warm():
    pool = pool_of(Door(SMALL), cpu_actors=3)
    first, second = pool.take("1"), pool.take("2")
    pool.actor(second, lambda: None)
    pool.leave(first)
    pool.leave(second)
    assert pool.take("3") is second
    assert pool.take("4") is not None and pool.take("5") is not None
    assert not pool.has_room() and pool.take("6") is None


def test_an_actor_is_started_once_and_may_take_its_time():
    door = Door(SMALL)
    pool = pool_of(door)
    door.silent = 3
    waits = []
    seat = pool.take("1")
    assert pool.actor(seat, lambda: waits.append(1)) == pool.actor(seat, lambda: None) == "s1"
    assert door.started == ["s"] and len(waits) == 4


def test_a_seat_that_was_refused_once_may_be_well_again():
    door = Door(SMALL)
    door.facts["s"] = None
    pool = pool_of(door)
    seat = pool.take("1")
    with pytest.raises(ClusterError):
        pool.actor(seat, lambda: None)
    assert seat.refused is not None
    door.facts.clear()
    pool.actor(seat, lambda: None)
    assert seat.refused is None


def test_a_node_that_differs_is_refused_with_all_its_seats():
    door = Door(BIG, SMALL)
    door.facts["b"] = Facts("1+b", {}, False)
    pool = pool_of(door)
    seat = pool.take("1")
    with pytest.raises(NodeRefusedError):
        pool.actor(seat, lambda: None)
    pool.leave(seat)
    assert door.killed == ["b1"]
    assert [one.refused is not None for one in pool.seats()] == [True] * 4 + [False]
    assert pool.take("2").node is SMALL and not pool.has_room()


def test_a_seat_whose_actor_does_not_start_is_left_alone_for_a_while():
    door = Door(BIG)
    door.facts["b"] = None
    pool = pool_of(door)
    seat = pool.take("1")
    with pytest.raises(ClusterError, match="no memory"):
        pool.actor(seat, lambda: None)
    pool.leave(seat)
    assert pool.take("2") is not seat


def test_nodes_come_and_go_and_those_that_stay_keep_their_actors():
    door = Door(SMALL)
    pool = pool_of(door)
    seat = pool.take("1")
    pool.actor(seat, lambda: None)
    door.here = [BIG, SMALL]
    pool.refresh()
    assert len(pool.seats()) == 5 and seat in pool.seats()
    door.here = [BIG]
    pool.refresh()
    assert seat not in pool.seats()


def test_only_actors_without_a_job_are_released():
    door = Door(SMALL)
    pool = pool_of(door, cpu_actors=2)
    busy, idle = pool.take("1"), pool.take("2")
    for seat in (busy, idle):
        pool.actor(seat, lambda: None)
    pool.leave(idle)
    pool.release_idle(3600)
    assert door.killed == []
    pool.release_idle(0)
    assert door.killed == ["s2"] and (busy.actor, idle.actor) == ("s1", None)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (Facts("1+b", FACTS.weights, False), "1+b"),
        (Facts("1+a", {}, False), "wav2lip (- / 00000000)"),
        (Facts("1+a", {"wav2lip": "1" * 64}, False), "wav2lip (11111111 / 00000000)"),
        (Facts("1+a", {**FACTS.weights, "gfpgan": "2" * 64}, False), "gfpgan (22222222 / -)"),
        (Facts("1+a", FACTS.weights, True), "C2PA"),
    ],
)
def test_a_node_is_told_how_it_differs(theirs, said):
    with pytest.raises(NodeRefusedError) as caught:
        check_facts("10.0.0.9", theirs, FACTS)
    assert said in caught.value.text.en and said in caught.value.text.zh and "10.0.0.9" in caught.value.text.en
    check_facts("10.0.0.9", FACTS, FACTS)


def test_facts_name_weights_by_their_content(tmp_path):
    own = tmp_path / "mine.pth"
    own.write_bytes(b"weights")
    facts = own_facts(Settings(models_dir=tmp_path, gfpgan_file=own))
    assert "own gfpgan" in facts.weights
    own.write_bytes(b"others")
    assert own_facts(Settings(models_dir=tmp_path, gfpgan_file=own)).weights != facts.weights


def test_a_node_keeps_its_own_places_and_takes_the_queues_choices():
    ours = Settings(visible_label=False, content_producer="Studio", precision="fp32", auth="user:secret")
    shared = SharedSettings.of(ours)
    assert "secret" not in repr(shared)
    there = shared.on_node(
        {"HEYGEM_MODELS_DIR": "/there", "HEYGEM_CONTENT_PRODUCER": "Else", "HEYGEM_PRECISION": "bf16"}, "cuda"
    )
    assert (str(there.models_dir), there.device, there.content_producer) == ("/there", "cuda", "Studio")
    assert (there.visible_label, there.precision) == (False, "fp32")


def test_a_cluster_without_ray_is_refused_at_once(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ClusterError) as caught:
        RayExecutor(Settings(ray_address="local"), lambda job, progress: None)
    assert caught.value.code == "ray_missing"
