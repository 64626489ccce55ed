from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from shutil import disk_usage

import pytest
import torch

from heygem.training.parallel import Replica, run_replicas

pytestmark = pytest.mark.usefixtures("four_threads", "four_threads_elsewhere")


@pytest.fixture
def four_threads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the other processes."""
    monkeypatch.setenv("OMP_NUM_THREADS", "4")


@dataclass(frozen=True)
class Averages:
    """Averages its rank twice."""

    def __call__(self, replica: Replica) -> list[float]:
        first, second = torch.full((3,), float(replica.rank)), torch.full((2, 2), 10.0 * replica.rank)
        replica.average([first, second])
        again = torch.full((1,), 4.0 * replica.rank)
        replica.average([again])
        return [*first.tolist(), *second.flatten().tolist(), *again.tolist(), torch.get_num_threads()]


@dataclass(frozen=True)
class Dies:
    """The others die, with or without a last word."""

    how: Callable[[int], None]

    def __call__(self, replica: Replica) -> None:
        if not replica.leads:
            self.how(9)
        replica.average([torch.zeros(1)])


def test_processes_meet_at_the_mean_on_one_thread_each() -> None:
    threads = torch.get_num_threads()
    assert run_replicas(Averages(), 2, 7) == [0.5] * 3 + [5.0] * 4 + [2.0, 1]
    assert torch.get_num_threads() == threads


def test_one_process_needs_nobody() -> None:
    assert run_replicas(Averages(), 1, 0) == [0.0] * 8 + [1]


def test_no_more_processes_are_begun_than_have_room(monkeypatch: pytest.MonkeyPatch) -> None:
    full = disk_usage("/dev/shm")._replace(free=2 * 7 * 4)
    monkeypatch.setattr("heygem.training.parallel.shutil.disk_usage", lambda path: full)
    assert run_replicas(Averages(), 3, 7) == [0.0] * 8 + [1], "nine tenths of the room are one place"


@pytest.mark.parametrize("how", [sys.exit, os._exit], ids=["raises", "is killed"])
def test_the_death_of_another_ends_the_leader(how: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heygem.training.parallel._PATIENCE_S", 60.0)  # of this process alone
    with ThreadPoolExecutor(1) as threads:
        error = threads.submit(run_replicas, Dies(how), 2, 1).exception(timeout=55)
    assert "ended early" in str(error)


def test_too_many_values_are_refused_before_anybody_waits() -> None:
    replica = Replica(0, 2, torch.zeros(2, 3), threading.Barrier(2))
    with pytest.raises(ValueError, match="4 values do not fit into 3"):
        replica.average([torch.zeros(4)])
