"""Models without networks: weights that can be exchanged, damaged and slow, for the tests of the manager."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from heygem.errors import Text, WeightsMissingError, WeightsRefusedError
from heygem.model_manager import ModelKey, ModelManager, ModelSpec, ModelStatistics


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
