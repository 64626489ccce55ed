from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open

from heygem.device import Placement
from heygem.lipsync.demo import load_demo
from heygem.nets.blocks import Widths
from heygem.nets.warp_net import WarpNet
from heygem.training.export import export

WIDTHS = Widths(face=(2, 3, 4, 5, 6, 7, 8), audio=(2, 3, 4, 5, 6), decoder=(9, 8, 7, 6, 5, 4, 3), head=2)


def test_the_lip_engine_reads_what_was_trained(tmp_path: Path) -> None:
    net = WarpNet(WIDTHS)
    export(net.state_dict(), WIDTHS, "in a test", tmp_path / "lips.safetensors")
    with safe_open(tmp_path / "lips.safetensors", framework="pt") as file:
        assert file.metadata()["training"] == "in a test"
        assert file.metadata()["licence"] == "Apache-2.0"
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16, torch.int64}  # noqa: SIM118
    model = load_demo(tmp_path / "lips.safetensors", Placement(torch.device("cpu"), torch.float32))
    drawn = model.draw(torch.rand(2, 3, 96, 96), torch.zeros(2, 1, 80, 16))
    assert drawn.colour.shape == (2, 3, 96, 96)
    assert [path.name for path in tmp_path.iterdir()] == ["lips.safetensors"]
