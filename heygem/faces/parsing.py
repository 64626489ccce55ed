"""Which pixels of an aligned face are face: ParseNet (facexlib), for pasting an enhanced face back.

The other door to facexlib besides retinaface.py. Finds and downloads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own convention
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heygem.arrays import Crops, Mask
from heygem.device import Placement
from heygem.errors import Text, WeightsRefusedError
from heygem.nets.enlarging import ConvOfRepeated
from heygem.runtime.network import Input
from heygem.weights.load import load_network

SIZE_PX = 512
"""Side of the crops that the network was trained on."""

_CLASSES = 19
_FACE_CLASSES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15)
"""What GFPGAN pastes: skin, nose, glasses, eyes, brows, ears, mouth, lips, hair, ear-rings; not background (0), hat
(14), necklace (16), neck (17), clothes (18). The classes are those of CelebAMask-HQ."""
_SIGMA_PX = 11 * 2**0.5
"""GFPGAN blurs the mask twice with sigma 11, which is once with this."""
_RADIUS_PX = 50
_BORDER_PX = 40
"""Cleared before blurring. GFPGAN clears 10 px afterwards, which leaves a hard line where hair meets the border."""
_INPUTS = (Input(shape=(-1, 3, SIZE_PX, SIZE_PX), example=(1, 3, 128, 128)),)


class FaceParser:
    """ParseNet on its device.

    Args:
        network: Of `parsenet_network`, on the device and in the number format of `placement`.
        placement: Where `network` is.
    """

    def __init__(self, network: nn.Module, placement: Placement) -> None:
        self._network = network
        self._placement = placement
        offsets = torch.arange(-_RADIUS_PX, _RADIUS_PX + 1, dtype=torch.float64)
        kernel = torch.exp(-0.5 * (offsets / _SIGMA_PX) ** 2)
        self._kernel = (kernel / kernel.sum()).to(placement.device, torch.float32)
        is_face = torch.zeros(_CLASSES)
        is_face[list(_FACE_CLASSES)] = 1
        self._is_face = is_face.to(placement.device)

    @torch.inference_mode()
    def parse(self, crops: Crops) -> Mask:
        """How much of each pixel is face, with soft edges.

        Args:
            crops: (N, 3, 512, 512) RGB 0..1, aligned as GFPGAN aligns, on any device.

        Returns:
            (N, 1, 512, 512) float32 0..1 on the network's device; 0 at the borders.

        Raises:
            torch.OutOfMemoryError: N crops do not fit on the device.
        """
        inputs = crops.to(self._placement.device, self._placement.precision) * 2 - 1
        logits, _ = self._network(inputs.contiguous(memory_format=torch.channels_last))
        face = self._is_face[logits.argmax(dim=1)][:, None]
        inner = face[..., _BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX]
        padded = F.pad(inner, (_BORDER_PX + _RADIUS_PX,) * 4)
        blurred = F.conv2d(F.conv2d(padded, self._kernel.view(1, 1, 1, -1)), self._kernel.view(1, 1, -1, 1))
        return blurred.clamp_(0, 1)


def load_parser(path: Path, placement: Placement) -> FaceParser:
    """A parser with its network on the device.

    Args:
        path: The official parsing_parsenet.pth.
        placement: Where to compute, in which number format, by what.

    Raises:
        DeviceError: OpenVINO was to compute, and cannot.
        WeightsRefusedError: the file holds something else.
    """
    make = _parsenet_for_cpu if placement.device.type == "cpu" else parsenet_network
    return FaceParser(load_network(make, path, _INPUTS, placement), placement)


def _parsenet_for_cpu(tensors: Mapping[str, Tensor]) -> nn.Module:
    """Fewer products, more passes over memory: what GPUs, which have products to spare, gain by it is not known."""
    network = parsenet_network(tensors)
    convolve_before_enlarging(network)
    return network


def parsenet_network(tensors: Mapping[str, Tensor]) -> nn.Module:
    """facexlib's ParseNet with these weights, fp32, in evaluation mode, batch normalisation folded.

    It maps (N, 3, 512, 512) RGB -1..1 to logits (N, 19, 512, 512) and a picture that nobody needs.

    Raises:
        WeightsRefusedError: the tensors are not those of ParseNet.
    """
    # Here and not above: facexlib imports torchvision and OpenCV, and most of the program needs no parser.
    from facexlib.parsing.parsenet import ConvLayer, ParseNet

    with torch.device("meta"):
        network: nn.Module = ParseNet(in_size=SIZE_PX, out_size=SIZE_PX, parsing_ch=_CLASSES)
    try:
        network.load_state_dict(dict(tensors), strict=True, assign=True)
    except RuntimeError as error:
        raise WeightsRefusedError(
            Text("这些权重不是 ParseNet 的权重。", "These weights are not those of ParseNet."),
            hint=Text("请重新下载官方文件。", "Download the official file again."),
        ) from error
    network.float().eval().requires_grad_(False)
    # The same numbers with a layer less; twice as fast in bf16, where normalising is bound by memory.
    for layer in network.modules():
        if isinstance(layer, ConvLayer) and isinstance(layer.norm.norm, nn.BatchNorm2d):
            layer.conv2d = fuse_conv_bn_eval(layer.conv2d, layer.norm.norm)
            layer.norm = nn.Identity()
    return network


def convolve_before_enlarging(network: nn.Module) -> None:
    """Make a `parsenet_network` compute the same with a third fewer products; see `nets.enlarging`. In place."""
    from facexlib.parsing.parsenet import ConvLayer, ResidualBlock

    assert isinstance(network.decoder, nn.Sequential)
    for block in network.decoder:
        assert isinstance(block, ResidualBlock)
        for layer in (block.conv1, block.shortcut_func):
            assert isinstance(layer, ConvLayer)
            layer.conv2d = ConvOfRepeated(layer.conv2d)
            layer.scale_func = nn.Identity()
            layer.use_pad = False
