"""Which device and which number format the networks run in."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from heygem.errors import DeviceError, OptionError, Text

_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a network lives and in which number format it computes."""

    device: torch.device
    precision: torch.dtype

    @property
    def kind(self) -> str:
        """cpu or cuda."""
        return self.device.type

    def __str__(self) -> str:
        return f"{self.device}/{precision_name(self.precision)}"


def place(device: str = "auto", precision: str = "auto") -> Placement:
    """Choose device and number format.

    Args:
        device: auto (CUDA where there is one), cuda, cuda:N or cpu.
        precision: auto (fp16 on CUDA; on a CPU bf16 where it multiplies matrices of bf16 in hardware, else fp32),
            fp32, bf16 or fp16.

    Raises:
        DeviceError: there is no such device, or it cannot compute in that format.
        OptionError: `precision` is none of the above.
    """
    chosen = _device(device)
    if precision == "auto":
        return Placement(chosen, _best_precision(chosen))
    if precision not in _PRECISIONS:
        raise OptionError(
            Text(f"precision 的值 {precision!r} 无效。", f"precision has the value {precision!r}."),
            hint=Text("可用：auto、fp32、bf16、fp16。", "Use auto, fp32, bf16 or fp16."),
        )
    if precision == "fp16" and chosen.type == "cpu":
        raise DeviceError(
            Text("CPU 不支持 fp16 推理。", "fp16 needs a CUDA device."),
            hint=Text("请改用 bf16 或 fp32。", "Use bf16 or fp32."),
        )
    return Placement(chosen, _PRECISIONS[precision])


def precision_name(precision: torch.dtype) -> str:
    """fp32, bf16 or fp16."""
    return next(name for name, dtype in _PRECISIONS.items() if dtype == precision)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(Text(f"没有设备 {name!r}。", f"There is no device {name!r}.")) from error
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(
            Text(f"不支持设备 {name!r}。", f"The device {name!r} is not supported."),
            hint=Text("可用：auto、cuda、cuda:N、cpu。", "Use auto, cuda, cuda:N or cpu."),
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            Text(f"没有可用的 CUDA 设备 {name!r}。", f"There is no CUDA device {name!r}."),
            hint=Text("请运行 python -m heygem doctor 查看原因。", "Run python -m heygem doctor to see why."),
        )
    return device


def _best_precision(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if torch.cpu._is_amx_tile_supported() else torch.float32
