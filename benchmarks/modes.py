"""In which ways this machine can run the networks: each is a few settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec

import torch

from heygem.device import multiplies_bf16, placement_of
from heygem.settings import Settings


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

FP32 = Mode("fp32, torch", {"HEYGEM_PRECISION": "fp32", "HEYGEM_RUNTIME": "torch"})
"""What the others are compared with."""


def modes() -> list[Mode]:
    """Those beside `AUTO`, the reference first; number formats that the processor only imitates are left out."""
    if torch.cuda.is_available():
        return [FP32]
    precisions = ["fp32", *(["bf16"] if multiplies_bf16() else [])]
    runtimes = {"torch": "torch", **({"openvino": "OpenVINO"} if find_spec("openvino") else {})}
    usual = str(placement_of(Settings()))
    found = []
    for runtime, name in runtimes.items():
        for precision in precisions:
            mode = Mode(f"{precision}, {name}", {"HEYGEM_PRECISION": precision, "HEYGEM_RUNTIME": runtime})
            is_usual = str(placement_of(Settings(precision=precision, runtime=runtime))) == usual
            if mode == FP32 or not is_usual:
                found.append(mode)
    return found
