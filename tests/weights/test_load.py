from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from formula_weights import formula_state, write_retinaface, write_wav2lip
from heygem.device import Placement
from heygem.errors import WeightsRefusedError
from heygem.nets.wav2lip import Wav2Lip
from heygem.weights.load import build, read_metadata, read_tensors
from heygem.weights.torchscript import read_torchscript

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")

CPU = Placement(torch.device("cpu"), torch.float32)


class Small(nn.Module):
    """Has what the official networks have: nested modules, running statistics, a counter."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.out = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.blocks(x).mean((2, 3)))


STATE: dict[str, Tensor] = Small().state_dict()


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return list(found) == list(expected) and all(
        torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype for name, tensor in expected.items()
    )


FORMS: dict[str, Any] = {
    "bare": STATE,
    "ordered": OrderedDict(STATE),
    "module prefix": {f"module.{name}": tensor for name, tensor in STATE.items()},
    "state_dict": {"state_dict": STATE, "optimizer": {"state": {}}, "global_step": 3},
    "state_dict, module prefix": {"state_dict": {f"module.{name}": tensor for name, tensor in STATE.items()}},
    "params_ema": {"params_ema": STATE},
    "params": {"params": STATE},
    "the mean before the last": {"params": {"x": torch.zeros(1)}, "params_ema": STATE},
    "parameters": {
        name: nn.Parameter(tensor, requires_grad=tensor.is_floating_point()) for name, tensor in STATE.items()
    },
}


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_dictionary_is_read(tmp_path: Path, form: str, is_zip: bool) -> None:
    torch.save(FORMS[form], tmp_path / "net.pth", _use_new_zipfile_serialization=is_zip)
    found = read_tensors(tmp_path / "net.pth")
    assert same(found, STATE)
    assert not any(tensor.requires_grad for tensor in found.values())


def test_safetensors_are_read_with_their_notes(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    save_file(STATE, file, metadata={"made": "here"})
    found = read_tensors(file)
    assert same({name: found[name] for name in STATE}, STATE) and len(found) == len(STATE)
    assert read_metadata(file) == {"made": "here"}


def trace(net: nn.Module) -> torch.jit.ScriptModule:
    return torch.jit.trace(net.eval(), torch.zeros(1, 3, 8, 8), check_trace=False)


@pytest.mark.parametrize("make", [trace, torch.jit.script])
def test_torchscript_archives_give_the_tensors_that_torch_finds(
    tmp_path: Path, make: Callable[[nn.Module], torch.jit.ScriptModule]
) -> None:
    net = Small()
    net.half()
    net.blocks.float()
    make(net.float()).save(str(tmp_path / "net.pt"))
    assert same(read_tensors(tmp_path / "net.pt"), dict(torch.jit.load(tmp_path / "net.pt").state_dict()))


def test_the_official_torchscript_archive_becomes_the_network(tmp_path: Path) -> None:
    write_wav2lip(tmp_path / "wav2lip.pt", "torchscript")
    net = build(Wav2Lip, read_tensors(tmp_path / "wav2lip.pt"), CPU)
    assert same(net.state_dict(), formula_state("wav2lip"))
    (tmp_path / "wav2lip.pt").unlink()  # 145 MB


@pytest.mark.parametrize("prefix", [True, False])
def test_official_retinaface_files_are_read(tmp_path: Path, prefix: bool) -> None:
    write_retinaface(tmp_path / "net.pth", "mobile0.25", prefix=prefix)
    assert same(read_tensors(tmp_path / "net.pth"), formula_state("retinaface_mobile0.25"))


@pytest.mark.parametrize("suffix", ["pth", "safetensors", "pt"])
def test_the_tensors_outlive_what_happens_to_the_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"net.{suffix}"
    net = Small()
    if suffix == "pth":
        torch.save(net.state_dict(), file)
    elif suffix == "pt":
        trace(net).save(str(file))
    else:
        save_file(net.state_dict(), file)
    found = read_tensors(file)
    expected = {name: tensor.clone() for name, tensor in found.items()}
    file.write_bytes(bytes(file.stat().st_size))
    assert same(found, expected)
    os.truncate(file, 0)  # reading a page of a mapped file that is gone would end the process
    assert same(found, expected)


class Evil:
    """Pickles as a call of os.mkdir."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def repack(source: Path, target: Path, replaced: dict[str, bytes]) -> None:
    """Copy an archive with other content under the names that end so."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, next((data for end, data in replaced.items() if name.endswith(end)), old.read(name)))


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle", "newer pickle", "torchscript"])
def test_a_pickle_with_code_is_refused_and_not_executed(tmp_path: Path, form: str) -> None:
    file, trap = tmp_path / "net.pth", tmp_path / "executed"
    evil = {"state_dict": {"x": torch.zeros(2)}, "note": Evil(trap)}
    if form == "torchscript":
        trace(Small()).save(str(tmp_path / "good.pt"))
        repack(tmp_path / "good.pt", file, {"/data.pkl": pickle.dumps(Evil(trap), protocol=2)})
    elif "pickle" in form:
        file.write_bytes(pickle.dumps(Evil(trap), protocol=2 if form == "pickle" else 5))
    else:
        torch.save(evil, file, _use_new_zipfile_serialization=form == "zip")
    sentence = "damaged" if form == "newer pickle" else "holds code besides tensors"
    with pytest.raises(WeightsRefusedError, match=sentence):
        read_tensors(file)
    assert not trap.exists()


def test_torchscript_code_is_not_even_compiled(tmp_path: Path) -> None:
    trace(Small()).save(str(tmp_path / "good.pt"))
    repack(tmp_path / "good.pt", tmp_path / "net.pt", {".py": b"this is no program"})
    with pytest.raises(RuntimeError):
        torch.jit.load(tmp_path / "net.pt")
    assert same(read_tensors(tmp_path / "net.pt"), dict(torch.jit.load(tmp_path / "good.pt").state_dict()))


def test_a_torchscript_tensor_may_not_reach_beyond_its_storage(tmp_path: Path) -> None:
    trace(Small()).save(str(tmp_path / "good.pt"))
    repack(tmp_path / "good.pt", tmp_path / "net.pt", {"/data/0": bytes(8)})
    with pytest.raises(ValueError, match="does not fit"):
        read_torchscript(tmp_path / "net.pt")
    with pytest.raises(WeightsRefusedError, match="damaged"):
        read_tensors(tmp_path / "net.pt")


@pytest.mark.parametrize("suffix", ["pth", "legacy", "safetensors", "pt"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    whole, file = tmp_path / "whole", tmp_path / f"net.{suffix}"
    if suffix == "safetensors":
        save_file(STATE, whole)
    elif suffix == "pt":
        trace(Small()).save(str(whole))
    else:
        torch.save(STATE, whole, _use_new_zipfile_serialization=suffix == "pth")
    data = whole.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(WeightsRefusedError, match="damaged") as caught:
        read_tensors(file)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"<!doctype html><title>404</title>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer"),
        (b"\x00" * 900, "damaged"),
        (b"nonsense", "damaged"),
        (b"PK\x03\x04nonsense", "damaged"),
    ],
)
def test_what_holds_no_weights_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(WeightsRefusedError, match=sentence):
        read_tensors(tmp_path / "net.pth")


@pytest.mark.parametrize("saved", [{}, {"state_dict": {"x": 1}}, torch.zeros(3), [torch.zeros(3)], {"x": "y"}])
def test_a_file_without_a_dictionary_of_tensors_is_refused(tmp_path: Path, saved: object) -> None:
    torch.save(saved, tmp_path / "net.pth")
    with pytest.raises(WeightsRefusedError, match="no dictionary of tensors"):
        read_tensors(tmp_path / "net.pth")


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefusedError, match="cannot be read"):
        read_tensors(tmp_path / "net.pth")


def test_notes_are_read_from_safetensors_only(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "net.pth")
    with pytest.raises(WeightsRefusedError, match="safetensors"):
        read_metadata(tmp_path / "net.pth")


def test_a_network_is_built_ready_to_infer() -> None:
    built: list[Small] = []

    def factory() -> Small:
        built.append(Small())
        assert all(tensor.is_meta for tensor in built[0].state_dict().values())
        return built[0]

    net = build(factory, STATE, CPU)
    assert same(net.state_dict(), STATE)
    assert not any(tensor.is_meta for tensor in (*net.parameters(), *net.buffers()))
    assert not net.training and not any(parameter.requires_grad for parameter in net.parameters())
    assert net(torch.zeros(1, 3, 8, 8)).isfinite().all()


def test_a_network_is_built_in_the_wanted_format() -> None:
    net = build(Small, STATE, Placement(torch.device("cpu"), torch.bfloat16))
    assert {tensor.dtype for tensor in net.state_dict().values()} == {torch.bfloat16, torch.int64}
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in STATE.items()}
    assert {tensor.dtype for tensor in build(Small, half, CPU).parameters()} == {torch.float32}


def without(*names: str) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in STATE.items() if name not in names}


@pytest.mark.parametrize(
    ("tensors", "counts", "named"),
    [
        (without("out.bias"), "1 are missing, 0 are left over, 0 have another shape", ["out.bias"]),
        ({**STATE, "x": torch.zeros(1)}, "0 are missing, 1 are left over, 0 have", ["x"]),
        ({**STATE, "out.bias": torch.zeros(3)}, "0 are left over, 1 have another shape", ["out.bias (3,) ≠ (2,)"]),
        ({"a": torch.zeros(1)}, "of 9 tensors 9 are missing, 1 are left over", list(STATE)[:3]),
    ],
)
def test_tensors_of_another_network_are_refused_with_names(
    tensors: dict[str, Tensor], counts: str, named: list[str]
) -> None:
    with pytest.raises(WeightsRefusedError) as caught:
        build(Small, tensors, CPU)
    assert counts in caught.value.text.en and "Small" in caught.value.text.zh
    for name in named:
        assert name in caught.value.text.en and name in caught.value.text.zh
    assert list(STATE)[3] not in caught.value.text.en


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["out.weight", "blocks.1.running_var"])
def test_values_that_are_not_finite_are_refused(name: str, value: float) -> None:
    broken = {**STATE, name: STATE[name].clone()}
    broken[name].view(-1)[-1] = value
    with pytest.raises(WeightsRefusedError, match=f"not finite: {name}"):
        build(Small, broken, CPU)


def test_a_network_with_tensors_outside_its_state_dict_is_not_left_half_built() -> None:
    class Hidden(Small):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", torch.zeros(3), persistent=False)

    with pytest.raises(RuntimeError, match="outside its state dict: table"):
        build(Hidden, STATE, CPU)
