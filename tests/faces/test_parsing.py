from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from formula_weights import GOLDEN_DIR, formula_state, uniform, write_parsenet
from heygem.device import Placement
from heygem.errors import WeightsRefusedError
from heygem.faces.parsing import FaceParser, convolve_before_enlarging, load_parser, parsenet_network
from heygem.nets.enlarging import ConvOfRepeated

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("as_on_cpus", [False, True])
def test_network_gives_the_golden_logits(as_on_cpus: bool) -> None:
    golden = np.load(GOLDEN_DIR / "parsenet_forward.npz")
    network = parsenet_network(formula_state("parsenet"))
    if as_on_cpus:
        convolve_before_enlarging(network)
    with torch.inference_mode():
        logits, _ = network(uniform(4, (1, 3, 512, 512), -1, 1))
    assert np.abs(logits[..., ::8, ::8].numpy() - golden["logits_stride8"]).max() <= 2e-4


class ByColour(nn.Module):
    """Takes the red of a pixel, in 38ths, for its class."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, None]:
        which = ((inputs[:, 0] + 1) / 2 * 38).round().long()
        return torch.nn.functional.one_hot(which, 19).movedim(-1, 1).float(), None


def crop_of_class(which: int) -> Tensor:
    return torch.full((1, 3, 512, 512), which / 38)


@pytest.mark.parametrize("which", range(19))
def test_face_is_what_gfpgan_pastes(which: int) -> None:
    mask = FaceParser(ByColour(), CPU).parse(crop_of_class(which))
    assert mask.shape == (1, 1, 512, 512)
    assert float(mask[0, 0, 256, 256]) == pytest.approx(0.0 if which in (0, 14, 16, 17, 18) else 1.0, abs=1e-5)


def test_edges_are_soft_and_borders_clear() -> None:
    crops = crop_of_class(1).repeat(2, 1, 1, 1)
    crops[1, :, :, 256:] = 0
    whole, half = FaceParser(ByColour(), CPU).parse(crops)[:, 0]
    assert float(whole[:10].max()) < 0.05
    assert float(whole.diff(dim=0).abs().max()) < 0.03
    assert float(half[256, 255]) == pytest.approx(0.5, abs=0.02)
    assert float(half[256, 200]) > 0.99
    assert float(half[256, 320]) < 0.01


def test_other_weights_are_refused() -> None:
    state = formula_state("parsenet")
    state.pop("out_mask_conv.conv2d.bias")
    with pytest.raises(WeightsRefusedError, match="ParseNet"):
        parsenet_network(state)


def test_cpus_enlarge_after_convolving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parsenet(tmp_path / "parsenet.pth")
    asked: list[int] = []
    forward = ConvOfRepeated.forward
    monkeypatch.setattr(ConvOfRepeated, "forward", lambda conv, x: asked.append(x.shape[-1]) or forward(conv, x))
    load_parser(tmp_path / "parsenet.pth", CPU).parse(crop_of_class(1))
    assert sorted(asked) == [32, 32, 64, 64, 128, 128, 256, 256]
