from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from model_files import File, told, until, use

import heygem.model_manager.manager as manager_module
from heygem.errors import ModelError, Text, WeightsRefusedError
from heygem.model_manager import ModelManager

STARTED, FINISHED, RESIDENT = "正在加载模型", "模型加载完成，已缓存至内存", "检测到已加载模型，跳过加载步骤"


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


def test_an_error_that_somebody_keeps_does_not_keep_a_model(caplog: pytest.LogCaptureFixture) -> None:
    """A log record, a crash reporter: they hold errors, errors hold frames, and frames hold what was being loaded."""
    manager = ModelManager(budget_bytes=1000)
    file = File("a")
    with manager.lease(file.spec):
        pass
    numbers = iter(range(1000))

    def change() -> None:
        file.sha256 = f"changing{next(numbers)}"

    file.wait = change
    file.sha256 = "new"
    with caplog.at_level(logging.ERROR), manager.lease(file.spec) as lease:
        assert lease.sha256 == "a" * 64
    assert any("keeps changing" in record.getMessage() for record in caplog.records)
    manager.unload(file.spec.key)
    with pytest.raises(WeightsRefusedError) as kept, manager.lease(file.spec):
        pass
    manager.unload()
    assert file.alive() == []
    assert "keeps changing" in str(kept.value)


def flicker(chance: random.Random) -> None:
    """Take a moment, and fail now and then."""
    time.sleep(chance.random() * 0.004)
    if chance.random() < 0.1:
        raise WeightsRefusedError(Text("", "by chance"))


def test_random_use_swaps_evictions_and_failures_leave_the_books_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_module, "give_back_memory", lambda: None)  # takes most of the time, and no lock
    manager = ModelManager(budget_bytes=250, idle_s=0.01)
    chance = random.Random(0)
    files = [File(name, sha256=f"{name}0") for name in "abcd"]
    done, wrong, uses, failures = threading.Event(), Counter[str](), Counter[str](), Counter[str]()

    for file in files:
        file.wait = partial(flicker, chance)

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
