"""What the manager is asked for, and what it lends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from heygem.batch_memory import BatchMemory

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class ModelKey:
    """What makes two requests ask for the same model.

    Attributes:
        kind: lips, enhancer, detector, parser.
        name: Name of the engine or network.
        placement: Device and number format, such as ``cuda:0/fp16``.
        file: Path of its weights; empty for a model without any.
    """

    kind: str
    name: str
    placement: str
    file: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} ({', '.join(filter(None, (self.placement, Path(self.file).name)))})"


@dataclass(frozen=True, slots=True)
class ModelSpec(Generic[M]):
    """How to get a model.

    Attributes:
        key: What it is filed under.
        fingerprint: sha256 of the weights that are on disk now. Asked for at every lease, so cheap while they do not
            change. Raises WeightsMissingError or WeightsRefusedError.
        load: Builds the model from these weights on its device and proves it by a first run. May raise anything.
        nbytes: Bytes that the model occupies on its device.
    """

    key: ModelKey
    fingerprint: Callable[[], str]
    load: Callable[[], M]
    nbytes: Callable[[M], int]


class Lease(Generic[M]):
    """A model that stays where it is until the lease ends."""

    def __init__(self, model: M, sha256: str, batch: BatchMemory) -> None:
        self._model: M | None = model
        self.sha256 = sha256
        """sha256 of the weights that this very model was built from."""
        self.batch = batch
        """The batch size that fits, shared by all leases of this key."""

    @property
    def model(self) -> M:
        """The model.

        Raises:
            RuntimeError: the lease has ended.
        """
        if self._model is None:
            raise RuntimeError("the lease of this model has ended")
        return self._model

    def end(self) -> None:
        """Let go of the model, so that a lease that somebody keeps does not keep the model too."""
        self._model = None
