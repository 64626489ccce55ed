from __future__ import annotations

import threading

import pytest
from model_files import in_threads

import heygem.model_manager as package
from heygem.model_manager import ModelManager, get_model_manager
from heygem.settings import Settings


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
