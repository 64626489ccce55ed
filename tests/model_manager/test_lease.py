from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from model_files import Clock, File, in_threads, told, until, use

from heygem.errors import JobCancelled, WeightsMissingError, WeightsRefusedError
from heygem.model_manager import ModelManager

STARTED, FINISHED, RESIDENT = "正在加载模型", "模型加载完成，已缓存至内存", "检测到已加载模型，跳过加载步骤"


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
