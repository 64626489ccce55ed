"""The Wav2Lip generator against stored outputs of the published definition."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from formula_weights import GOLDEN_DIR, formula_state, uniform, write_wav2lip
from heygem.nets.wav2lip import Wav2Lip

MEL = uniform(1, (2, 1, 80, 16), -4, 4)
FACE = uniform(2, (2, 6, 96, 96), 0, 1)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return formula_state("wav2lip")


def loaded(state: dict[str, torch.Tensor]) -> Wav2Lip:
    with torch.device("meta"):
        net = Wav2Lip()
    net.load_state_dict(state, strict=True, assign=True)
    return net.eval().requires_grad_(False)


def psnr_db(picture: torch.Tensor, expected: torch.Tensor) -> float:
    span = expected.max() - expected.min()
    return float(10 * torch.log10(span**2 / (picture - expected).square().mean()))


def test_names_shapes_and_order_are_those_of_the_official_file() -> None:
    keys = json.loads((GOLDEN_DIR / "wav2lip_keys.json").read_text(encoding="utf-8"))
    with torch.device("meta"):
        ours = Wav2Lip().state_dict()
    assert [(name, list(tensor.shape)) for name, tensor in ours.items()] == [
        (name, entry["shape"]) for name, entry in keys.items()
    ]


def test_nothing_stays_on_the_meta_device(state: dict[str, torch.Tensor]) -> None:
    net = loaded(state)
    assert not [name for name, tensor in (*net.named_parameters(), *net.named_buffers()) if tensor.is_meta]


def test_output_is_that_of_the_published_definition(state: dict[str, torch.Tensor]) -> None:
    golden = np.load(GOLDEN_DIR / "wav2lip_forward.npz")
    net = loaded(state)
    np.testing.assert_allclose(net(MEL, FACE), golden["output"], rtol=0, atol=1e-5)
    # Its values go up to 93, where float32 has steps of 8e-6, and processors and threads add in other orders.
    embedding = golden["audio_embedding"]
    np.testing.assert_allclose(net.audio_encoder(MEL), embedding, rtol=0, atol=5e-6 * np.abs(embedding).max())


def test_folded_norms_and_channels_last_change_nothing(state: dict[str, torch.Tensor]) -> None:
    net = loaded(state)
    net.fold_batch_norms()
    assert not [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    net = net.to(memory_format=torch.channels_last)
    golden = np.load(GOLDEN_DIR / "wav2lip_forward.npz")["output"]
    np.testing.assert_allclose(net(MEL, FACE), golden, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("dtype", "floor_db"), [(torch.bfloat16, 50), (torch.float16, 68)])
def test_short_formats_come_close(state: dict[str, torch.Tensor], dtype: torch.dtype, floor_db: float) -> None:
    net = loaded(state)
    net.fold_batch_norms()
    picture = net.to(dtype)(MEL[:1].to(dtype), FACE[:1].to(dtype))
    assert picture.dtype == torch.float32
    golden = torch.from_numpy(np.load(GOLDEN_DIR / "wav2lip_forward.npz")["output"][:1])
    assert psnr_db(picture, golden) > floor_db


@pytest.mark.parametrize("form", ["module", "bare", "torchscript"])
def test_written_files_hold_the_official_forms(tmp_path: Path, state: dict[str, torch.Tensor], form: str) -> None:
    path = tmp_path / "wav2lip.pth"
    write_wav2lip(path, form)  # type: ignore[arg-type]
    if form == "torchscript":
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*torch\.jit.* is deprecated")
            scripted = torch.jit.load(str(path))
        names = scripted.state_dict()
        np.testing.assert_allclose(scripted(MEL, FACE).detach(), loaded(state)(MEL, FACE), rtol=0, atol=1e-6)
    else:
        stored = torch.load(path, weights_only=True, mmap=True)
        names = stored if form == "bare" else stored["state_dict"]
    prefix = "module." if form == "module" else ""
    assert {name: tensor.shape for name, tensor in names.items()} == {
        prefix + name: tensor.shape for name, tensor in state.items()
    }
