"""In which ways this machine can run the networks: each is a few settings."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass(frozen=True, slots=True)
class Mode:
    """One way.

    Attributes:
        name: What the report calls it.
        settings: HEYGEM_ variables.
    """

    name: str
    settings: dict[str, str] = field(default_factory=dict)


AUTO = Mode("as installed")
"""What users get who set nothing."""

FP32 = Mode("fp32", {"HEYGEM_PRECISION": "fp32"})
"""What the others are compared with."""


def modes() -> list[Mode]:
    """Those beside `AUTO`, the reference first. Number formats that the processor only imitates are left out."""
    if torch.cuda.is_available():
        return [FP32, Mode("fp16", {"HEYGEM_PRECISION": "fp16"})]
    has_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return [FP32, *([Mode("bf16", {"HEYGEM_PRECISION": "bf16"})] if has_bf16 else [])]
