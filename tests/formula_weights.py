"""Checkpoints of the official formats without the official weights: every tensor follows from its name and shape.

The formula and its expected outputs are described in tests/data/golden/README.md. The networks so filled are real in
everything but skill, so what is tested with them is what runs with the trained files.
"""

from __future__ import annotations

import json
import warnings
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GOLDEN_DIR = Path(__file__).parent / "data" / "golden"

Net = Literal["wav2lip", "gfpgan", "parsenet", "retinaface_resnet50", "retinaface_mobile0.25"]

_KEYS_FILES: dict[Net, str] = {
    "wav2lip": "wav2lip_keys.json",
    "gfpgan": "gfpgan_v1clean_keys.json",
    "parsenet": "parsenet_keys.json",
    "retinaface_resnet50": "retinaface_resnet50_keys.json",
    "retinaface_mobile0.25": "retinaface_mobile0.25_keys.json",
}


def uniform(seed: int, shape: tuple[int, ...], low: float, high: float) -> Tensor:
    """The inputs of the golden outputs: `shape` float32, uniform in low..high."""
    return torch.from_numpy((np.random.RandomState(seed).random_sample(shape) * (high - low) + low).astype(np.float32))


def formula_state(net: Net) -> dict[str, Tensor]:
    """Every tensor of the official file of `net`, in its order, without a ``module.`` prefix; the caller's own."""
    return {name: tensor.clone() for name, tensor in _filled(net).items()}


@lru_cache(maxsize=1)  # a second or three for each of the large ones; one at a time, or they would fill the memory
def _filled(net: Net) -> dict[str, Tensor]:
    keys = json.loads((GOLDEN_DIR / _KEYS_FILES[net]).read_text(encoding="utf-8"))
    return {name: formula_tensor(net, name, tuple(entry["shape"])) for name, entry in keys.items()}


def formula_tensor(net: Net, name: str, shape: tuple[int, ...]) -> Tensor:
    """The tensor `name` of `net`: float32, or int64 for a counter."""
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    random = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(int(np.prod(shape))).reshape(shape)
    return torch.from_numpy(np.asarray(_value(net, name, random), dtype=np.float32))


def _value(net: Net, name: str, random: NDArray[np.float64]) -> NDArray[np.float64]:
    leaf = name.rpartition(".")[2]
    shape = random.shape
    if leaf == "running_var":
        return 1 + 0.1 * np.abs(random)
    if leaf == "running_mean":
        return 0.05 * random
    if name.endswith("modulation.bias"):
        return 1 + 0.05 * random
    if leaf == "bias":
        return 0.05 * random
    if ".noises." in name or "constant_input" in name:
        return random
    if random.ndim <= 1:
        return 0.1 * random if shape == (1,) else 1 + 0.05 * random
    fan = float(np.prod(shape[2:] if random.ndim == 5 else shape[1:]))
    scaled: NDArray[np.float64] = random * (_gain(net, name) / fan**0.5)
    return scaled


def _gain(net: Net, name: str) -> float:
    if net == "wav2lip":
        return 1.4 if name.startswith("audio_encoder") else 1.1
    return 0.7 if net.startswith("retinaface") else 0.9


def write_wav2lip(path: Path, form: Literal["module", "bare", "torchscript"] = "module") -> None:
    """A Wav2Lip checkpoint.

    Args:
        path: The file to write, about 145 MB.
        form: module: the training file, ``{"state_dict": {"module.<name>": ...}, "optimizer": ...}``; bare: the tensors
            alone; torchscript: the archive that the project links today.
    """
    state = formula_state("wav2lip")
    if form == "bare":
        torch.save(state, path)
    elif form == "module":
        prefixed = {f"module.{name}": tensor for name, tensor in state.items()}
        torch.save({"state_dict": prefixed, "optimizer": {}, "global_step": 1, "global_epoch": 1}, path)
    else:
        _write_torchscript(path, state)


def _write_torchscript(path: Path, state: dict[str, Tensor]) -> None:
    from heygem.nets.wav2lip import Wav2Lip

    with torch.device("meta"):
        net = Wav2Lip()
    net.load_state_dict(state, strict=True, assign=True)
    net.eval()
    example = (uniform(1, (1, 1, 80, 16), -4, 4), uniform(2, (1, 6, 96, 96), 0, 1))
    with torch.no_grad(), warnings.catch_warnings():
        # TorchScript is on its way out of torch, and still what people have on their disks.
        warnings.filterwarnings("ignore", message=r".*torch\.jit.* is deprecated")
        torch.jit.trace(net, example, check_trace=False).save(str(path))  # type: ignore[no-untyped-call]


def write_gfpgan(path: Path, key: Literal["params_ema", "params"] = "params_ema") -> None:
    """A GFPGAN checkpoint ``{key: {...}}``, about 350 MB."""
    torch.save({key: formula_state("gfpgan")}, path)


def write_parsenet(path: Path) -> None:
    """A ParseNet checkpoint: the tensors alone, about 85 MB."""
    torch.save(formula_state("parsenet"), path)


def write_retinaface(path: Path, backbone: Literal["resnet50", "mobile0.25"], prefix: bool = False) -> None:
    """A RetinaFace checkpoint: the tensors alone.

    Args:
        path: The file to write, about 110 MB for resnet50 and 2 MB for mobile0.25.
        backbone: Which of the two networks.
        prefix: Names begin with ``module.``.
    """
    state = formula_state("retinaface_resnet50" if backbone == "resnet50" else "retinaface_mobile0.25")
    torch.save({f"module.{name}" if prefix else name: tensor for name, tensor in state.items()}, path)
