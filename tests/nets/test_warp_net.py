"""WarpNet, and the weights of it that the project carries."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from formula_weights import uniform
from heygem.nets.blocks import Widths
from heygem.nets.warp_net import WarpNet

LIPS = Path(__file__).parents[2] / "models" / "demo" / "lips.safetensors"
TINY = Widths(face=(2, 3, 4, 5, 6, 7, 8), audio=(2, 3, 4, 5, 6), decoder=(9, 8, 7, 6, 5, 4, 3), head=2)
MELS = uniform(1, (2, 1, 80, 16), -4, 4)


def crops(count: int) -> torch.Tensor:
    """(count, 6, 96, 96): smooth pictures, masked and whole."""
    blobs = uniform(2, (count, 3, 12, 12), 0.2, 0.8)
    whole = torch.nn.functional.interpolate(blobs, size=96, mode="bilinear")
    masked = whole.clone()
    masked[:, :, 48:] = 0
    return torch.cat([masked, whole], dim=1)


def carried() -> WarpNet:
    with safe_open(LIPS, framework="pt") as file:
        widths = Widths.from_json(file.metadata()["widths"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    with torch.device("meta"):
        net = WarpNet(widths)
    net.load_state_dict(state, strict=True, assign=True)
    return net.float().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def lips() -> WarpNet:
    return carried()


def test_nothing_stays_on_the_meta_device(lips: WarpNet) -> None:
    assert not [name for name, tensor in (*lips.named_parameters(), *lips.named_buffers()) if tensor.is_meta]


def test_the_carried_file_says_what_it_is() -> None:
    with safe_open(LIPS, framework="pt") as file:
        facts = file.metadata()
        dtypes = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118 - not a dictionary
    assert facts["format"] == "heygem-warp-net-1"
    assert facts["mel_offset"] == "-2"
    assert facts["licence"] == "Apache-2.0"
    assert len(facts["training"]) > 80
    assert dtypes == {torch.float16, torch.int64}
    assert LIPS.stat().st_size < 6_000_000


def test_carried_lips_give_colours_opacity_and_a_small_flow(lips: WarpNet) -> None:
    colour, opacity, flow = lips(MELS, crops(2))
    assert (colour.shape, opacity.shape, flow.shape) == ((2, 3, 96, 96), (2, 1, 96, 96), (2, 2, 96, 96))
    assert {colour.dtype, opacity.dtype, flow.dtype} == {torch.float32}
    for part in (colour, opacity):
        assert part.min() >= 0
        assert part.max() <= 1
    assert opacity.max() - opacity.min() > 0.3
    assert 0.5 < flow.abs().max() < 48


def test_carried_lips_follow_the_sound(lips: WarpNet) -> None:
    face = crops(1).expand(2, -1, -1, -1)
    for part in lips(MELS, face):
        assert (part[0] - part[1]).abs().max() > 0.01
    for part in lips(MELS[:1].expand(2, -1, -1, -1), face):
        assert torch.equal(part[0], part[1])


def test_carried_lips_move_the_mouth_and_leave_the_forehead(lips: WarpNet) -> None:
    _, opacity, flow = lips(MELS, crops(2))
    movement = opacity[:, 0] + flow.norm(dim=1)
    assert movement[:, 60:85, 30:66].mean() > 5 * movement[:, :30].mean()


def test_carried_lips_fold_without_a_change(lips: WarpNet) -> None:
    folded = carried()
    folded.fold_batch_norms()
    for ours, expected in zip(folded(MELS, crops(2)), lips(MELS, crops(2)), strict=True):
        torch.testing.assert_close(ours, expected, rtol=0, atol=2e-5)


def test_widths_are_a_table() -> None:
    net = WarpNet(TINY).eval().requires_grad_(False)
    colour, opacity, flow = net(MELS, crops(2))
    assert (colour.shape, opacity.shape, flow.shape) == ((2, 3, 96, 96), (2, 1, 96, 96), (2, 2, 96, 96))
    assert Widths.from_json(TINY.to_json()) == TINY


def test_an_untrained_net_moves_nothing() -> None:
    _, _, flow = WarpNet(TINY).eval()(MELS, crops(2))
    assert not flow.any()


def test_the_coarse_flow_counts_in_its_own_pixels() -> None:
    """A movement of one pixel of the 24 x 24 map is one of four pixels of the crop."""
    net = WarpNet(TINY).eval().requires_grad_(False)
    net.coarse_flow_head[2].bias.copy_(torch.tensor([1.0, 0.0]))
    net.fine_flow_head[2].bias.copy_(torch.tensor([0.0, 1.0]))
    _, _, flow = net(MELS, crops(2))
    torch.testing.assert_close(flow[:, 0], torch.full((2, 96, 96), 4.0))
    torch.testing.assert_close(flow[:, 1], torch.full((2, 96, 96), 1.0))


def test_every_weight_learns() -> None:
    net = WarpNet(TINY).train()
    torch.nn.init.normal_(net.coarse_flow_head[2].weight)
    torch.nn.init.normal_(net.fine_flow_head[2].weight)
    sum(part.square().sum() for part in net(MELS, crops(2))).backward()
    assert not [name for name, parameter in net.named_parameters() if parameter.grad is None]


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"face": [1]}',
        '{"face": [1], "audio": [1], "decoder": [1], "head": 1}',
        TINY.to_json().replace("9", "0"),
        TINY.to_json().replace("9", '"x"'),
    ],
)
def test_a_broken_width_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Widths.from_json(text)
