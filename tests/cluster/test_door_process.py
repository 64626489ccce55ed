"""The process of the driver of Ray: when it does not start, and when there is no cluster."""

import importlib.util

import pytest

from heygem.cluster import door_process
from heygem.cluster.door_process import DoorProcess
from heygem.cluster.messages import ActorGoneError
from heygem.errors import ClusterError

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install -r requirements-ray.txt"
)


def test_a_process_that_does_not_start_says_why(monkeypatch):
    monkeypatch.setattr(door_process, "__name__", "heygem.no_such_module")
    with pytest.raises(ActorGoneError, match="no_such_module"):
        DoorProcess("auto")


@needs_ray
def test_a_cluster_that_nobody_answers_for_is_told():
    with pytest.raises(ClusterError) as caught:
        DoorProcess("127.0.0.1:9")
    assert caught.value.code == "ray_unreachable" and "127.0.0.1:9" in caught.value.text.en
    assert "HEYGEM_RAY_ADDRESS" in caught.value.hint.en
