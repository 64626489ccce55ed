"""Where networks run: by what the machine has and by the settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from heygem import device
from heygem.device import place, placement_of
from heygem.errors import DeviceError, OptionError
from heygem.settings import Settings


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    def has(*, openvino: bool, bf16: bool) -> None:
        monkeypatch.setattr(device, "find_spec", lambda name: object() if openvino and name == "openvino" else None)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)

    return has


def settings(**chosen: str) -> Settings:
    return Settings(**{"device": "cpu", "cache_dir": Path("/cache"), **chosen})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("openvino", "bf16", "chosen", "name"),
    [
        (True, True, {}, "cpu+openvino/bf16"),
        (True, False, {}, "cpu+openvino/fp32"),
        (False, True, {}, "cpu/bf16"),
        (False, False, {}, "cpu/fp32"),
        (True, True, {"runtime": "torch"}, "cpu/bf16"),
        (True, True, {"precision": "fp32"}, "cpu+openvino/fp32"),
        (True, False, {"precision": "bf16"}, "cpu/bf16"),
        (True, True, {"runtime": "openvino"}, "cpu+openvino/bf16"),
    ],
)
def test_a_cpu_computes_by_openvino_where_it_is_and_in_bf16_where_it_can(
    machine, openvino: bool, bf16: bool, chosen: dict[str, str], name: str
) -> None:
    machine(openvino=openvino, bf16=bf16)
    placement = placement_of(settings(**chosen))
    assert str(placement) == name
    assert placement.converted_dir == (Path("/cache/networks") if "openvino" in name else None)


def test_openvino_that_was_asked_for_and_is_not_there_is_an_error(machine) -> None:
    machine(openvino=False, bf16=True)
    with pytest.raises(DeviceError, match="not installed") as raised:
        placement_of(settings(runtime="openvino"))
    assert "requirements-cpu.txt" in raised.value.hint.en


def test_openvino_does_not_compute_bf16_where_the_processor_lacks_it(machine) -> None:
    machine(openvino=True, bf16=False)
    with pytest.raises(DeviceError, match="cpu/bf16"):
        placement_of(settings(runtime="openvino", precision="bf16"))


def test_another_runtime_is_refused(machine) -> None:
    machine(openvino=True, bf16=True)
    with pytest.raises(OptionError, match="'onnx'"):
        placement_of(settings(runtime="onnx"))


def test_what_a_cpu_cannot_is_told() -> None:
    with pytest.raises(DeviceError, match="fp16"):
        place("cpu", "fp16")
    with pytest.raises(OptionError, match="int8"):
        place("cpu", "int8")
    with pytest.raises(DeviceError, match="not supported"):
        place("meta")
