"""Reads the tensors out of a TorchScript archive without running any of it.

``torch.jit.load`` compiles the archive's code and runs every ``__setstate__`` in it, with TorchScript's operators for
reading and writing files at hand. For the weights alone none of that is needed: ``data.pkl`` is a pickle whose
classes are module types of the archive and whose tensors are raw files beside it. Here every class becomes a passive
record and nothing outside a fixed list is named, so that a user's own archive is as harmless as the official one.
Source of the layout: the pickler in PyTorch's torch/csrc/jit/serialization.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def read_torchscript(file: Path) -> dict[str, Tensor]:
    """Every tensor that a module of the archive holds, by the name it has in a state dict.

    Raises:
        pickle.UnpicklingError: the archive names something that tensors do not need.
        zipfile.BadZipFile: the archive is damaged.
        KeyError: a part of the archive is missing.
        ValueError: it was written on a big-endian machine, or a tensor does not fit its storage.
    """
    with zipfile.ZipFile(file) as archive:
        root = next(name for name in archive.namelist() if name.endswith("/constants.pkl")).removesuffix(
            "constants.pkl"
        )
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("written on a big-endian machine")
        tree = _ArchiveUnpickler(io.BytesIO(archive.read(f"{root}data.pkl"))).load()
        return {name: stored.read(archive, f"{root}data/") for name, stored in _tensors("", tree)}


@dataclass(frozen=True)
class _Storage:
    """The persistent id of a tensor's bytes."""

    dtype: torch.dtype
    key: str


@dataclass(frozen=True)
class _StoredTensor:
    """Where in a storage a tensor lies."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def read(self, archive: zipfile.ZipFile, folder: str) -> Tensor:
        if 0 in self.shape:
            return torch.empty(self.shape, dtype=self.storage.dtype)
        data = archive.read(folder + self.storage.key)
        flat = torch.frombuffer(bytearray(data), dtype=self.storage.dtype)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.stride, strict=True))
        if min(self.offset, *self.stride, 0) < 0 or last >= flat.numel():
            raise ValueError(f"a tensor of shape {self.shape} does not fit its {flat.numel()} values")
        return flat.as_strided(self.shape, self.stride, self.offset)


class _Module:
    """Stands for an instance of any class of the archive; its attributes are the pickle's."""


def _stored_tensor(storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Any:
    return _StoredTensor(storage, offset, tuple(shape), tuple(stride))


class _ArchiveUnpickler(pickle.Unpickler):
    """Knows modules, tensors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            # A class of its own for each: a pickle may set attributes of the classes that it names.
            return type("Module", (_Module,), {})
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _stored_tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle":
            return _keep_first
        raise pickle.UnpicklingError(f"{module}.{name} is not needed to read tensors")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            raise pickle.UnpicklingError(f"{pid!r} is no storage")
        return _Storage(dtype, key)


def _keep_first(value: Any, *_: Any) -> Any:
    """Typed lists and the like: the value, without its type."""
    return value


def _tensors(prefix: str, node: Any) -> Iterator[tuple[str, _StoredTensor]]:
    for name, value in vars(node).items():
        if isinstance(value, _StoredTensor):
            yield prefix + name, value
        elif isinstance(value, _Module):
            yield from _tensors(f"{prefix}{name}.", value)
