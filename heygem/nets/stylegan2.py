"""The StyleGAN2 decoder of GFPGAN: modulated convolutions, stored noise, half of the channels steered by the U-Net.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, as GFPGAN v1 clean uses it: plain layers
instead of custom CUDA kernels, bilinear enlargement instead of FIR filters.

The modulation of a weight by a style is moved to the activations, which is the same sum: scaling the weight's input
channels by s is scaling the activations by s, and the norm of the scaled weight is sqrt(s^2 @ sum(W^2)). So weights are
constant, a batch may hold different faces, and compilers can pack the weights once.

Noise is that which the file stores. Fresh noise in every frame is a flicker.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody uses

from heygem.nets.basicsr_door import default_init_weights
from heygem.nets.enlarging import conv_of_enlarged, enlarged, transposed

STYLE_WIDTH = 512
NEGATIVE_SLOPE = 0.2
_EPSILON = 1e-8


class ModulatedConv2d(nn.Module):
    """A convolution whose input channels are scaled by a style.

    The official files store the weight with a leading 1, (1, O, I, k, k), which `.to(memory_format=channels_last)`
    refuses. Here it is (O, I, k, k); state dictionaries, read and written, have the official shape.

    Args:
        channels: Input channels I.
        out: Output channels O.
        kernel: Side k.
        demodulate: Bring the output back to the size that an unscaled convolution gives.
    """

    square_sums: Tensor
    """(O, I): squares of the weight, summed over the kernel. Derived from the weight whenever that is loaded."""
    mirrored: Tensor | None
    """The weight as `enlarging.conv_of_enlarged` needs it beside, once `convolve_before_enlarging` was called."""

    def __init__(self, channels: int, out: int, kernel: int, *, demodulate: bool = True) -> None:
        super().__init__()
        self.demodulate = demodulate
        self.weight = nn.Parameter(torch.randn(out, channels, kernel, kernel) / math.sqrt(channels * kernel**2))
        self.modulation = nn.Linear(STYLE_WIDTH, channels)
        if not self.weight.is_meta:
            # Around 1: with styles around 0 an untrained decoder would multiply its picture away.
            default_init_weights(self.modulation, bias=1, negative_slope=1)
        self.register_buffer("square_sums", _square_sums(self.weight) if demodulate else None, persistent=False)
        self.register_buffer("mirrored", None, persistent=False)
        self.register_load_state_dict_pre_hook(_drop_leading_one)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(_derive_square_sums)  # type: ignore[no-untyped-call]
        self.register_state_dict_post_hook(_add_leading_one)  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor, style: Tensor, *, enlarge: bool = False) -> tuple[Tensor, Tensor | None]:
        """Convolve, and give the factor of the output channels apart, for the caller to merge with what follows.

        Args:
            x: (N, I, H, W).
            style: (N, 512).
            enlarge: Double the sides first.

        Returns:
            (N, O, H, W) or, enlarged, (N, O, 2H, 2W); and the factor (N, O, 1, 1) to multiply it with, None for 1.
        """
        scale: Tensor = self.modulation(style)
        factor = None
        if self.demodulate:
            exact = scale.float()
            # The largest scale becomes 1 and the factor makes up for it, or float16 activations could overflow.
            largest = exact.abs().amax(dim=1, keepdim=True).clamp_min(_EPSILON)
            norms = torch.rsqrt(exact.square() @ self.square_sums.float().t() + _EPSILON)
            factor = (norms * largest).to(x.dtype)[:, :, None, None]
            scale = (exact / largest).to(x.dtype)
        x = x * scale[:, :, None, None]
        if enlarge and self.mirrored is not None:
            return conv_of_enlarged(x, self.weight, self.mirrored), factor
        if enlarge:
            x = enlarged(x)
        return F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2), factor

    def convolve_before_enlarging(self) -> None:
        """Where the sides are doubled, do so behind the convolution: the same sums with fewer products.

        Do it when the weights are loaded and before a change to a shorter number format.
        """
        self.mirrored = transposed(self.weight)


class StyleConv(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU."""

    def __init__(self, channels: int, out: int, *, enlarge: bool = False) -> None:
        super().__init__()
        self.enlarge = enlarge
        self.modulated_conv = ModulatedConv2d(channels, out, kernel=3)
        self.weight = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(1, out, 1, 1))

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """(N, I, H, W), (N, 512) and noise (N, 1, H', W') to (N, O, H', W')."""
        y, factor = self.modulated_conv(x, style, enlarge=self.enlarge)
        y = torch.addcmul(self.bias, y, factor * math.sqrt(2))
        return F.leaky_relu(y + self.weight * noise, NEGATIVE_SLOPE)


class ToRGB(nn.Module):
    """Modulated 1 x 1 convolution to colours."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.modulated_conv = ModulatedConv2d(channels, 3, kernel=1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(N, C, H, W) and (N, 512) to (N, 3, H, W)."""
        y, _ = self.modulated_conv(x, style)
        colours: Tensor = y + self.bias
        return colours


class StyleGAN2Decoder(nn.Module):
    """From 4 x 4 to 512 x 512 in seven doublings.

    Args:
        widths: Channels at 4, 8, 16, 32, 64, 128, 256 and 512 pixels.
        mlp_layers: Layers of the mapping network.
    """

    def __init__(self, widths: tuple[int, ...], mlp_layers: int) -> None:
        super().__init__()
        self.style_mlp = _mapping_network(mlp_layers)
        self.constant_input = _ConstantInput(widths[0])
        self.style_conv1 = StyleConv(widths[0], widths[0])
        self.to_rgb1 = ToRGB(widths[0])
        self.style_convs = nn.ModuleList()
        self.to_rgbs = nn.ModuleList()
        self.noises = nn.Module()
        self.noises.register_buffer("noise0", torch.randn(1, 1, 4, 4))
        for step, (channels, out) in enumerate(itertools.pairwise(widths), start=1):
            self.style_convs += [StyleConv(channels, out, enlarge=True), StyleConv(out, out)]
            self.to_rgbs.append(ToRGB(out))
            for number in (2 * step - 1, 2 * step):
                self.noises.register_buffer(f"noise{number}", torch.randn(1, 1, 4 << step, 4 << step))

    def forward(self, styles: Tensor, conditions: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Draw.

        Args:
            styles: (N, 16, 512), one per layer.
            conditions: For 8, 16, ... 512 pixels a scale and a shift, (N, C/2, H, W) each, of the second half of the
                channels.

        Returns:
            (N, 3, 512, 512).
        """
        # An index, not an expansion, for each item: compilers see through that, and then keep the sums of noise and
        # bias, 260 MB of them.
        each = torch.zeros(styles.shape[0], dtype=torch.long, device=styles.device)
        x = self.style_conv1(self.constant_input(styles.shape[0]), styles[:, 0], self._noise(0)[each])
        picture: Tensor = self.to_rgb1(x, styles[:, 1])
        for step, (scale, shift) in enumerate(conditions):
            first, second = 2 * step, 2 * step + 1
            x = self.style_convs[first](x, styles[:, first + 1], self._noise(first + 1)[each])
            free, steered = x.chunk(2, dim=1)
            x = torch.cat([free, torch.addcmul(shift, steered, scale)], dim=1)
            x = self.style_convs[second](x, styles[:, second + 1], self._noise(second + 1)[each])
            picture = enlarged(picture) + self.to_rgbs[step](x, styles[:, second + 2])
        return picture

    def _noise(self, number: int) -> Tensor:
        return self.noises.get_buffer(f"noise{number}")


class _ConstantInput(nn.Module):
    """What every face grows from."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, channels, 4, 4))

    def forward(self, count: int) -> Tensor:
        return self.weight.expand(count, -1, -1, -1)


def _mapping_network(layers: int) -> nn.Sequential:
    """Part of the official file; not run, because GFPGAN's U-Net gives the styles themselves."""
    # The official network normalises at index 0.
    modules: list[nn.Module] = [nn.Identity()]
    for _ in range(layers):
        modules += [nn.Linear(STYLE_WIDTH, STYLE_WIDTH), nn.LeakyReLU(NEGATIVE_SLOPE)]
    return nn.Sequential(*modules)


def _square_sums(weight: Tensor) -> Tensor:
    return weight.detach().float().square().sum(dim=(2, 3)).to(weight.dtype)


def _derive_square_sums(module: nn.Module, _incompatible: object) -> None:
    assert isinstance(module, ModulatedConv2d)
    if module.demodulate:
        module.square_sums = _square_sums(module.weight)


def _drop_leading_one(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    weight = state.get(f"{prefix}weight")
    if isinstance(weight, Tensor) and weight.ndim == 5 and weight.shape[0] == 1:
        state[f"{prefix}weight"] = weight.squeeze(0)


def _add_leading_one(module: nn.Module, state: dict[str, Any], prefix: str, _local_metadata: object) -> None:
    state[f"{prefix}weight"] = state[f"{prefix}weight"].unsqueeze(0)
