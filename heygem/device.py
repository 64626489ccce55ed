"""On which device, in which number format and by which runtime the networks run."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from heygem.errors import DeviceError, OptionError, Text
from heygem.settings import Settings

_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a network lives, in which number format it computes, and by what.

    Attributes:
        device: Where it lives.
        precision: What it computes in.
        converted_dir: OpenVINO computes, and here the networks are kept that were converted for it; None: torch does.
    """

    device: torch.device
    precision: torch.dtype
    converted_dir: Path | None = None

    @property
    def kind(self) -> str:
        """cpu or cuda."""
        return self.device.type

    def __str__(self) -> str:
        runtime = "" if self.converted_dir is None else "+openvino"
        return f"{self.device}{runtime}/{precision_name(self.precision)}"


FP32_ON_CPU = Placement(torch.device("cpu"), torch.float32)
"""Where networks are built and changed, before they go where they compute."""


def placement_of(settings: Settings) -> Placement:
    """Where the networks of this process run.

    Raises:
        DeviceError: there is no such device or runtime, or it cannot compute in that format.
        OptionError: a setting has none of its values.
    """
    chosen = place(settings.device, settings.precision)
    if not _is_for_openvino(settings.runtime, chosen):
        return chosen
    return Placement(chosen.device, chosen.precision, settings.cache_dir / "networks")


def place(device: str = "auto", precision: str = "auto") -> Placement:
    """Choose device and number format, for torch to compute.

    Args:
        device: auto (CUDA where there is one), cuda, cuda:N or cpu.
        precision: auto (fp16 on CUDA; on a CPU bf16 where it multiplies bf16 in hardware, else fp32), fp32, bf16 or
            fp16.

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
    return torch.bfloat16 if multiplies_bf16() else torch.float32


def multiplies_bf16() -> bool:
    """Whether this processor multiplies bf16 in hardware, by AVX512-BF16 (twice as fast as fp32) or by AMX (faster)."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _is_for_openvino(runtime: str, chosen: Placement) -> bool:
    """Whether OpenVINO computes: on a CPU, where it is installed, unless the setting says otherwise."""
    if runtime not in ("auto", "torch", "openvino"):
        raise OptionError(
            Text(f"runtime 的值 {runtime!r} 无效。", f"runtime has the value {runtime!r}."),
            hint=Text("可用：auto、torch、openvino。", "Use auto, torch or openvino."),
        )
    # It would compute bf16 in fp32 without saying so where the processor lacks it.
    is_able = chosen.kind == "cpu" and (chosen.precision == torch.float32 or multiplies_bf16())
    if runtime != "openvino":
        return runtime == "auto" and is_able and find_spec("openvino") is not None
    if not is_able:
        raise DeviceError(
            Text(f"OpenVINO 不能在 {chosen} 上运行。", f"OpenVINO cannot run on {chosen}."),
            hint=Text(
                "请把 HEYGEM_RUNTIME 设为 auto，或使用 HEYGEM_DEVICE=cpu 和处理器支持的精度。",
                "Set HEYGEM_RUNTIME to auto, or use HEYGEM_DEVICE=cpu and a precision that the processor has.",
            ),
        )
    if find_spec("openvino") is None:
        raise DeviceError(
            Text("没有安装 OpenVINO。", "OpenVINO is not installed."),
            hint=Text(
                "请运行 pip install -r requirements-cpu.txt，或把 HEYGEM_RUNTIME 设为 auto。",
                "Run pip install -r requirements-cpu.txt, or set HEYGEM_RUNTIME to auto.",
            ),
        )
    return True
