from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from heygem.batch_memory import BatchMemory
from heygem.errors import OutOfMemoryError
from heygem.pipeline.halving import in_halves

ITEMS = torch.arange(300.0)


@dataclass
class Device:
    """Runs out of memory with more than `room` items at once."""

    room: int
    tried: list[int] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)
    left_behind: list[weakref.ref[Tensor]] = field(default_factory=list)

    def __call__(self, items: slice) -> Tensor:
        assert not any(tensor() is not None for tensor in self.left_behind), "a failed attempt still holds memory"
        part = ITEMS[items]
        self.tried.append(len(part))
        activations = part * 1
        if len(part) > self.room:
            self.left_behind.append(weakref.ref(activations))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self.drawn.append(len(part))
        return activations * 2


@pytest.mark.parametrize("room", [1, 20, 128, 1000])
@pytest.mark.parametrize("count", [0, 1, 129, 300])
def test_the_result_is_the_same_however_little_fits(room: int, count: int) -> None:
    parts = in_halves(count, BatchMemory(128), Device(room))
    assert torch.equal(torch.cat([torch.empty(0), *parts]), ITEMS[:count] * 2)


def test_the_same_items_are_tried_again_in_halves() -> None:
    device, batch = Device(20), BatchMemory(128)
    in_halves(300, batch, device)
    assert device.tried[:4] == [128, 64, 32, 16]
    assert device.drawn == [16] * 18 + [12]
    assert batch.size == 16


def test_the_size_that_fits_is_remembered() -> None:
    device, batch = Device(20), BatchMemory(128)
    in_halves(300, batch, device)
    device.tried.clear()
    in_halves(32, batch, device)
    assert device.tried == [16, 16]


def test_a_remainder_that_does_not_fit_is_halved_from_its_own_size() -> None:
    device, batch = Device(5), BatchMemory(128)
    in_halves(12, batch, device)
    assert device.tried == [12, 6, 3, 3, 3, 3]
    assert batch.size == 3


def test_one_item_that_does_not_fit_is_an_error_with_advice() -> None:
    with pytest.raises(OutOfMemoryError, match="single frame") as caught:
        in_halves(4, BatchMemory(4), Device(0))
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert "显存" in caught.value.text.zh and "--device cpu" in caught.value.hint.en


def test_other_errors_pass() -> None:
    def draw(items: slice) -> None:
        raise RuntimeError("device-side assert")

    with pytest.raises(RuntimeError, match="device-side"):
        in_halves(4, BatchMemory(4), draw)


def test_the_first_default_counts_and_sizes_only_shrink() -> None:
    batch = BatchMemory()
    with pytest.raises(RuntimeError, match="start_at"):
        _ = batch.size
    batch.start_at(32)
    batch.start_at(64)
    assert batch.size == 32
    batch.shrink_to(8)
    batch.shrink_to(16)
    batch.start_at(64)
    assert batch.size == 8
