"""The manager's books: what it notes about each key. Knows no rules; those are in manager.py."""

from __future__ import annotations

import threading
from typing import Any

from heygem.batch_memory import BatchMemory
from heygem.model_manager.spec import ModelKey
from heygem.model_manager.statistics import ModelStatistics


class Generation:
    """One model, built from one file."""

    def __init__(self, model: Any, sha256: str, nbytes: int) -> None:
        self.model = model
        self.sha256 = sha256
        self.nbytes = nbytes
        self.leases = 0
        self.is_retired = False


class Flight:
    """A load in progress, and those who wait for it."""

    def __init__(self, sha256: str = "") -> None:
        self.sha256 = sha256
        """The file that is loaded beside an older one; empty where there is none yet."""
        self.waiters = 0
        self.landed = threading.Event()
        self.generation: Generation | None = None
        self.error: Exception | None = None


class Slot:
    """All that is known about one key."""

    def __init__(self, key: ModelKey) -> None:
        self.statistics = ModelStatistics(key)
        self.batch = BatchMemory()
        self.resident: Generation | None = None
        self.flight: Flight | None = None
        self.order = 0
        """Greater than that of every slot that was used before this one."""
        self.refused = ""
        """What is wrong with the newer file: its sha256, or why it has none. It is not tried again."""
        self.checking = threading.Lock()
        """Held while the file is looked at, so that a new one is hashed by one thread and not by all."""
