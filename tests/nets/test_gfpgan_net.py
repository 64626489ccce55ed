"""GFPGAN against stored outputs of the published definition, and what constant weights promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody uses

from formula_weights import GOLDEN_DIR, formula_state, uniform, write_gfpgan
from heygem.nets.enlarging import enlarged
from heygem.nets.gfpgan import GFPGAN
from heygem.nets.stylegan2 import ModulatedConv2d

FACE = uniform(4, (1, 3, 512, 512), -1, 1)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return formula_state("gfpgan")


def loaded(state: dict[str, Tensor]) -> GFPGAN:
    with torch.device("meta"):
        gfpgan = GFPGAN()
    gfpgan.load_state_dict(state, strict=True, assign=True)
    return gfpgan.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def net(state: dict[str, Tensor]) -> GFPGAN:
    return loaded(state)


@pytest.fixture(scope="module")
def quick_net(state: dict[str, Tensor]) -> GFPGAN:
    """As CPUs run it."""
    quick = loaded(state)
    quick.convolve_before_enlarging()
    return quick


@pytest.fixture(scope="module")
def picture(net: GFPGAN) -> Tensor:
    return net(FACE)


def test_names_and_shapes_are_those_of_the_official_file(net: GFPGAN) -> None:
    keys = json.loads((GOLDEN_DIR / "gfpgan_v1clean_keys.json").read_text(encoding="utf-8"))
    ours = net.state_dict()
    assert {name: list(tensor.shape) for name, tensor in ours.items()} == {
        name: entry["shape"] for name, entry in keys.items()
    }


def test_nothing_stays_on_the_meta_device(net: GFPGAN) -> None:
    assert not [name for name, tensor in (*net.named_parameters(), *net.named_buffers()) if tensor.is_meta]


def test_output_is_that_of_the_published_definition(picture: Tensor) -> None:
    golden = np.load(GOLDEN_DIR / "gfpgan_forward.npz")
    for name, part in {
        "center": picture[:, :, 192:320, 192:320],
        "corner_tl": picture[:, :, :32, :32],
        "corner_br": picture[:, :, -32:, -32:],
        "avgpool8": F.avg_pool2d(picture, 8),
    }.items():
        np.testing.assert_allclose(part, golden[name], rtol=0, atol=2e-5, err_msg=name)


def test_the_unet_sees_what_the_published_one_sees(net: GFPGAN) -> None:
    _, maps = net.read(FACE)
    golden = np.load(GOLDEN_DIR / "gfpgan_forward.npz")["unet_rgb_64"]
    np.testing.assert_allclose(net.toRGB[3](maps[3]), golden, rtol=0, atol=2e-5)


def test_large_enlargements_come_after_their_convolutions(
    quick_net: GFPGAN, picture: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same picture. Small maps are what is enlarged yet, shortcuts of the U-Net, and the decoder's colours."""
    sizes: list[tuple[int, int]] = []

    def noted(x: Tensor) -> Tensor:
        sizes.append((x.shape[1], x.shape[2]))
        return enlarged(x)

    monkeypatch.setattr("heygem.nets.gfpgan.enlarged", noted)
    monkeypatch.setattr("heygem.nets.stylegan2.enlarged", noted)
    torch.testing.assert_close(quick_net(FACE), picture, rtol=0, atol=2e-5)
    shortcuts = [(256, 4), (256, 8), (256, 16), (256, 32), (128, 64), (64, 128), (32, 256)]
    colours = [(3, side) for _, side in shortcuts]
    small = [(256, 4), (256, 8), (512, 4), (512, 8)]
    assert sorted(sizes) == sorted(shortcuts + colours + small)


def test_the_state_dictionary_stays_official(net: GFPGAN, quick_net: GFPGAN) -> None:
    assert quick_net.state_dict().keys() == net.state_dict().keys()


def test_each_face_of_a_batch_is_drawn_as_if_it_were_alone(quick_net: GFPGAN, picture: Tensor) -> None:
    other, same = quick_net(torch.cat([FACE.flip(-1), FACE]).contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(same, picture[0], rtol=0, atol=2e-5)
    assert (other - same).square().mean().sqrt() > 0.01 * (picture.max() - picture.min())


def test_bfloat16_in_channels_last_draws_what_float32_draws(state: dict[str, Tensor], picture: Tensor) -> None:
    net = loaded(state)
    net.convolve_before_enlarging()
    net.to(torch.bfloat16).to(memory_format=torch.channels_last)
    drawn = net(FACE.to(torch.bfloat16)).float()
    span = picture.max() - picture.min()
    assert 10 * torch.log10(span**2 / (drawn - picture).square().mean()) > 50


def modulated(demodulate: bool = True, kernel: int = 3) -> ModulatedConv2d:
    """Loaded from the official form, (1, O, I, k, k)."""
    with torch.device("meta"):
        conv = ModulatedConv2d(6, 4, kernel, demodulate=demodulate)
    state = {
        "weight": uniform(1, (1, 4, 6, kernel, kernel), -1, 1),
        "modulation.weight": uniform(2, (6, 512), -0.1, 0.1),
        "modulation.bias": uniform(3, (6,), 0.5, 1.5),
    }
    conv.load_state_dict(state, strict=True, assign=True)
    return conv.eval().requires_grad_(False)


def by_definition(conv: ModulatedConv2d, x: Tensor, style: Tensor) -> Tensor:
    """Karras et al. 2020, section 2.2: scale the weights by the style, divide by their norm, convolve each item."""
    outputs = []
    for item, scale in zip(x, conv.modulation(style), strict=True):
        weight = conv.weight * scale[None, :, None, None]
        if conv.demodulate:
            weight = weight / weight.square().sum(dim=(1, 2, 3), keepdim=True).add(1e-8).sqrt()
        outputs.append(F.conv2d(item[None], weight, padding=weight.shape[-1] // 2))
    return torch.cat(outputs)


@pytest.mark.parametrize(("demodulate", "kernel"), [(True, 3), (False, 1)])
def test_modulated_activations_equal_modulated_weights(demodulate: bool, kernel: int) -> None:
    conv = modulated(demodulate, kernel)
    x, style = uniform(4, (3, 6, 8, 8), -1, 1), uniform(5, (3, 512), -1, 1)
    y, factor = conv(x, style)
    assert (factor is not None) == demodulate
    torch.testing.assert_close(y if factor is None else y * factor, by_definition(conv, x, style))
    larger, factor = conv(x, style, enlarge=True)
    doubled = F.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(larger if factor is None else larger * factor, by_definition(conv, doubled, style))


def test_large_styles_do_not_overflow_float16() -> None:
    conv = modulated().half()
    conv.modulation.bias.fill_(2000)
    x = uniform(4, (1, 6, 8, 8), -100, 100).half()
    y, factor = conv(x, torch.zeros(1, 512, dtype=torch.float16))
    exact = conv.float()
    expected = by_definition(exact, x.float(), torch.zeros(1, 512))
    torch.testing.assert_close((y * factor).float(), expected, rtol=0.01, atol=0.5)


def test_derived_sums_follow_whatever_is_loaded() -> None:
    conv = modulated()
    torch.testing.assert_close(conv.square_sums, conv.weight.square().sum(dim=(2, 3)))
    conv.load_state_dict({name: 2 * tensor for name, tensor in conv.state_dict().items()})
    torch.testing.assert_close(conv.square_sums, conv.weight.square().sum(dim=(2, 3)))
    assert "square_sums" not in conv.state_dict()


def test_loading_leaves_the_given_tensors_alone() -> None:
    state = modulated().state_dict()
    assert state["weight"].shape == (1, 4, 6, 3, 3)
    ModulatedConv2d(6, 4, 3).load_state_dict(state)
    assert state["weight"].shape == (1, 4, 6, 3, 3)


def test_an_untrained_layer_has_styles_around_one() -> None:
    conv = ModulatedConv2d(6, 4, 3)
    assert torch.equal(conv.modulation.bias, torch.ones(6))
    assert conv.modulation.weight.std().item() == pytest.approx(512**-0.5, rel=0.1)


@pytest.mark.parametrize("key", ["params_ema", "params"])
def test_written_files_hold_the_official_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr("formula_weights.formula_state", lambda net: {f"{net}.weight": torch.ones(1)})
    write_gfpgan(tmp_path / "gfpgan.pth", key)  # type: ignore[arg-type]
    assert torch.load(tmp_path / "gfpgan.pth", weights_only=True) == {key: {"gfpgan.weight": torch.ones(1)}}
