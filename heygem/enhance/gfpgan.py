"""GFPGAN v1 clean as a face enhancer: official weights, or a file of the user's own in the official form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from heygem.arrays import Crops
from heygem.device import FP32_ON_CPU, Placement
from heygem.nets.gfpgan import GFPGAN
from heygem.runtime.network import Input
from heygem.weights.load import build, load_network

CHECKPOINT = "gfpgan"

DEFAULT_BATCH = {"cpu": 1, "cuda": 8}
"""Crops to restore at once, by kind of device."""

_INPUTS = (Input(shape=(-1, 3, 512, 512), example=(1, 3, 512, 512)),)


class GfpganModel:
    """GFPGAN with its weights on a device. Its noise is stored with the weights, so a still face stays still."""

    crop_size = 512

    def __init__(self, net: nn.Module, placement: Placement) -> None:
        self._net = net
        self._precision = placement.precision
        self.device = placement.device

    @torch.inference_mode()
    def enhance(self, faces: Crops) -> Crops:
        """Restored crops.

        Args:
            faces: (N, 3, 512, 512) float32 RGB 0..1 on `device`.

        Raises:
            torch.OutOfMemoryError: N crops do not fit on the device.
        """
        scaled = (faces.clamp(0, 1) * 2 - 1).to(self._precision, memory_format=torch.channels_last)
        restored: Crops = self._net(scaled)
        return (restored.float() / 2 + 0.5).clamp(0, 1)


def load_gfpgan(path: Path, placement: Placement) -> GfpganModel:
    """GFPGAN on a device.

    Raises:
        DeviceError: OpenVINO was to compute, and cannot.
        WeightsRefusedError: the file holds something else.
    """
    make = _make_for_cpu if placement.device.type == "cpu" else _make
    return GfpganModel(load_network(make, path, _INPUTS, placement), placement)


def _make(tensors: Mapping[str, Tensor]) -> GFPGAN:
    return build(GFPGAN, tensors, FP32_ON_CPU)


def _make_for_cpu(tensors: Mapping[str, Tensor]) -> GFPGAN:
    """Fewer products, more passes over memory: what GPUs, which have products to spare, gain by it is not known."""
    net = _make(tensors)
    net.convolve_before_enlarging()
    return net
