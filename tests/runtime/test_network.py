"""What networks of torch leave behind when another one computes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from heygem.device import Placement
from heygem.runtime import network
from heygem.runtime.network import Input, ready


@pytest.fixture
def given_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Grows whenever memory goes back."""
    times: list[int] = []
    monkeypatch.setattr(network, "give_back_free_pages", lambda: times.append(1))
    monkeypatch.setattr(network, "_turns", network._Turns())
    yield times


def net(precision: torch.dtype) -> nn.Module:
    placement = Placement(torch.device("cpu"), precision)
    return ready(lambda: nn.Linear(2, 2), [Input((-1, 2), (1, 2))], placement, lambda: "linear")


def test_in_float32_holes_go_back_when_another_network_computes(given_back: list[int]) -> None:
    x, one, other = torch.zeros(1, 2), net(torch.float32), net(torch.float32)
    counts = []
    for each in (one, one, other, other, one):
        each(x)
        counts.append(len(given_back))
    assert counts == [1, 1, 2, 2, 3]

    ref = weakref.ref(one)
    del one, each
    gc.collect()
    assert ref() is None  # a model that was unloaded is not kept for its turn


def test_in_bfloat16_nothing_waits_for_it(given_back: list[int]) -> None:
    for each in (net(torch.bfloat16), net(torch.bfloat16)):
        each(torch.zeros(1, 2, dtype=torch.bfloat16))
    assert given_back == []
