"""Which pixels of an aligned face are face: ParseNet (facexlib), for pasting an enhanced face back.

The other door to facexlib besides retinaface.py. Finds and downloads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
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
"""Not face before blurring, whatever is there, so that `InnerLogits` leaves it out. GFPGAN clears 10 px afterwards,
which leaves a hard line where hair meets the border."""
_INPUTS = (Input(shape=(-1, 3, SIZE_PX, SIZE_PX), example=(1, 3, 128, 128)),)


class FaceParser:
    """ParseNet on its device.

    Args:
        network: Of `parsing_network`, on the device and in the number format of `placement`.
        placement: Where `network` is.
    """

    def __init__(self, network: nn.Module, placement: Placement) -> None:
        self._network = network
        self._placement = placement
        to, of = torch.arange(SIZE_PX, dtype=torch.float64), torch.arange(_BORDER_PX, SIZE_PX - _BORDER_PX)
        away = to[:, None] - of
        bell = torch.exp(-0.5 * (away / _SIGMA_PX) ** 2) * (away.abs() <= _RADIUS_PX)
        # As a matrix: where there is one channel, products of matrices are quicker than convolutions.
        self._blur = (bell / bell.sum(dim=0).max()).to(placement.device, torch.float32)

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
        face: Tensor = self._network(inputs.contiguous(memory_format=torch.channels_last))
        return (self._blur @ face.float() @ self._blur.T).clamp_(0, 1)


def load_parser(path: Path, placement: Placement) -> FaceParser:
    """A parser with its network on the device.

    Args:
        path: The official parsing_parsenet.pth.
        placement: Where to compute, in which number format, by what.

    Raises:
        DeviceError: OpenVINO was to compute, and cannot.
        WeightsRefusedError: the file holds something else.
    """
    make = partial(parsing_network, for_cpu=placement.device.type == "cpu")
    return FaceParser(load_network(make, path, _INPUTS, placement), placement)


def parsing_network(tensors: Mapping[str, Tensor], *, for_cpu: bool) -> nn.Module:
    """The network of a `FaceParser`, from the weights of ParseNet.

    It maps (N, 3, 512, 512) RGB -1..1 to (N, 1, 432, 432): 1 where a pixel is face and 0 elsewhere, without the border.

    Args:
        tensors: The official weights.
        for_cpu: As in `InnerLogits`.

    Raises:
        WeightsRefusedError: the tensors are not those of ParseNet.
    """
    return FaceOrNot(InnerLogits(parsenet_network(tensors), for_cpu=for_cpu))


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


class FaceOrNot(nn.Module):
    """Whether the likeliest class of a pixel is one of the face's; of two that are equally likely, the first counts.

    Args:
        logits: Of `InnerLogits`.
    """

    def __init__(self, logits: nn.Module) -> None:
        super().__init__()
        self.logits = logits
        self.is_face = nn.Buffer(torch.zeros(_CLASSES))
        self.is_face[list(_FACE_CLASSES)] = 1

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 512, 512) RGB -1..1 to (N, 1, 432, 432), 0 or 1."""
        logits: Tensor = self.logits(x)
        face: Tensor = self.is_face[logits.argmax(dim=1, keepdim=True)]
        return face[..., 1:-1, 1:-1]


class InnerLogits(nn.Module):
    """ParseNet's logits but for those of the border, and nothing that only the border needs.

    The encoder sees the whole picture. The decoder takes 32 rows, and its convolutions lose a row on each side instead
    of mirroring one: 32 rows become 60, cut to 58, then 112, 220, 436, and 434 logits, of the rows 39 to 472.

    Args:
        parsenet: Of `parsenet_network`; taken over, not copied.
        for_cpu: Fewer products, more passes over memory: what GPUs, which have products to spare, gain by it is not
            known.
    """

    def __init__(self, parsenet: nn.Module, *, for_cpu: bool) -> None:
        from facexlib.parsing.parsenet import ParseNet

        super().__init__()
        assert isinstance(parsenet, ParseNet)
        for block in parsenet.decoder:
            for layer in (block.conv1, block.conv2, block.shortcut_func):
                layer.use_pad = False
            if for_cpu:
                for layer, cut in ((block.conv1, 1), (block.shortcut_func, 2)):
                    layer.conv2d = ConvOfRepeated(layer.conv2d, cut)
                    layer.scale_func = nn.Identity()
            else:
                block.shortcut_func = nn.Sequential(block.shortcut_func, _Cut())
        parsenet.out_mask_conv.use_pad = False
        first, second, *others = parsenet.encoder
        self.encoder = nn.Sequential(_Joined(first, second), *others) if for_cpu else parsenet.encoder
        self.body = parsenet.body
        self.decoder = nn.Sequential(parsenet.decoder[0], _Cut(), *parsenet.decoder[1:], parsenet.out_mask_conv)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 512, 512) RGB -1..1 to (N, 19, 434, 434)."""
        x = self.encoder(x)
        logits: Tensor = self.decoder(x + self.body(x))
        return logits


class _Cut(nn.Module):
    """Takes a row and a column off each side."""

    def forward(self, x: Tensor) -> Tensor:
        return x[..., 1:-1, 1:-1]


class _Joined(nn.Module):
    """ParseNet's first convolution and first block, with half the products that they need one after the other.

    Nothing lies between that convolution and those that take its result: each of them and it are one convolution of
    the picture, 5 x 5 of three channels instead of 3 x 3 of 64. Not so at the border, since the block mirrors what the
    first convolution gives: the outermost rows and columns are computed as ever, from six of the picture.

    Args:
        first: 3 x 3.
        block: Halves the map.
    """

    def __init__(self, first: nn.Module, block: nn.Module) -> None:
        from facexlib.parsing.parsenet import ConvLayer, ResidualBlock

        super().__init__()
        assert isinstance(first, ConvLayer) and isinstance(block, ResidualBlock)
        self.apart = nn.Sequential(first, block)
        self.conv1 = _as_one(first.conv2d, block.conv1.conv2d)
        self.relu: nn.Module = block.conv1.relu
        self.conv2: nn.Module = block.conv2.conv2d
        self.shortcut = _as_one(first.conv2d, block.shortcut_func.conv2d)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, O, H / 2, W / 2)."""
        top, bottom = self.apart(x[:, :, :6])[:, :, :2], self.apart(x[:, :, -6:])[:, :, -1:]
        left, right = self.apart(x[..., :6])[:, :, 2:-1, :2], self.apart(x[..., -6:])[:, :, 2:-1, -1:]
        # Row 2 of the result is the first one for which nothing is mirrored; it needs the picture from row 1 on.
        inner = self.shortcut(x[..., 2:, 2:]) + self.conv2(self.relu(self.conv1(x[..., 1:, 1:])))
        return torch.cat([top, torch.cat([left, inner, right], dim=3), bottom], dim=2)


def _as_one(first: nn.Conv2d, second: nn.Conv2d) -> nn.Conv2d:
    """One convolution that gives what `second` gives of what `first` gives, both without padding."""
    assert first.bias is not None and second.bias is not None
    weight, bias = second.weight.double(), second.bias.double()
    reach = first.kernel_size[0] - 1
    size = second.kernel_size[0] + reach
    joined = nn.Conv2d(first.in_channels, second.out_channels, size, second.stride[0]).requires_grad_(False)
    joined.weight.copy_(F.conv2d(weight, first.weight.double().transpose(0, 1).flip(2, 3), padding=reach))
    assert joined.bias is not None
    joined.bias.copy_(bias + weight.sum(dim=(2, 3)) @ first.bias.double())
    return joined
