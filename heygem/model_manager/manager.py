"""Loads each model at most once, keeps it on its device, and lends it.

Knows nothing of what models are for. One lock guards the books and is never held while weights are hashed or
loaded, so that no lease ever waits for another key's load.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from heygem.errors import ModelError, Text, WeightsRefusedError
from heygem.model_manager.memory import give_back_memory
from heygem.model_manager.slot import Flight, Generation, Slot
from heygem.model_manager.spec import Lease, ModelKey, ModelSpec
from heygem.model_manager.statistics import ManagerStatistics, cuda_memory

log = logging.getLogger("heygem.model_manager")
M = TypeVar("M")

_LOAD_ATTEMPTS = 3
"""Times that a load is begun again because its file changed under it."""


class ModelManager:
    """The models of one process. Safe to use from any number of threads; not across a fork.

    A failed load is not remembered: when the file has been repaired the next lease loads it. When a file changes, the
    lease that sees it loads the new one beside the old, while others go on with the old; the old one is freed when its
    last lease ends. A new file that is bad is logged once, and the old one goes on serving.

    Args:
        budget_bytes: Models that may stay resident while nobody uses them; the least recently used go first. The last
            one used stays even if it alone is bigger.
        idle_s: `sweep` unloads what was not used for so long; 0 keeps it for ever.
        clock: Monotonic time in seconds.
    """

    def __init__(self, budget_bytes: int, idle_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget_bytes = budget_bytes
        self._idle_s = idle_s
        self._clock = clock
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._slots: dict[ModelKey, Slot] = {}
        self._retired_bytes = 0
        self._order = itertools.count(1)

    @contextmanager
    def lease(self, spec: ModelSpec[M]) -> Iterator[Lease[M]]:
        """Find or load the model and keep it where it is until the block ends, in one step.

        Raises:
            ModelError: its weights are missing or wrong.
            RuntimeError: this process was forked from the one that made the manager.
            Exception: whatever `spec.load` raises; all who waited for that load get the same error.
        """
        slot = self._slot(spec.key)
        generation = self._acquire(slot, spec)
        lease: Lease[M] = Lease(generation.model, generation.sha256, slot.batch)
        try:
            yield lease
        finally:
            lease.end()
            self._release(slot, generation)

    def unload(self, key: ModelKey | None = None) -> None:
        """Free one model, or all; those in use as soon as their last lease ends."""
        with self._lock:
            slots = [slot for slot in self._slots.values() if key in (None, slot.statistics.key)]
            freed = [self._unload(slot, "unload") for slot in slots]
        self._give_back(any(freed))

    def sweep(self) -> None:
        """Free the models that nobody used for `idle_s` seconds."""
        if not self._idle_s:
            return
        with self._lock:
            long_ago = self._clock() - self._idle_s
            idle = [slot for slot in self._unused() if slot.statistics.last_used <= long_ago]
            freed = [self._unload(slot, "idle") for slot in idle]
        self._give_back(any(freed))

    def statistics(self) -> ManagerStatistics:
        """What was done so far. Never waits for a load."""
        with self._lock:
            models = tuple(
                replace(slot.statistics, seconds=dict(slot.statistics.seconds)) for slot in self._slots.values()
            )
        return ManagerStatistics(models, self._budget_bytes, cuda_memory())

    def _slot(self, key: ModelKey) -> Slot:
        if os.getpid() != self._process:
            # Locks may be held for ever and CUDA does not work on this side of a fork.
            raise RuntimeError("a ModelManager cannot be used after a fork: start processes with spawn")
        with self._lock:
            if key not in self._slots:
                self._slots[key] = Slot(key)
            return self._slots[key]

    def _acquire(self, slot: Slot, spec: ModelSpec[Any]) -> Generation:
        """The generation to use, pinned."""
        while True:
            with self._lock:
                resident = slot.resident
                if resident is not None:
                    self._pin(slot, resident)
                    break
                flight, is_mine = slot.flight, slot.flight is None
                if flight is None:
                    flight = slot.flight = Flight()
                else:
                    flight.waiters += 1
                    slot.statistics.waits += 1
            if is_mine:
                return self._fly(slot, spec, flight)
            landed = self._wait(slot, flight)
            if landed is not None:
                return landed
        try:
            return self._newer(slot, spec, resident)
        except BaseException:
            self._release(slot, resident)
            raise

    def _wait(self, slot: Slot, flight: Flight) -> Generation | None:
        """The generation that another thread loads, already pinned; None if that thread gave up unfinished."""
        try:
            flight.landed.wait()
        except BaseException:
            with self._lock:
                flight.waiters -= 1
                landed = flight.generation
            if landed is not None:
                self._release(slot, landed)
            raise
        if flight.error is not None:
            raise flight.error
        return flight.generation

    def _fly(self, slot: Slot, spec: ModelSpec[Any], flight: Flight) -> Generation:
        """Load, publish, and pin for this thread and for all who wait."""
        try:
            generation = self._load(slot, spec)
        except BaseException as error:
            with self._lock:
                slot.flight = None
                slot.statistics.load_errors += 1
                if isinstance(error, Exception):
                    flight.error, slot.refused = error, flight.sha256
                # Anything else (a cancelled job, Ctrl-C) is this thread's alone; those who wait try for themselves.
            flight.landed.set()
            raise
        with self._lock:
            if slot.resident is not None:
                slot.statistics.swaps += 1
                self._retire(slot)
            slot.resident, slot.flight, slot.refused = generation, None, ""
            flight.generation = generation
            for _ in range(1 + flight.waiters):
                self._pin(slot, generation)
            statistics = slot.statistics
            statistics.loads += 1
            statistics.generation += 1
            statistics.sha256, statistics.nbytes = generation.sha256, generation.nbytes
            is_freed = self._keep_budget()
        flight.landed.set()
        self._give_back(is_freed)
        return generation

    def _load(self, slot: Slot, spec: ModelSpec[Any]) -> Generation:
        """Build a model from a file that did not change meanwhile."""
        for _ in range(_LOAD_ATTEMPTS):
            started = time.perf_counter()
            sha256 = spec.fingerprint()
            verified = time.perf_counter()
            log.info("正在加载模型 %s", _told(spec, sha256))
            generation = _built(spec, sha256)
            loaded = time.perf_counter()
            with self._lock:
                slot.statistics.seconds["verify"] += verified - started
                slot.statistics.seconds["load"] += loaded - verified
            if spec.fingerprint() == sha256:
                log.info(
                    "模型加载完成，已缓存至内存 %s verify=%.2fs load=%.2fs %.1fMB",
                    _told(spec, sha256),
                    verified - started,
                    loaded - verified,
                    generation.nbytes / 1e6,
                )
                return generation
            generation.model = None  # or the traceback of the error below would keep it
            log.warning("%s changed while it was loaded; loading it again", spec.key.file)
        raise WeightsRefusedError(
            Text(f"{spec.key.file} 在加载过程中不断变化。", f"{spec.key.file} keeps changing while it is loaded."),
            hint=Text("请等写入结束后重试。", "Try again when it has been written."),
        )

    def _newer(self, slot: Slot, spec: ModelSpec[Any], resident: Generation) -> Generation:
        """Load the file beside `resident` if it is another one by now, and pass the pin on; else `resident`."""
        flight = self._find_newer(slot, spec, resident)
        if flight is not None:
            try:
                newer = self._fly(slot, spec, flight)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the new file, the old one serves
                log.error(
                    "新的权重文件无法使用，继续使用旧模型 / the new weights are bad, the old ones serve: %s: %s",
                    spec.key,
                    str(
                        error
                    ),  # a log record that somebody keeps must not keep the error's frames, and a model in them
                )
            else:
                self._release(slot, resident)
                return newer
        with self._lock:
            slot.statistics.hits += 1
        log.info("检测到已加载模型，跳过加载步骤 %s", _told(spec, resident.sha256))
        return resident

    def _find_newer(self, slot: Slot, spec: ModelSpec[Any], resident: Generation) -> Flight | None:
        """A flight for the caller to fly if there is a newer file that nobody has tried yet."""
        with slot.checking:
            started = time.perf_counter()
            try:
                found = spec.fingerprint()
            except (ModelError, OSError) as error:
                with self._lock:
                    is_news, slot.refused = slot.refused != str(error), str(error)
                if is_news:
                    log.error(
                        "权重文件无法使用，继续使用旧模型 / the weights are bad, the old ones serve: %s: %s",
                        spec.key,
                        error,
                    )
                return None
            finally:
                checked = time.perf_counter() - started
            with self._lock:
                slot.statistics.seconds["verify"] += checked
                if found in (resident.sha256, slot.refused) or slot.flight is not None:
                    return None
                slot.flight = Flight(found)
                return slot.flight

    def _pin(self, slot: Slot, generation: Generation) -> None:
        generation.leases += 1
        slot.statistics.leases_open += 1
        self._touch(slot)

    def _touch(self, slot: Slot) -> None:
        slot.statistics.last_used = self._clock()
        slot.order = next(self._order)

    def _release(self, slot: Slot, generation: Generation) -> None:
        with self._lock:
            generation.leases -= 1
            slot.statistics.leases_open -= 1
            self._touch(slot)
            is_freed = generation.is_retired and self._free(generation)
            is_freed = self._keep_budget() or is_freed
        self._give_back(is_freed)

    def _unload(self, slot: Slot, why: str) -> bool:
        """Make room; says whether memory became free."""
        if slot.resident is None:
            return False
        log.info("卸载模型 %s (%s)", slot.statistics.key, why)
        slot.statistics.evictions += 1
        return self._retire(slot)

    def _retire(self, slot: Slot) -> bool:
        """Take the resident generation out of service; says whether that freed it."""
        generation, slot.resident, slot.refused = slot.resident, None, ""
        assert generation is not None
        slot.statistics.sha256, slot.statistics.nbytes = None, 0
        generation.is_retired = True
        self._retired_bytes += generation.nbytes
        return self._free(generation)

    def _free(self, generation: Generation) -> bool:
        if generation.leases:
            return False
        generation.model = None
        self._retired_bytes -= generation.nbytes
        return True

    def _unused(self) -> list[Slot]:
        """Slots whose model nobody uses, the least recently used first."""
        slots = [slot for slot in self._slots.values() if slot.resident is not None and not slot.resident.leases]
        return sorted(slots, key=lambda slot: slot.order)

    def _keep_budget(self) -> bool:
        """Unload what is over the budget; says whether that freed anything."""
        total = self._retired_bytes + sum(slot.statistics.nbytes for slot in self._slots.values())
        latest = max((slot.order for slot in self._slots.values() if slot.resident is not None), default=0)
        is_freed = False
        for slot in self._unused():
            if total <= self._budget_bytes or slot.order == latest:
                break
            total -= slot.statistics.nbytes
            is_freed = self._unload(slot, "budget") or is_freed
        return is_freed

    @staticmethod
    def _give_back(is_freed: bool) -> None:
        """Return freed memory, outside the lock since it takes its time."""
        if is_freed:
            give_back_memory()


def _built(spec: ModelSpec[Any], sha256: str) -> Generation:
    model = spec.load()
    return Generation(model, sha256, spec.nbytes(model))


def _told(spec: ModelSpec[Any], sha256: str) -> str:
    """Which model it is, for the log; one that is no file has no hash."""
    return f"{spec.key} sha256={sha256[:12]}" if sha256 else str(spec.key)
