"""The process's models: loaded once, kept on the device, lent with a lease, swapped and unloaded."""

from __future__ import annotations

import os
import threading
import time

from heygem.model_manager.manager import ModelManager
from heygem.model_manager.spec import Lease, ModelKey, ModelSpec
from heygem.model_manager.statistics import CudaMemory, ManagerStatistics, ModelStatistics
from heygem.settings import Settings

__all__ = [
    "CudaMemory",
    "Lease",
    "ManagerStatistics",
    "ModelKey",
    "ModelManager",
    "ModelSpec",
    "ModelStatistics",
    "get_model_manager",
]

_LONGEST_SLEEP_S = 60.0

_guard = threading.Lock()
_manager: ModelManager | None = None


def get_model_manager(settings: Settings | None = None) -> ModelManager:
    """The one manager of this process, made on the first call. Ask once and hand it down.

    Args:
        settings: Budget and idle time, on the first call; later ones get the manager that is there. None reads them
            from the environment.

    Raises:
        SettingsError: a setting in the environment is wrong.
    """
    global _manager
    with _guard:
        if _manager is None:
            chosen = settings or Settings.from_env(os.environ)
            _manager = ModelManager(chosen.model_budget_mb << 20, chosen.model_idle_s)
            if chosen.model_idle_s:
                threading.Thread(
                    target=_sweep_for_ever, args=(_manager, chosen.model_idle_s), name="model-sweep", daemon=True
                ).start()
        return _manager


def _sweep_for_ever(manager: ModelManager, idle_s: float) -> None:
    """Look four times in each idle period, so that a model outstays it by a quarter at most."""
    while True:
        time.sleep(min(idle_s / 4, _LONGEST_SLEEP_S))
        manager.sweep()
