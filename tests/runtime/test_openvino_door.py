"""Networks by OpenVINO: the same numbers, converted once, and never from what is damaged or older than its weights."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from test_mapped import resident_kb
from torch import Tensor, nn

from formula_weights import GOLDEN_DIR, Net, formula_state, uniform
from heygem.device import FP32_ON_CPU, Placement, multiplies_bf16
from heygem.errors import DeviceError
from heygem.faces.parsing import InnerLogits, parsenet_network
from heygem.faces.retinaface import retinaface_network
from heygem.nets.gfpgan import GFPGAN
from heygem.nets.stylegan2 import StyleGAN2Decoder
from heygem.nets.wav2lip import Wav2Lip
from heygem.runtime.network import Input, bytes_of, ready
from heygem.weights.load import build

pytest.importorskip("openvino", reason="OPENVINO IS NOT INSTALLED: pip install -r requirements-cpu.txt")

CPU = torch.device("cpu")
INPUTS = (Input(shape=(-1, 2, -1, -1), example=(1, 2, 4, 4)),)


class Scaled(nn.Module):
    """Multiplies the sum of its two channels by a weight."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 1, bias=False).requires_grad_(False)
        self.conv.weight.fill_(weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class Workbench:
    """A cache folder, a file of weights that may change, and a count of the times that a network was built."""

    def __init__(self, folder: Path) -> None:
        self.placement = Placement(CPU, torch.float32, folder / "networks")
        self.weight = 1.0
        self.built = 0

    def make(self) -> nn.Module:
        self.built += 1
        return Scaled(self.weight)

    def net(self, make: Callable[[], nn.Module] | None = None) -> nn.Module:
        return ready(make or self.make, INPUTS, self.placement, lambda: f"{self.weight}")

    def result(self) -> float:
        return float(self.net()(torch.ones(1, 2, 3, 3)).max())


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_it_is_converted_once_and_told(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="heygem"):
        assert [bench.result() for _ in range(3)] == [2.0, 2.0, 2.0]
    assert bench.built == 1
    assert sum("转换完成" in record.getMessage() for record in caplog.records) == 1


def test_other_weights_are_converted_too(bench: Workbench) -> None:
    assert bench.result() == 2
    bench.weight = 3.0
    assert bench.result() == 6
    bench.weight = 1.0
    assert bench.result() == 2 and bench.built == 2


def test_weights_that_change_meanwhile_are_not_kept_under_the_old_name(bench: Workbench) -> None:
    def make() -> nn.Module:
        bench.weight = 3.0
        return Scaled(3.0)

    bench.net(make)
    bench.weight = 1.0
    assert bench.result() == 2


@pytest.mark.parametrize("file", ["network.bin", "network.xml", "sums.json"])
def test_what_is_damaged_is_converted_again_and_told(
    bench: Workbench, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.result()
    (damaged,) = bench.placement.converted_dir.glob(f"*/{file}")  # type: ignore[union-attr]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    assert bench.result() == 2 and bench.built == 2
    assert "转换后的模型已损坏" in caplog.text and "damaged" in caplog.text
    assert bench.result() == 2 and bench.built == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told_and_does_without(
    bench: Workbench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o500)
    assert bench.result() == 2
    assert "cannot keep a converted network" in caplog.text


def test_a_file_in_the_place_of_the_folder_is_told_and_does_without(
    bench: Workbench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "networks").write_text("no folder")
    assert bench.result() == 2
    assert "cannot keep a converted network" in caplog.text


def test_it_is_called_as_torchs_is_in_any_format_size_and_number_of_threads(bench: Workbench) -> None:
    net = bench.net()
    x = uniform(1, (3, 2, 5, 7), -1, 1)
    np.testing.assert_allclose(net(x), Scaled()(x), atol=1e-6)
    channels_last = x.to(torch.bfloat16).to(memory_format=torch.channels_last)
    np.testing.assert_allclose(net(channels_last), Scaled()(channels_last.float()), atol=1e-6)
    first = net(x)
    net(-x)
    np.testing.assert_allclose(first, Scaled()(x), atol=1e-6)  # results are not overwritten
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda n: float(net(torch.full((1, 2, 64, 64), float(n))).mean()), range(40)))
    assert results == [2.0 * n for n in range(40)]
    assert bytes_of(net) == bytes_of(Scaled()) == 8


def test_networks_give_back_their_memory_when_another_one_computes(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from heygem.runtime import openvino_door  # OpenVINO need not be installed

    class Compiled:
        def __init__(self, name: str) -> None:
            self.name = name

        def release_memory(self) -> None:
            released.append(self.name)

    released: list[str] = []
    given_back: list[str] = []
    monkeypatch.setattr(openvino_door, "give_back_free_pages", lambda: given_back.append(released[-1]))
    turns, lips, enhancer = openvino_door._Turns(), Compiled("lips"), Compiled("enhancer")
    for each in (lips, lips, enhancer, enhancer, lips):
        with turns.of(each, gives_back=True):
            pass
    assert released == given_back == ["lips", "enhancer"]  # from the heap, too
    del lips, each
    gc.collect()
    with turns.of(enhancer, gives_back=False):
        assert released == ["lips", "enhancer"]  # a model that was unloaded is not kept for its turn
    with turns.of(Compiled("parser"), gives_back=True):
        assert released == ["lips", "enhancer"]

    one = bench.net()
    bench.weight = 3.0
    other = bench.net()
    x = torch.ones(1, 2, 3, 3)
    assert [float(net(x).max()) for net in (one, other, one, other)] == [2, 6, 2, 6]


def test_its_file_does_not_stay_in_memory(bench: Workbench) -> None:
    net = ready(lambda: nn.Linear(2048, 512), [Input((-1, 2048), (1, 2048))], bench.placement, lambda: "linear")
    (file,) = bench.placement.converted_dir.glob("*/network.bin")  # type: ignore[union-attr]
    for _ in range(2):
        net(torch.ones(1, 2048))
        assert file.stat().st_size >> 20 == 4 and resident_kb(file) < 512


def test_what_cannot_be_converted_is_an_error_that_says_what_to_do(bench: Workbench) -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.linalg.svd(x)[1]

    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with pytest.raises(DeviceError) as raised:
        bench.net(Odd)
    assert "HEYGEM_RUNTIME=torch" in raised.value.hint.en
    assert (root.level, list(root.handlers)) == before


class Decoder(nn.Module):
    """A narrow decoder of GFPGAN: styles, and a condition for every size."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.decoder = StyleGAN2Decoder((8,) * 6, mlp_layers=1).requires_grad_(False)
        for conv in (self.decoder.style_conv1, *self.decoder.style_convs):
            conv.weight.fill_(0.3)
            conv.bias.fill_(0.1)

    def forward(self, styles: Tensor) -> Tensor:
        maps = [styles.new_full((styles.shape[0], 4, 8 << step, 8 << step), 0.5) for step in range(5)]
        picture: Tensor = self.decoder(styles, [(one, one) for one in maps])
        return picture


def test_faces_of_a_batch_keep_their_own_styles_and_the_noise_is_kept_small(tmp_path: Path) -> None:
    net = Decoder().eval()
    inputs = (Input(shape=(-1, 16, 512), example=(1, 16, 512)),)
    placement = Placement(CPU, torch.float32, tmp_path)
    converted = ready(lambda: net, inputs, placement, lambda: "")
    styles = uniform(1, (2, 16, 512), -1, 1)
    np.testing.assert_allclose(converted(styles), net(styles), atol=1e-4)
    # Noise by itself is 0.2 MB, as the weights are. Added to the bias of 8 channels each it is 1.4 MB.
    assert bytes_of(converted) < 1e6


def parsenet() -> nn.Module:
    return InnerLogits(parsenet_network(formula_state("parsenet")), for_cpu=True)


def gfpgan() -> nn.Module:
    net = build(GFPGAN, formula_state("gfpgan"), FP32_ON_CPU)
    net.convolve_before_enlarging()
    return net


def wav2lip() -> nn.Module:
    net = build(Wav2Lip, formula_state("wav2lip"), FP32_ON_CPU)
    net.fold_batch_norms()
    return net


FACE = (-1, 3, 512, 512)
NETS: list[tuple[Net, Callable[[], nn.Module], list[Input], list[Tensor], float]] = [
    (
        "wav2lip",
        wav2lip,
        [Input((-1, 1, 80, 16), (1, 1, 80, 16)), Input((-1, 6, 96, 96), (1, 6, 96, 96))],
        [uniform(1, (2, 1, 80, 16), -4, 4), uniform(2, (2, 6, 96, 96), 0, 1)],
        50,
    ),
    (
        "retinaface_mobile0.25",
        lambda: retinaface_network("mobile0.25", formula_state("retinaface_mobile0.25")),
        [Input((-1, 3, -1, -1), (1, 3, 128, 128))],
        [uniform(5, (1, 3, 192, 256), -120, 130)],
        0,  # always in fp32
    ),
    (
        "retinaface_resnet50",
        lambda: retinaface_network("resnet50", formula_state("retinaface_resnet50")),
        [Input((-1, 3, -1, -1), (1, 3, 128, 128))],
        [uniform(5, (1, 3, 192, 256), -120, 130)],
        50,
    ),
    (
        "parsenet",
        parsenet,
        [Input(FACE, (1, 3, 128, 128))],
        [uniform(4, (1, 3, 512, 512), -1, 1)],
        50,
    ),
    ("gfpgan", gfpgan, [Input(FACE, (1, 3, 512, 512))], [uniform(4, (1, 3, 512, 512), -1, 1)], 50),
]
IS_FULL = os.environ.get("TEST_OPENVINO") == "full"


@pytest.mark.parametrize(("name", "make", "inputs", "values", "bf16_db"), NETS if IS_FULL else NETS[:2])
def test_every_network_gives_what_it_gives_by_torch(
    tmp_path: Path, name: Net, make: Callable[[], nn.Module], inputs: list[Input], values: list[Tensor], bf16_db: float
) -> None:
    """Wav2Lip and the small detector; all networks, which takes a minute, with TEST_OPENVINO=full."""
    net = make()
    with torch.inference_mode():
        wanted = as_tuple(net(*values))
    exact = as_tuple(ready(lambda: net, inputs, Placement(CPU, torch.float32, tmp_path), lambda: name)(*values))
    for one, other in zip(exact, wanted, strict=True):
        assert float((one - other).abs().max()) <= 1e-4
    golden = np.load(GOLDEN_DIR / f"{name}_forward.npz")
    if name == "wav2lip":
        np.testing.assert_allclose(exact[0], golden["output"], atol=1e-4)
    if bf16_db and multiplies_bf16():
        short = as_tuple(ready(lambda: net, inputs, Placement(CPU, torch.bfloat16, tmp_path), lambda: name)(*values))
        for one, other in zip(short, wanted, strict=True):
            span = other.max() - other.min()
            assert 10 * torch.log10(span**2 / (one - other).square().mean()) >= bf16_db


def as_tuple(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def test_nobody_is_told_of_a_conversion() -> None:
    from openvino.tools.ovc import convert_impl, main, telemetry_utils, utils

    for module in (convert_impl, main, telemetry_utils, utils):
        assert module.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
