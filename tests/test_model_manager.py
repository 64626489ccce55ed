from __future__ import annotations

import gc
import logging
import os
import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

import heygem.model_manager as package
import heygem.model_manager.manager as manager_module
from heygem.errors import JobCancelled, ModelError, Text, WeightsMissingError, WeightsRefusedError
from heygem.model_manager import ModelKey, ModelManager, ModelSpec, ModelStatistics, get_model_manager
from heygem.settings import Settings

STARTED, FINISHED, RESIDENT = "正在加载模型", "模型加载完成，已缓存至内存", "检测到已加载模型，跳过加载步骤"


@dataclass(eq=False)
class Model:
    """Knows which file it came from."""

    name: str
    sha256: str
    nbytes: int


@dataclass
class File:
    """Weights on a disk that can be exchanged, damaged, and slow."""

    name: str
    sha256: str = "a" * 64
    nbytes: int = 100
    missing: bool = False
    broken: set[str] = field(default_factory=set)
    wait: Callable[[], object] = lambda: None
    loads: list[str] = field(default_factory=list)
    seen: list[weakref.ref[Model]] = field(default_factory=list)

    @property
    def spec(self) -> ModelSpec[Model]:
        return ModelSpec(
            ModelKey("lips", self.name, "cpu/fp32", f"/models/{self.name}.pth"),
            fingerprint=self.fingerprint,
            load=self.load,
            nbytes=lambda model: model.nbytes,
        )

    def fingerprint(self) -> str:
        if self.missing:
            raise WeightsMissingError(Text("没有", f"{self.name} is missing"))
        return self.sha256

    def load(self) -> Model:
        sha256 = self.sha256
        self.loads.append(sha256)
        self.wait()
        if sha256 in self.broken:
            raise WeightsRefusedError(Text("坏了", f"{self.name} {sha256[:3]} is broken"))
        model = Model(self.name, sha256, self.nbytes)
        self.seen.append(weakref.ref(model))
        return model

    def alive(self) -> list[str]:
        """sha256 of every model that still exists."""
        gc.collect()
        return [model.sha256 for reference in self.seen if (model := reference()) is not None]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def manager() -> ModelManager:
    return ModelManager(budget_bytes=1000)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], Counter[str]]]:
    """Counts the log lines of the mission so far."""

    def count() -> Counter[str]:
        messages = [record.getMessage() for record in caplog.records if record.name == "heygem.model_manager"]
        return Counter({start: sum(m.startswith(start) for m in messages) for start in (STARTED, FINISHED, RESIDENT)})

    with caplog.at_level(logging.INFO, logger="heygem.model_manager"):
        yield count


def use(manager: ModelManager, file: File) -> str:
    with manager.lease(file.spec) as lease:
        assert lease.model.name == file.name
        assert lease.model.sha256 == lease.sha256
        return lease.sha256


def told(manager: ModelManager, file: File) -> ModelStatistics:
    return next(model for model in manager.statistics().models if model.key.name == file.name)


def resident(manager: ModelManager) -> list[str]:
    return [model.key.name for model in manager.statistics().models if model.sha256]


def in_threads(count: int, call: Callable[[], Any]) -> list[Any]:
    """What `call` returned or raised in each of `count` threads that began together."""
    barrier = threading.Barrier(count)

    def one(_: int) -> Any:
        barrier.wait(30)
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def until(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < patience, "never happened"
        time.sleep(0.001)


def test_the_second_lease_loads_nothing(manager: ModelManager, lines: Callable[[], Counter[str]]) -> None:
    file = File("a")
    with manager.lease(file.spec) as lease:
        first = lease.model
    assert lines() == {STARTED: 1, FINISHED: 1, RESIDENT: 0}
    with manager.lease(file.spec) as lease:
        assert lease.model is first
    assert lines() == {STARTED: 1, FINISHED: 1, RESIDENT: 1}
    assert file.loads == ["a" * 64]


def test_the_log_lines_say_what_was_loaded(manager: ModelManager, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        use(manager, File("a", nbytes=2_500_000))
    text = caplog.records[-1].getMessage()
    assert "lips/a" in text and "aaaaaaaaaaaa" in text and "2.5MB" in text and "load=" in text
    assert {record.name for record in caplog.records} == {"heygem.model_manager"}


def test_64_threads_share_one_load(manager: ModelManager, lines: Callable[[], Counter[str]]) -> None:
    file = File("a")
    file.wait = lambda: until(lambda: told(manager, file).waits == 63)
    found: list[int] = in_threads(64, lambda: use(manager, file))
    assert set(found) == {"a" * 64}
    assert len(file.loads) == 1
    assert lines() == {STARTED: 1, FINISHED: 1, RESIDENT: 0}
    assert (told(manager, file).loads, told(manager, file).leases_open) == (1, 0)


def test_those_who_wait_share_a_failure_and_the_next_call_loads_afresh(manager: ModelManager) -> None:
    file = File("a", broken={"a" * 64})
    file.wait = lambda: until(lambda: told(manager, file).waits == 15)
    found = in_threads(16, lambda: use(manager, file))
    assert {id(error) for error in found} == {id(found[0])}
    assert isinstance(found[0], WeightsRefusedError)
    assert (len(file.loads), told(manager, file).load_errors) == (1, 1)
    file.wait = lambda: None
    with pytest.raises(WeightsRefusedError):
        use(manager, file)
    file.broken.clear()
    assert use(manager, file) == "a" * 64
    assert told(manager, file).leases_open == 0


def test_missing_weights_are_an_error_until_they_are_there(
    manager: ModelManager, lines: Callable[[], Counter[str]]
) -> None:
    file = File("a", missing=True)
    with pytest.raises(WeightsMissingError):
        use(manager, file)
    assert lines()[STARTED] == 0
    file.missing = False
    assert use(manager, file) == "a" * 64


def test_a_cancelled_load_is_nobody_elses_failure(manager: ModelManager) -> None:
    file = File("a")

    def cancel() -> None:
        until(lambda: told(manager, file).waits == 1)
        file.wait = lambda: None
        raise JobCancelled

    file.wait = cancel
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(use, manager, file)
        until(lambda: bool(file.loads))
        second = pool.submit(use, manager, file)
        assert isinstance(first.exception(), JobCancelled)
        assert second.result() == "a" * 64


def test_no_key_waits_for_another(manager: ModelManager) -> None:
    one, other, ready = File("one"), File("other"), File("ready")
    use(manager, ready)
    meeting = threading.Barrier(2)
    one.wait = other.wait = lambda: meeting.wait(30)

    def hit() -> str:
        until(lambda: bool(one.loads))
        return use(manager, ready)

    with ThreadPoolExecutor(2) as pool:
        loading = pool.submit(use, manager, one)
        assert pool.submit(hit).result() == "a" * 64
        assert not loading.done()
        assert pool.submit(use, manager, other).result() == loading.result()


def test_the_least_recently_used_goes_first_and_never_one_in_use(manager: ModelManager) -> None:
    manager = ModelManager(budget_bytes=250)
    x, y, z = File("x"), File("y"), File("z")
    with manager.lease(x.spec):
        use(manager, y)
        assert resident(manager) == ["x", "y"]
        use(manager, z)
        assert resident(manager) == ["x", "z"]
        assert y.alive() == []
        assert told(manager, y).evictions == 1
    use(manager, y)
    assert resident(manager) == ["x", "y"]  # the lease of x ended after that of z
    use(manager, x)
    use(manager, z)
    assert resident(manager) == ["x", "z"]
    assert manager.statistics().nbytes == 200


def test_what_is_over_the_budget_goes_when_its_lease_ends(manager: ModelManager) -> None:
    manager = ModelManager(budget_bytes=150)
    x, y = File("x"), File("y")
    with manager.lease(x.spec):
        with manager.lease(y.spec):
            assert manager.statistics().nbytes == 200
        assert resident(manager) == ["x", "y"]
    assert len(resident(manager)) == 1


def test_a_model_bigger_than_the_budget_stays_while_it_is_the_last_used() -> None:
    manager = ModelManager(budget_bytes=50)
    big, other = File("big"), File("other")
    use(manager, big)
    use(manager, big)
    assert len(big.loads) == 1
    use(manager, other)
    assert resident(manager) == ["other"]


def test_a_lease_that_has_ended_lends_nothing(manager: ModelManager) -> None:
    file = File("a")
    with manager.lease(file.spec) as lease:
        pass
    with pytest.raises(RuntimeError, match="ended"):
        _ = lease.model
    manager.unload()
    assert file.alive() == []


def test_an_error_in_the_block_ends_the_lease(manager: ModelManager) -> None:
    file = File("a")
    with pytest.raises(ZeroDivisionError), manager.lease(file.spec):
        _ = 1 / 0
    assert manager.statistics().leases_open == 0


def test_a_changed_file_is_swapped_in_and_the_old_one_freed_with_its_last_lease(
    manager: ModelManager, lines: Callable[[], Counter[str]]
) -> None:
    file = File("a")
    with manager.lease(file.spec) as old:
        file.sha256 = "b" * 64
        assert use(manager, file) == "b" * 64
        assert old.model.sha256 == old.sha256 == "a" * 64
        assert sorted(file.alive()) == ["a" * 64, "b" * 64]
    assert file.alive() == ["b" * 64]
    statistics = told(manager, file)
    assert (statistics.generation, statistics.swaps, statistics.sha256) == (2, 1, "b" * 64)
    assert lines() == {STARTED: 2, FINISHED: 2, RESIDENT: 0}


def test_others_go_on_with_the_old_model_while_the_new_one_loads(manager: ModelManager) -> None:
    file, loading, go_on = File("a"), threading.Event(), threading.Event()
    use(manager, file)
    file.sha256 = "b" * 64
    file.wait = lambda: (loading.set(), go_on.wait(30))
    with ThreadPoolExecutor(1) as pool:
        swapping = pool.submit(use, manager, file)
        assert loading.wait(30)
        assert use(manager, file) == "a" * 64
        go_on.set()
        assert swapping.result() == "b" * 64
    assert use(manager, file) == "b" * 64
    assert file.loads == ["a" * 64, "b" * 64]


def test_eight_threads_survive_ten_swaps_untorn(manager: ModelManager) -> None:
    file, stop = File("a", sha256="00"), threading.Event()
    used: Counter[str] = Counter()

    def work() -> None:
        while not stop.is_set():
            with manager.lease(file.spec) as lease:
                model, sha256 = lease.model, lease.sha256
                time.sleep(0.001)
                assert lease.model is model and model.sha256 == sha256 == lease.sha256
            used[sha256] += 1

    with ThreadPoolExecutor(8) as pool:
        workers = [pool.submit(work) for _ in range(8)]
        for version in range(1, 11):
            file.sha256 = f"{version:02}"
            until(lambda sha256=file.sha256: used[sha256] > 3)
        stop.set()
        for worker in workers:
            worker.result()
    assert file.loads == [f"{version:02}" for version in range(11)]
    assert file.alive() == ["10"]
    statistics = told(manager, file)
    assert (statistics.swaps, statistics.leases_open, statistics.load_errors) == (10, 0, 0)
    assert sum(used.values()) == statistics.hits + statistics.waits + statistics.loads


def test_a_bad_new_file_leaves_the_old_one_serving_and_is_told_once(
    manager: ModelManager, caplog: pytest.LogCaptureFixture
) -> None:
    file = File("a", broken={"b" * 64, "c" * 64})
    use(manager, file)
    file.sha256 = "b" * 64
    assert [use(manager, file) for _ in range(3)] == ["a" * 64] * 3
    file.sha256 = "c" * 64
    assert [use(manager, file) for _ in range(3)] == ["a" * 64] * 3
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2 and "bbb is broken" in errors[0] and "ccc is broken" in errors[1]
    assert file.loads == ["a" * 64, "b" * 64, "c" * 64]
    file.sha256 = "d" * 64
    assert use(manager, file) == "d" * 64
    manager.unload()
    file.sha256 = "b" * 64
    with pytest.raises(WeightsRefusedError):
        use(manager, file)


def test_a_removed_file_leaves_the_old_one_serving_and_is_told_once(
    manager: ModelManager, caplog: pytest.LogCaptureFixture
) -> None:
    file = File("a")
    use(manager, file)
    for _ in range(2):
        file.missing = True
        assert [use(manager, file) for _ in range(3)] == ["a" * 64] * 3
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


def test_a_file_that_changes_while_it_is_loaded_is_loaded_again(manager: ModelManager) -> None:
    file = File("a")

    def change() -> None:
        file.sha256, file.wait = "b" * 64, lambda: None

    file.wait = change
    assert use(manager, file) == "b" * 64
    assert file.alive() == ["b" * 64]


def test_a_file_that_never_rests_is_refused(manager: ModelManager) -> None:
    file = File("a")
    file.wait = lambda: setattr(file, "sha256", file.sha256 + "a")
    with pytest.raises(WeightsRefusedError, match="keeps changing"):
        use(manager, file)


def test_idle_models_are_unloaded_and_those_in_use_are_not() -> None:
    clock = Clock()
    manager = ModelManager(1000, idle_s=10, clock=clock)
    used, unused = File("used"), File("unused")
    use(manager, unused)
    with manager.lease(used.spec):
        clock.now += 9.9
        manager.sweep()
        assert resident(manager) == ["unused", "used"]
        clock.now += 0.1
        manager.sweep()
        assert resident(manager) == ["used"]
        clock.now += 100
    manager.sweep()
    assert resident(manager) == ["used"]  # idle since its lease ended
    clock.now += 10
    manager.sweep()
    assert resident(manager) == [] and used.alive() == unused.alive() == []
    assert use(manager, used) == "a" * 64


def test_without_an_idle_time_nothing_is_swept() -> None:
    clock = Clock()
    manager = ModelManager(1000, clock=clock)
    use(manager, file := File("a"))
    clock.now += 1e9
    manager.sweep()
    assert resident(manager) == [file.name]


def test_unload_frees_one_or_all_and_waits_for_leases(manager: ModelManager) -> None:
    a, b, c = File("a"), File("b"), File("c")
    for file in (a, b, c):
        use(manager, file)
    manager.unload(a.spec.key)
    assert resident(manager) == ["b", "c"]
    with manager.lease(b.spec) as lease:
        manager.unload()
        assert resident(manager) == []
        assert lease.model.name == "b"
        assert c.alive() == []
        use(manager, b)
        assert len(b.loads) == 2
    assert len(b.alive()) == 1


def test_the_batch_size_is_remembered_across_leases_and_unloading(manager: ModelManager) -> None:
    a, b = File("a"), File("b")
    with manager.lease(a.spec) as lease:
        lease.batch.start_at(64)
        lease.batch.shrink_to(8)
    manager.unload()
    with manager.lease(a.spec) as lease, manager.lease(b.spec) as other:
        lease.batch.start_at(64)
        other.batch.start_at(64)
        assert (lease.batch.size, other.batch.size) == (8, 64)


def test_statistics_count_what_happened_and_do_not_change_afterwards() -> None:
    manager = ModelManager(1000, clock=Clock())
    a, b = File("a"), File("b", nbytes=50)
    for file in (a, b, b):
        use(manager, file)
    with manager.lease(a.spec):
        before = manager.statistics()
        assert (before.loads, before.hits, before.leases_open, before.nbytes) == (2, 2, 1, 150)
        assert before.budget_bytes == 1000 and before.cuda is None
    use(manager, b)
    assert before.hits == 2
    statistics = told(manager, b)
    assert (statistics.loads, statistics.hits, statistics.nbytes, statistics.last_used) == (1, 2, 50, 1000.0)
    assert statistics.seconds["load"] > 0 and statistics.seconds["verify"] > 0


def test_a_forked_process_is_refused(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    use(manager, File("a"))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="fork"):
        use(manager, File("a"))


def test_the_process_has_one_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_manager", None)
    found = in_threads(16, lambda: get_model_manager(Settings(model_budget_mb=7)))
    assert {id(manager) for manager in found} == {id(found[0])}
    assert found[0].statistics().budget_bytes == 7 << 20
    assert get_model_manager() is found[0]


def test_the_manager_reads_the_environment_where_nobody_gives_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_manager", None)
    monkeypatch.setenv("HEYGEM_MODEL_BUDGET_MB", "3")
    assert get_model_manager().statistics().budget_bytes == 3 << 20


def test_an_idle_time_starts_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_manager", None)
    swept = threading.Event()
    monkeypatch.setattr(ModelManager, "sweep", lambda manager: swept.set())
    monkeypatch.setattr(package, "_LONGEST_SLEEP_S", 0.01)
    get_model_manager(Settings(model_idle_s=3600))
    assert swept.wait(30)


def test_random_use_swaps_evictions_and_failures_leave_the_books_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_module, "give_back_memory", lambda: None)  # takes most of the time, and no lock
    manager = ModelManager(budget_bytes=250, idle_s=0.01)
    chance = random.Random(0)
    files = [File(name, sha256=f"{name}0") for name in "abcd"]
    done, wrong, uses, failures = threading.Event(), Counter[str](), Counter[str](), Counter[str]()

    def flicker(file: File) -> None:
        time.sleep(chance.random() * 0.004)
        if chance.random() < 0.1:
            raise WeightsRefusedError(Text("", "by chance"))

    for file in files:
        file.wait = lambda file=file: flicker(file)  # type: ignore[misc]

    def work() -> None:
        for _ in range(150):
            file = chance.choice(files)
            try:
                with manager.lease(file.spec) as lease:
                    time.sleep(chance.random() * 0.002)
                    wrong[file.name] += lease.model.name != file.name or lease.model.sha256 != lease.sha256
                    uses[file.name] += 1
            except ModelError:
                failures[file.name] += 1

    def disturb() -> None:
        while not done.wait(0.005):
            file = chance.choice(files)
            file.sha256 = f"{file.name}{chance.randrange(1000)}"
            chance.choice([manager.sweep, manager.unload, lambda key=file.spec.key: manager.unload(key)])()

    with ThreadPoolExecutor(14) as pool:
        disturbers = [pool.submit(disturb) for _ in range(2)]
        workers = [pool.submit(work) for _ in range(12)]
        try:
            for worker in workers:
                worker.result()
        finally:
            done.set()
        for disturber in disturbers:
            disturber.result()
    statistics = manager.statistics()
    assert wrong.total() == 0 and failures.total() > 0
    assert uses.total() + failures.total() == 12 * 150
    assert statistics.leases_open == 0
    assert statistics.nbytes <= 250 and manager._retired_bytes == 0
    manager.unload()
    assert [file.alive() for file in files] == [[], [], [], []]
    assert manager.statistics().nbytes == 0


def test_unloading_frees_models_that_refer_to_themselves(manager: ModelManager) -> None:
    file = File("a")
    with manager.lease(file.spec) as lease:
        lease.model.itself = lease.model  # type: ignore[attr-defined]
    gc.disable()
    try:
        manager.unload()
        assert file.seen[0]() is None
    finally:
        gc.enable()
