"""``python -m heygem cluster status``, with a cluster of words."""

import pytest

from heygem.cli import main
from heygem.cluster import status
from heygem.cluster.messages import ActorGoneError, Facts, Node
from heygem.errors import ClusterError, Text
from heygem.settings import Settings

HERE, THERE = Node("a", "10.0.0.1", 8.0, 1), Node("b", "10.0.0.2", 16.0, 2)


def test_it_shows_every_node_and_tells_of_one_that_may_not_work(monkeypatch, capsys):
    nodes = [(HERE, None), (THERE, Text("版本不同", "another version"))]
    monkeypatch.setattr(status, "look_at_nodes", lambda settings: nodes)
    assert main(["cluster", "status"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "10.0.0.1" in said and "another version" in said
    nodes.pop()
    assert main(["cluster", "status"]) == 0


def test_a_cluster_of_the_servers_own_is_not_to_be_looked_at_from_here(monkeypatch, capsys):
    monkeypatch.setenv("HEYGEM_RAY_ADDRESS", "local")
    assert main(["cluster", "status"]) == 2
    assert "cluster_local" in capsys.readouterr().err


class Door:
    """Two nodes, the second of which has other weights."""

    def __init__(self, address):
        assert address == "auto"
        self.is_closed = False

    def nodes(self):
        return [HERE, THERE]

    def start_actor(self, node, cpus, gpus, *more):
        assert (cpus, gpus) == (0.0, 0)
        return node

    def call(self, name, method, arguments=(), timeout_s=0):
        return Facts("1", {}, False) if name == "a" else Facts("1", {"wav2lip": "0" * 64}, False)

    def kill_actor(self, name):
        self.killed = [*getattr(self, "killed", []), name]

    def close(self):
        self.is_closed = True


def test_every_node_is_asked_by_an_actor_that_is_ended_again(monkeypatch, settings_of_nobody):
    doors = []
    monkeypatch.setattr(status, "DoorProcess", lambda address: doors.append(Door(address)) or doors[0])
    monkeypatch.setattr(status, "own_facts", lambda settings: Facts("1", {}, False))
    found = status.look_at_nodes(settings_of_nobody)
    assert found[0] == (HERE, None) and "wav2lip" in found[1][1].en
    assert doors[0].killed == ["a", "b"] and doors[0].is_closed


def test_a_cluster_that_goes_meanwhile_is_told(monkeypatch, settings_of_nobody):
    def gone(self):
        raise ActorGoneError("the cable")

    monkeypatch.setattr(status, "DoorProcess", Door)
    monkeypatch.setattr(Door, "nodes", gone)
    with pytest.raises(ClusterError, match="the cable"):
        status.look_at_nodes(settings_of_nobody)


@pytest.fixture
def settings_of_nobody(tmp_path):
    return Settings(models_dir=tmp_path)
