"""GFPGAN v1 clean, as its official files name and shape it. Knows no files and no pictures.

Wang et al., "Towards Real-World Blind Face Restoration with Generative Facial Prior", 2021. A U-Net reads a face into
styles, which say who it is, and into maps that steer a StyleGAN2 decoder, which say where things are. The published
configuration: 512 pixels, channel multiplier 2, narrow 1, a style per layer, half of the channels steered.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody uses

from heygem.nets.enlarging import conv_of_enlarged, enlarged, transposed
from heygem.nets.stylegan2 import NEGATIVE_SLOPE, STYLE_WIDTH, StyleConv, StyleGAN2Decoder

_DECODER_WIDTHS = (512, 512, 512, 512, 512, 256, 128, 64)
"""Channels at 4, 8, ... 512 pixels."""
_UNET_WIDTHS = tuple(width // 2 for width in _DECODER_WIDTHS)
_MAPPING_LAYERS = 8
_LAYERS_WITH_STYLE = 2 * len(_DECODER_WIDTHS)
_STEPS_TOO_SMALL = 2
"""Steps, to 8 and to 16 pixels, whose borders cost more than is saved by convolving before enlarging."""


class GFPGAN(nn.Module):
    """Restores an aligned face of 512 x 512 pixels."""

    def __init__(self) -> None:
        super().__init__()
        smallest, *growing = _UNET_WIDTHS
        shrinking = growing[::-1]
        self.conv_body_first = nn.Conv2d(3, shrinking[0], kernel_size=1)
        self.conv_body_down = nn.ModuleList(
            _Shrinking(channels, out) for channels, out in zip(shrinking, [*shrinking[1:], smallest], strict=True)
        )
        self.final_conv = nn.Conv2d(smallest, smallest, kernel_size=3, padding=1)
        self.final_linear = nn.Linear(smallest * 4 * 4, _LAYERS_WITH_STYLE * STYLE_WIDTH)
        self.conv_body_up = nn.ModuleList(
            _Growing(channels, out) for channels, out in zip(_UNET_WIDTHS, growing, strict=False)
        )
        # Part of the official file; training looks at the U-Net's own picture, restoring does not need it.
        self.toRGB = nn.ModuleList(nn.Conv2d(width, 3, kernel_size=1) for width in growing)
        self.stylegan_decoder = StyleGAN2Decoder(_DECODER_WIDTHS, _MAPPING_LAYERS)
        self.condition_scale = nn.ModuleList(_condition(width) for width in growing)
        self.condition_shift = nn.ModuleList(_condition(width) for width in growing)

    def forward(self, x: Tensor) -> Tensor:
        """Restore faces. The same face gives the same picture: the noise is that of the file.

        Args:
            x: (N, 3, 512, 512), RGB, -1..1, in the format of the weights, aligned to the FFHQ template.

        Returns:
            (N, 3, 512, 512), RGB, about -1..1: the net may overshoot.
        """
        styles, maps = self.read(x)
        conditions = [
            (scale(feature), shift(feature))
            for scale, shift, feature in zip(self.condition_scale, self.condition_shift, maps, strict=True)
        ]
        picture: Tensor = self.stylegan_decoder(styles, conditions)
        return picture

    def read(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What the U-Net sees in faces.

        Args:
            x: As for `forward`.

        Returns:
            (N, 16, 512) styles; the U-Net's maps (N, C, H, W) at 8, 16, ... 512 pixels.
        """
        feature = _leaky(self.conv_body_first(x))
        skips: list[Tensor] = []
        for down in self.conv_body_down:
            feature = down(feature)
            skips.append(feature)
        feature = _leaky(self.final_conv(feature))
        styles = self.final_linear(feature.flatten(start_dim=1)).unflatten(1, (_LAYERS_WITH_STYLE, STYLE_WIDTH))
        maps: list[Tensor] = []
        for up, skip in zip(self.conv_body_up, reversed(skips), strict=True):
            feature = up(feature + skip)
            maps.append(feature)
        return styles, maps

    def convolve_before_enlarging(self) -> None:
        """Compute the same with a third fewer products; see `nets.enlarging`. The state dictionary stays as it is.

        Do it when the weights are loaded and before a change to a shorter number format.
        """
        growing = [module for module in self.conv_body_up if isinstance(module, _Growing)]
        styled = [module for module in self.stylegan_decoder.style_convs if isinstance(module, StyleConv)]
        for up in growing[_STEPS_TOO_SMALL:]:
            up.convolve_before_enlarging()
        for convolution in [module for module in styled if module.enlarge][_STEPS_TOO_SMALL:]:
            convolution.modulated_conv.convolve_before_enlarging()


class _ResBlock(nn.Module):
    """Convolve, resize, convolve, and add the resized input."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels, out, kernel_size=3, padding=1)
        self.skip = nn.Conv2d(channels, out, kernel_size=1, bias=False)


class _Shrinking(_ResBlock):
    """To half the sides."""

    def forward(self, x: Tensor) -> Tensor:
        y = _leaky(self.conv2(_halved(_leaky(self.conv1(x)))))
        shrunk: Tensor = y + self.skip(_halved(x))
        return shrunk


class _Growing(_ResBlock):
    """To twice the sides."""

    mirrored: Tensor | None

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out)
        self.register_buffer("mirrored", None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        y = _leaky(self.conv1(x))
        if self.mirrored is None:
            y = self.conv2(enlarged(y))
        else:
            assert self.conv2.bias is not None
            y = conv_of_enlarged(y, self.conv2.weight, self.mirrored) + self.conv2.bias[:, None, None]
        # Colours are mixed pixel by pixel: before or after enlarging is the same, before is less.
        return _leaky(y) + enlarged(self.skip(x))

    def convolve_before_enlarging(self) -> None:
        self.mirrored = transposed(self.conv2.weight)


def _condition(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, kernel_size=3, padding=1),
        nn.LeakyReLU(NEGATIVE_SLOPE),
        nn.Conv2d(width, width, kernel_size=3, padding=1),
    )


def _halved(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, NEGATIVE_SLOPE)
