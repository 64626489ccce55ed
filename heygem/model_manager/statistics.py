"""What the manager has done so far, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from heygem.model_manager.spec import ModelKey


@dataclass(slots=True)
class ModelStatistics:
    """One key.

    Attributes:
        key: Which.
        generation: Counts the files that were loaded, from 1; 0 before the first.
        sha256: Weights that are resident; None if none are.
        nbytes: Bytes that are resident now.
        leases_open: Leases of every generation that have not ended.
        loads: Loads that succeeded.
        hits: Leases that found the model resident.
        waits: Leases that waited for another one's load.
        load_errors: Loads that failed, verification counted in.
        evictions: Times it was unloaded, for any reason.
        swaps: Times that a newer file took over from an older one.
        seconds: Time spent so far, by phase: verify (hashing the weights) and load.
        last_used: When a lease last began or ended, by the manager's clock, in seconds.
    """

    key: ModelKey
    generation: int = 0
    sha256: str | None = None
    nbytes: int = 0
    leases_open: int = 0
    loads: int = 0
    hits: int = 0
    waits: int = 0
    load_errors: int = 0
    evictions: int = 0
    swaps: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"verify": 0.0, "load": 0.0})
    last_used: float = 0.0


@dataclass(frozen=True, slots=True)
class CudaMemory:
    """Memory of the current CUDA device, in bytes.

    Attributes:
        free: What the driver could still give.
        total: What the device has.
    """

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class ManagerStatistics:
    """All keys, a copy that no longer changes.

    Attributes:
        models: Each key that was ever asked for, in order of the first request.
        budget_bytes: What may stay resident.
        cuda: None where CUDA is not in use.
    """

    models: tuple[ModelStatistics, ...]
    budget_bytes: int
    cuda: CudaMemory | None

    @property
    def nbytes(self) -> int:
        """Bytes that are resident."""
        return sum(model.nbytes for model in self.models)

    @property
    def loads(self) -> int:
        """Loads that succeeded."""
        return sum(model.loads for model in self.models)

    @property
    def hits(self) -> int:
        """Leases that found their model resident."""
        return sum(model.hits for model in self.models)

    @property
    def leases_open(self) -> int:
        """Leases that have not ended."""
        return sum(model.leases_open for model in self.models)


def cuda_memory() -> CudaMemory | None:
    """Read the counters, without waking a device that is not in use."""
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return None
    free, total = torch.cuda.mem_get_info()
    return CudaMemory(free, total)
