"""What a training runs on: cores or a GPU, and the number format that is faster there."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from heygem.allowance import processors
from heygem.device import multiplies_bf16

_CUDA_BATCH = 4
"""How many times the batch of one core a GPU is given."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where a training runs.

    Attributes:
        device: What every process computes on.
        processes: How many train side by side, each on one core.
        short: Whether networks compute in bfloat16.
    """

    device: torch.device
    processes: int
    short: bool

    @classmethod
    def choose(cls, device: torch.device, processes: int | None = None) -> Hardware:
        """One process on a GPU; else one on every core that this process may use, or as many as are asked for."""
        if device.type == "cuda":
            return cls(device, 1, short=True)
        # Measured: 1.5 times the samples per second where the processor multiplies bfloat16, a loss where it does not.
        return cls(device, processes or processors(), multiplies_bf16())

    def batch(self, recipe_batch: int) -> int:
        """Samples per step and process."""
        return recipe_batch * (_CUDA_BATCH if self.device.type == "cuda" else 1)

    def autocast(self) -> torch.autocast:
        """The context that networks compute in."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.short)
