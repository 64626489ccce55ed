"""PatchGAN over the mouth: tells texture of rendered mouths from texture of drawn ones.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017; hinge loss and feature matching
as in Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", 2018; spectral
normalisation by Miyato et al., 2018. Only for training: no product code loads it.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import l1_loss, relu
from torch.nn.utils.parametrizations import spectral_norm

_ROWS, _COLUMNS = slice(46, 94), slice(16, 80)


class MouthDiscriminator(nn.Module):
    """Judges patches of 22 pixels around the mouth."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [_layer(3, 24, stride=2), _layer(24, 48, stride=2), _layer(48, 64, stride=1), nn.Conv2d(64, 1, 3, 1, 1)]
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """The map of every layer; the last is the judgement, above 0 for real.

        Args:
            pictures: (N, 3, 96, 96) RGB, 0..1.
        """
        maps = [pictures[:, :, _ROWS, _COLUMNS]]
        for layer in self.layers:
            maps.append(layer(maps[-1]))
        return maps[1:]


def hinge_loss(real: list[Tensor], drawn: list[Tensor]) -> Tensor:
    """What the discriminator minimises."""
    return relu(1 - real[-1]).mean() + relu(1 + drawn[-1]).mean()


def fooling_loss(drawn: list[Tensor]) -> Tensor:
    """What the generator minimises."""
    return -drawn[-1].mean()


def feature_loss(real: list[Tensor], drawn: list[Tensor]) -> Tensor:
    """L1 between the hidden maps of truth and drawing: steadies the game."""
    total = real[0].new_zeros(())
    for truth, drawing in zip(real[:-1], drawn[:-1], strict=True):
        total = total + l1_loss(drawing, truth.detach())
    return total


def _layer(channels: int, out: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(spectral_norm(nn.Conv2d(channels, out, 4, stride, 1)), nn.LeakyReLU(0.2))
