"""The state of a generator training on disk: whole or not there, readable without running code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from heygem.errors import Text, WeightsRefusedError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that a training needs to go on.

    Attributes:
        samples: Samples shown so far.
        net, discriminator: State dicts.
        optimizer, discriminator_optimizer: State dicts; those of the leading process.
    """

    samples: int
    net: dict[str, Tensor]
    discriminator: dict[str, Tensor]
    optimizer: dict[str, Any]
    discriminator_optimizer: dict[str, Any]

    def save(self, file: Path) -> None:
        """Replace `file`."""
        part = file.with_name(file.name + ".part")
        torch.save({name: getattr(self, name) for name in self.__slots__}, part)
        part.replace(file)

    @classmethod
    def load(cls, file: Path) -> Checkpoint:
        """Read what `save` wrote, onto the CPU.

        Raises:
            WeightsRefusedError: the file holds something else.
        """
        saved = torch.load(file, map_location="cpu", weights_only=True)
        if not isinstance(saved, dict) or set(saved) != set(cls.__slots__):
            raise WeightsRefusedError(
                Text(f"{file} 不是训练存档。", f"{file} is no checkpoint of a training."),
                hint=Text("请换一个输出文件夹，或不用 --resume。", "Use another folder, or leave out --resume."),
            )
        return cls(**saved)
