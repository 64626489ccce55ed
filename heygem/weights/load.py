"""Tensors out of checkpoint files of every official form, and networks built from them.

Nothing in a file is ever run: pickles are read with ``weights_only=True``, TorchScript archives by torchscript.py.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from heygem.device import Placement
from heygem.errors import Text, WeightsRefusedError
from heygem.runtime.network import Input, ready
from heygem.weights.container import Container, container_of, refuse_what_holds_no_weights
from heygem.weights.hashes import sha256_of
from heygem.weights.torchscript import read_torchscript

M = TypeVar("M", bound=nn.Module)

_WRAPPERS = ("params_ema", "params", "state_dict")
"""Keys under which training programs keep the tensors beside their own state, best first."""

_NAMED = 3
"""Wrong tensors that an error names; the rest it counts."""


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, on the CPU, by name.

    Taken are dictionaries of tensors, bare or under ``params_ema``, ``params`` or ``state_dict``, saved by torch in
    either of its formats; TorchScript archives; safetensors. A ``module.`` before every name is taken off.

    Formats that allow it are mapped, so that the optimizer's two thirds of a training file are never read; what is
    kept is copied. The tensors own their memory: truncating a mapped file would end the process with SIGBUS.

    Raises:
        WeightsRefusedError: the file is none of these, is damaged, or holds more than tensors.
    """
    try:
        container = container_of(file)
    except OSError as error:
        raise WeightsRefusedError(
            Text(f"无法读取 {file}：{error.strerror}。", f"{file} cannot be read: {error.strerror}.")
        ) from error
    refuse_what_holds_no_weights(file, container)
    try:
        tensors = _read(file, container)
    except (WeightsRefusedError, MemoryError):
        raise
    except pickle.UnpicklingError as error:
        raise WeightsRefusedError(
            Text(
                f"{file} 已损坏，或除张量外还含有代码，已拒绝加载。",
                f"{file} is damaged, or holds code besides tensors; it was not loaded.",
            ),
            hint=_HINT_FORMS,
        ) from error
    except Exception as error:  # a damaged file makes torch and zipfile raise almost anything
        raise WeightsRefusedError(
            Text(f"{file} 已损坏，无法读取其中的张量。", f"{file} is damaged: its tensors cannot be read."),
            hint=_HINT_FORMS,
        ) from error
    return _without_prefix(tensors, "module.")


_HINT_FORMS = Text(
    "请重新下载；支持 torch.save 的张量字典、TorchScript 与 safetensors。",
    "Download it again; dictionaries of tensors by torch.save, TorchScript and safetensors are read.",
)


def read_metadata(file: Path) -> dict[str, str]:
    """The notes in a safetensors file; empty if it has none.

    Raises:
        WeightsRefusedError: it is no safetensors file, or damaged.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            return dict(opened.metadata() or {})
    except Exception as error:  # safetensors' own error derives from nothing narrower
        raise WeightsRefusedError(
            Text(f"{file} 不是完好的 safetensors 文件。", f"{file} is no sound safetensors file.")
        ) from error


def build(factory: Callable[[], M], tensors: Mapping[str, Tensor], placement: Placement) -> M:
    """A network with these weights, ready to infer: on its device, in eval mode, without gradients.

    It is built on the meta device, so that no time goes into initial values that are thrown away. A network must
    therefore keep every tensor in its state dict.

    Args:
        factory: Makes the network.
        tensors: Its state dict; taken over, not copied, where device and number format are those of `placement`.
        placement: Where it goes, and the format of its floating-point tensors.

    Raises:
        WeightsRefusedError: tensors are missing, left over, of another shape, or not finite.
        RuntimeError: the network keeps tensors outside its state dict.
    """
    with torch.device("meta"):
        model = factory()
    _refuse_other_tensors(type(model).__name__, model.state_dict(), tensors)
    model.load_state_dict(tensors, strict=True, assign=True)
    held = {name: tensor for name, tensor in itertools.chain(model.named_parameters(), model.named_buffers())}
    unfilled = [name for name, tensor in held.items() if tensor.is_meta]
    if unfilled:
        raise RuntimeError(f"{type(model).__name__} keeps tensors outside its state dict: {', '.join(unfilled)}")
    model = model.to(device=placement.device, dtype=placement.precision)
    broken = [name for name, tensor in model.state_dict().items() if not torch.isfinite(tensor).all()]
    if broken:
        raise WeightsRefusedError(
            Text(
                f"{type(model).__name__} 的权重含有非有限数值：{_some(broken)}。",
                f"Weights of {type(model).__name__} are not finite: {_some(broken)}.",
            )
        )
    return model.eval().requires_grad_(False)


def load_network(
    make: Callable[[dict[str, Tensor]], nn.Module], file: Path, inputs: Sequence[Input], placement: Placement
) -> nn.Module:
    """The network in a file of weights, as its placement runs it: by torch, or by OpenVINO.

    Args:
        make: Builds it from the file's tensors on the CPU, in fp32, for inference. Where OpenVINO's form of it was
            kept, the file is not even read.
        file: Its weights.
        inputs: What it is called with.
        placement: Where to compute, in which number format, by what.

    Raises:
        DeviceError: OpenVINO was to compute, and cannot.
        WeightsRefusedError: the file holds something else.
    """
    remembers = placement.converted_dir or file.parent
    return ready(lambda: make(read_tensors(file)), inputs, placement, lambda: sha256_of(file, remembers))


def _read(file: Path, container: Container) -> dict[str, Tensor]:
    if container is Container.SAFETENSORS:
        with safe_open(file, framework="pt") as opened:
            return {name: opened.get_tensor(name).clone() for name in opened.keys()}  # noqa: SIM118 - no mapping
    if container is Container.TORCHSCRIPT:
        return read_torchscript(file)
    mapped = container is Container.TORCH_ZIP
    saved = torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    return {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in _unwrapped(saved, file).items()
    }


def _unwrapped(saved: Any, file: Path) -> dict[str, Tensor]:
    for key in _WRAPPERS:
        if isinstance(saved, Mapping) and isinstance(saved.get(key), Mapping):
            saved = saved[key]
            break
    if not isinstance(saved, Mapping) or not saved or not all(isinstance(value, Tensor) for value in saved.values()):
        raise WeightsRefusedError(
            Text(f"{file} 不是张量字典。", f"{file} holds no dictionary of tensors."), hint=_HINT_FORMS
        )
    return dict(saved)


def _without_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    if not all(name.startswith(prefix) for name in tensors):
        return tensors
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def _refuse_other_tensors(network: str, wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    missing = [name for name in wanted if name not in given]
    surplus = [name for name in given if name not in wanted]
    reshaped = [
        f"{name} {tuple(given[name].shape)} ≠ {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in given and given[name].shape != tensor.shape
    ]
    if missing or surplus or reshaped:
        raise WeightsRefusedError(
            Text(
                f"这不是 {network} 的权重：缺少 {len(missing)} 个张量，多出 {len(surplus)} 个，"
                f"形状不符 {len(reshaped)} 个（共 {len(wanted)} 个）：{_some(missing + surplus + reshaped)}。",
                f"These are not weights of {network}: of {len(wanted)} tensors {len(missing)} are missing, "
                f"{len(surplus)} are left over, {len(reshaped)} have another shape: "
                f"{_some(missing + surplus + reshaped)}.",
            ),
            hint=Text("请指定与该网络结构相符的权重。", "Name weights that were trained for this network."),
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
