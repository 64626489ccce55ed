"""The one seam between engines and what computes their networks."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from heygem.device import Placement
from heygem.heap import give_back_free_pages


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a network, float32.

    Attributes:
        shape: Its shape, -1 where that is free.
        example: A shape that a first run may have; small ones make conversion quick.
    """

    shape: tuple[int, ...]
    example: tuple[int, ...]


class _Turns:
    """Which network computed last. What one computes in leaves holes that do not fit the next: a few hundred megabytes
    in float32, which are given back when another one's turn comes."""

    def __init__(self) -> None:
        self._latest: Callable[[], nn.Module | None] = lambda: None

    def begin(self, net: nn.Module, _inputs: object) -> None:
        """Called before `net` computes."""
        if self._latest() is not net:
            give_back_free_pages()
            self._latest = weakref.ref(net)


_turns = _Turns()


def ready(
    make: Callable[[], nn.Module], inputs: Sequence[Input], placement: Placement, fingerprint: Callable[[], str]
) -> nn.Module:
    """A network as its placement runs it: engines call it with tensors and get tensors, whatever computes it.

    Args:
        make: Builds the network on the CPU in fp32 for inference. Not called where OpenVINO's form of it was kept.
        inputs: What it is called with.
        placement: Where it goes, its number format, and what computes it.
        fingerprint: sha256 of the weights that `make` reads, as they are now.

    Raises:
        DeviceError: OpenVINO cannot take the network.
        Exception: whatever `make` raises.
    """
    if placement.converted_dir is None:
        net = make()
        net.to(placement.device, placement.precision, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if placement.kind == "cpu" and placement.precision is torch.float32:
            net.register_forward_pre_hook(_turns.begin)
        return net
    from heygem.runtime.openvino_door import openvino_network  # OpenVINO need not be installed

    return openvino_network(make, inputs, placement, fingerprint, _code_files())


def bytes_of(net: nn.Module) -> int:
    """Bytes that the weights of a network of `ready` occupy on its device."""
    held = getattr(net, "weight_bytes", None)
    if held is not None:
        return int(held)
    return sum(tensor.numel() * tensor.element_size() for tensor in (*net.parameters(), *net.buffers()))


def _code_files() -> list[Path]:
    """Where the networks' code is, and that of who makes them: what was converted before it changed is of no use."""
    package = Path(__file__).resolve().parents[1]
    return [
        *sorted((package / "nets").glob("*.py")),
        package / "faces" / "parsing.py",
        package / "faces" / "retinaface.py",
        package / "enhance" / "gfpgan.py",
        package / "lipsync" / "demo.py",
        package / "lipsync" / "wav2lip.py",
    ]
