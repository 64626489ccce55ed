"""The filler gives the numbers that the golden outputs were made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
import torch

from formula_weights import GOLDEN_DIR, Net, formula_tensor, write_retinaface

META = json.loads((GOLDEN_DIR / "meta.json").read_text(encoding="utf-8"))
KEYS = {
    net: json.loads((GOLDEN_DIR / f"{'gfpgan_v1clean' if net == 'gfpgan' else net}_keys.json").read_text("utf-8"))
    for net in get_args(Net)
}


@pytest.mark.parametrize(("net", "name"), [(net, name) for net in KEYS for name in META[f"{net}_weights"]])
def test_tensors_are_those_of_the_golden_data(net: Net, name: str) -> None:
    tensor = formula_tensor(net, name, tuple(KEYS[net][name]["shape"])).double()
    expected = META[f"{net}_weights"][name]
    assert tensor.sum().item() == pytest.approx(expected["sum"], rel=1e-5)
    assert tensor.flatten()[:4].tolist() == pytest.approx(expected["first4"], rel=1e-6)


@pytest.mark.parametrize("prefix", [False, True])
def test_a_written_retinaface_file_holds_every_tensor(tmp_path: Path, prefix: bool) -> None:
    write_retinaface(tmp_path / "net.pth", "mobile0.25", prefix=prefix)
    names = torch.load(tmp_path / "net.pth", weights_only=True)
    assert [name.removeprefix("module.") for name in names] == list(KEYS["retinaface_mobile0.25"])
    assert all(name.startswith("module.") == prefix for name in names)
