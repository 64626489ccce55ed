"""The enhancer around the network: its range, and that a still face stays still."""

from pathlib import Path

import pytest
import torch

from formula_weights import write_gfpgan
from heygem.device import Placement
from heygem.enhance.gfpgan import load_gfpgan
from heygem.nets.gfpgan import GFPGAN
from heygem.weights.load import read_tensors

CPU = Placement(torch.device("cpu"), torch.float32)


def test_it_restores_as_the_network_does_and_the_same_each_time(tmp_path: Path) -> None:
    path = tmp_path / "GFPGAN.pth"
    write_gfpgan(path)
    model = load_gfpgan(path, CPU)
    faces = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(1))
    first = model.enhance(faces)
    assert float(first.min()) >= 0 and float(first.max()) <= 1
    assert torch.equal(first, model.enhance(faces))
    with torch.device("meta"):
        net = GFPGAN()
    net.load_state_dict(torch.load(path, weights_only=True)["params_ema"], assign=True)
    with torch.inference_mode():
        wanted = (net.eval()(faces * 2 - 1) / 2 + 0.5).clamp(0, 1)
    assert float((first - wanted).abs().max()) < 1e-4


def test_cpus_enlarge_after_convolving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "GFPGAN.pth"
    write_gfpgan(path)
    monkeypatch.setattr("heygem.enhance.gfpgan.load_network", lambda make, *_: make(read_tensors(path)))
    for device, is_mirrored in (("cpu", True), ("cuda", False)):
        net = load_gfpgan(path, Placement(torch.device(device), torch.float32))._net
        kept = [module.mirrored is not None for module in net.modules() if hasattr(module, "mirrored")]
        assert sum(kept) == (10 if is_mirrored else 0)
