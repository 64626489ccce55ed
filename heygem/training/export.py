"""Writes a trained generator as the file that the lip engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from heygem.disk import appearing
from heygem.nets.blocks import Widths
from heygem.training.recipe import LEAD_FRAMES

_FORMAT = "heygem-warp-net-1"


def export(
    state: Mapping[str, Tensor], widths: Widths, training: str, file: Path, more: Mapping[str, str] | None = None
) -> None:
    """Write fp16 safetensors, whole or not at all.

    Args:
        state: State dict of a `WarpNet`.
        widths: Its widths.
        training: What it was trained on and how, for people who find the file alone.
        file: Is replaced.
        more: Further facts for the file's metadata.
    """
    tensors = {
        name: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in state.items()
    }
    facts = {
        "format": _FORMAT,
        "widths": widths.to_json(),
        "mel_offset": str(-LEAD_FRAMES),
        "mel_offset_unit": "frames at 25 fps from the frame to the start of its window of 16 mel steps",
        "training": training,
        "author": "The HeyGem authors",
        "licence": "Apache-2.0",
        **(more or {}),
    }
    with appearing(file) as part:
        save_file(tensors, part, metadata=facts)
