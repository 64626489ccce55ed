from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from formula_weights import GOLDEN_DIR, formula_state, uniform, write_parsenet
from heygem.device import Placement, multiplies_bf16
from heygem.errors import WeightsRefusedError
from heygem.faces.parsing import FaceOrNot, FaceParser, InnerLogits, load_parser, parsenet_network
from heygem.nets.enlarging import ConvOfRepeated
from heygem.runtime.network import Input, ready

CPU = Placement(torch.device("cpu"), torch.float32)


def inner(*, for_cpu: bool) -> InnerLogits:
    return InnerLogits(parsenet_network(formula_state("parsenet")), for_cpu=for_cpu)


def test_network_gives_the_golden_logits() -> None:
    golden = np.load(GOLDEN_DIR / "parsenet_forward.npz")
    with torch.inference_mode():
        logits, _ = parsenet_network(formula_state("parsenet"))(uniform(4, (1, 3, 512, 512), -1, 1))
    assert np.abs(logits[..., ::8, ::8].numpy() - golden["logits_stride8"]).max() <= 2e-4


def test_what_cpus_compute_gives_the_golden_logits() -> None:
    golden = np.load(GOLDEN_DIR / "parsenet_forward.npz")
    with torch.inference_mode():
        logits = inner(for_cpu=True)(uniform(4, (1, 3, 512, 512), -1, 1))
    assert logits.shape == (1, 19, 434, 434)
    rows_40_to_464 = logits[..., 1::8, 1::8][..., :54, :54]
    assert np.abs(rows_40_to_464.numpy() - golden["logits_stride8"][..., 5:59, 5:59]).max() <= 2e-4


@pytest.mark.parametrize("for_cpu", [False, True])
def test_nothing_but_the_border_is_left_out(for_cpu: bool) -> None:
    x = uniform(4, (2, 3, 128, 128), -1, 1)
    with torch.inference_mode():
        whole, _ = parsenet_network(formula_state("parsenet"))(x)
        torch.testing.assert_close(inner(for_cpu=for_cpu)(x), whole[..., 39:-39, 39:-39], rtol=0, atol=1e-4)


def products(network: nn.Module) -> int:
    """Multiplications for a crop of 512 px."""
    counts: list[int] = []

    def count(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            counts.append(output[0, 0].numel() * module.weight.numel())
        elif isinstance(module, ConvOfRepeated):
            counts.append(inputs[0][0, 0].numel() * module.mirrored.numel())

    for module in network.to("meta").modules():
        module.register_forward_hook(count)
    network(torch.empty(1, 3, 512, 512, device="meta"))
    return sum(counts)


@pytest.mark.parametrize(("for_cpu", "share"), [(False, 0.86), (True, 0.53)])
def test_a_part_of_the_products_suffices(for_cpu: bool, share: float) -> None:
    assert products(inner(for_cpu=for_cpu)) <= share * products(parsenet_network(formula_state("parsenet")))


class Fixed(nn.Module):
    """Gives the same whatever it is asked, and keeps that."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output

    def forward(self, asked: Tensor) -> Tensor:
        self.asked = asked
        return self.output


@pytest.mark.parametrize("which", range(19))
def test_face_is_what_gfpgan_pastes(which: int) -> None:
    logits = torch.zeros(1, 19, 3, 4)
    logits[:, which, 1, 2] = 1
    face = FaceOrNot(Fixed(logits))(torch.empty(0))
    assert face.tolist() == [[[[0, which not in (0, 14, 16, 17, 18)]]]]


@pytest.mark.parametrize(("pair", "is_face"), [((0, 1), 0), ((13, 14), 1), ((14, 15), 0), ((15, 17), 1)])
def test_the_first_of_two_classes_counts(pair: tuple[int, int], is_face: int) -> None:
    logits = torch.zeros(1, 19, 3, 3)
    logits[:, list(pair)] = 1
    assert float(FaceOrNot(Fixed(logits))(torch.empty(0))) == is_face


def test_the_first_of_many_classes_counts_by_openvino_too(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="OPENVINO IS NOT INSTALLED: pip install -r requirements-cpu.txt")
    logits = uniform(1, (2, 19, 66, 66), 0, 4).floor()
    inputs = (Input(shape=(-1, 19, -1, -1), example=(1, 19, 4, 4)),)
    for precision in (torch.float32, torch.bfloat16) if multiplies_bf16() else (torch.float32,):
        placement = Placement(CPU.device, precision, tmp_path)
        converted = ready(lambda: FaceOrNot(nn.Identity()), inputs, placement, lambda: "")
        assert torch.equal(converted(logits), FaceOrNot(nn.Identity())(logits))


def test_the_network_is_asked_in_its_own_range() -> None:
    network = Fixed(torch.zeros(2, 1, 432, 432))
    crops = uniform(1, (2, 3, 512, 512), 0, 1)
    FaceParser(network, CPU).parse(crops)
    torch.testing.assert_close(network.asked, crops * 2 - 1)


def test_edges_are_soft_and_borders_clear() -> None:
    crops = torch.zeros(2, 3, 512, 512)
    face = torch.ones(2, 1, 432, 432)
    face[1, :, :, 216:] = 0
    whole, half = FaceParser(Fixed(face), CPU).parse(crops)[:, 0]
    assert whole.shape == (512, 512)
    assert float(whole[:10].max()) < 0.05
    assert float(whole.diff(dim=0).abs().max()) < 0.03
    assert float(half[256, 255]) == pytest.approx(0.5, abs=0.02)
    assert float(half[256, 200]) > 0.99
    assert float(half[256, 320]) < 0.01


def test_it_is_blurred_as_gfpgan_blurs() -> None:
    face = (uniform(1, (1, 1, 432, 432), 0, 1) > 0.7).to(torch.float16)
    mask = FaceParser(Fixed(face), CPU).parse(torch.zeros(1, 3, 512, 512))
    picture = np.pad(face[0, 0].float().numpy(), 40)
    for _ in range(2):
        picture = cv2.GaussianBlur(picture, (101, 101), 11, borderType=cv2.BORDER_CONSTANT)
    assert mask.dtype == torch.float32
    # What is blurred beyond the border comes back the second time there, where one blur knows it.
    np.testing.assert_allclose(mask[0, 0, 40:-40, 40:-40], picture[40:-40, 40:-40], atol=2e-3)


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
    mask = load_parser(tmp_path / "parsenet.pth", CPU).parse(uniform(4, (1, 3, 512, 512), 0, 1))
    assert sorted(asked) == [32, 32, 58, 58, 112, 112, 220, 220]
    assert mask.shape == (1, 1, 512, 512) and 0.1 < float(mask.mean()) < 0.9
