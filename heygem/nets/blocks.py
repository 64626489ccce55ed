"""The layers that the lip generators share: three towers whose widths are a table.

Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild", 2020 (Wav2Lip): a face
tower that halves the picture until one pixel is left, an audio tower that turns a mel window into one code, and a
decoder that grows the code back into a picture and is shown the face tower's map of the same size after every step.
Knows nothing of what is made of the decoder's maps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody uses
from torch.nn.utils.fusion import fuse_conv_bn_eval


@dataclass(frozen=True, slots=True)
class Widths:
    """How many channels each step of a lip generator has.

    Attributes:
        face: Face tower at 96, 48, 24, 12, 6, 3 and 1 pixels.
        audio: Audio tower, five steps; the code that follows is as wide as the decoder's first map.
        decoder: Decoder at 1, 3, 6, 12, 24, 48 and 96 pixels.
        head: Last hidden map.

    Raises:
        ValueError: another number of steps, or a width below 1.
    """

    face: tuple[int, ...]
    audio: tuple[int, ...]
    decoder: tuple[int, ...]
    head: int

    def __post_init__(self) -> None:
        steps = (len(self.face), len(self.audio), len(self.decoder))
        if steps != (7, 5, 7):
            raise ValueError(f"Expected 7, 5 and 7 widths, got {steps}.")
        if min(*self.face, *self.audio, *self.decoder, self.head) < 1:
            raise ValueError(f"Widths are at least 1, got {self}.")

    def to_json(self) -> str:
        """As it stands in the metadata of a weights file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Widths:
        """The table that `to_json` wrote.

        Raises:
            ValueError: the text is no such table.
        """
        try:
            table = json.loads(text)
            return cls(
                face=tuple(map(int, table["face"])),
                audio=tuple(map(int, table["audio"])),
                decoder=tuple(map(int, table["decoder"])),
                head=int(table["head"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"Not a width table: {text[:200]!r}.") from error


class ConvBlock(nn.Module):
    """Convolution, batch normalisation, ReLU; with `residual` the input is added before the ReLU."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, residual: bool = False) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to (N, C', H', W')."""
        y: Tensor = self.conv_block(x)
        return F.relu(y + x if self.residual else y)

    def fold(self) -> None:
        """Merge the normalisation into the convolution, which then computes both. Inference only, not reversible."""
        conv, norm = self.conv_block
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        assert isinstance(norm, nn.BatchNorm2d)
        folded = fuse_conv_bn_eval(conv, norm, transpose=isinstance(conv, nn.ConvTranspose2d))
        self.conv_block = nn.Sequential(folded)


class LipTowers(nn.Module):
    """Face tower, audio tower and decoder of a lip generator. Names of the parts are those of Wav2Lip's files."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        face, decoder = widths.face, widths.decoder
        self.face_encoder_blocks = nn.ModuleList(
            [
                nn.Sequential(_conv(6, face[0], kernel=7, padding=3)),
                _halving(face[0], face[1], residuals=2),
                _halving(face[1], face[2], residuals=3),
                _halving(face[2], face[3], residuals=2),
                _halving(face[3], face[4], residuals=2),
                _halving(face[4], face[5], residuals=1),
                nn.Sequential(_conv(face[5], face[6], padding=0), _conv(face[6], face[6], kernel=1, padding=0)),
            ]
        )
        self.audio_encoder = _audio_tower(widths.audio, code=decoder[0])
        skips = face[::-1]
        self.face_decoder_blocks = nn.ModuleList(
            [
                nn.Sequential(_conv(decoder[0], decoder[0], kernel=1, padding=0)),
                _growing(decoder[0] + skips[0], decoder[1], residuals=1, from_one_pixel=True),
                *(_growing(decoder[i] + skips[i], decoder[i + 1], residuals=2) for i in range(1, 6)),
            ]
        )

    def decoded(self, mel: Tensor, face: Tensor) -> list[Tensor]:
        """The decoder's maps, each with the face tower's map of the same size behind it.

        Args:
            mel: (N, 1, 80, 16), -4..4.
            face: (N, 6, 96, 96), 0..1.

        Returns:
            Seven maps of 1, 3, 6, 12, 24, 48 and 96 pixels.
        """
        skips = [face]
        for block in self.face_encoder_blocks:
            skips.append(block(skips[-1]))
        maps = [self.audio_encoder(mel)]
        for block, skip in zip(self.face_decoder_blocks, reversed(skips[1:]), strict=True):
            maps.append(torch.cat([block(maps[-1]), skip], dim=1))
        return maps[1:]

    def fold_batch_norms(self) -> None:
        """Merge every batch normalisation into its convolution: the same output in fewer passes.

        Do it in float32 and in eval mode, before a change to a shorter number format. The state dictionary afterwards
        is no longer that of the official file.

        Raises:
            AssertionError: the net is in training mode.
        """
        for module in self.modules():
            if isinstance(module, ConvBlock):
                module.fold()


def _conv(
    channels: int,
    out: int,
    *,
    kernel: int = 3,
    stride: int | tuple[int, int] = 1,
    padding: int = 1,
    residual: bool = False,
) -> ConvBlock:
    return ConvBlock(nn.Conv2d(channels, out, kernel, stride, padding), residual)


def _residuals(channels: int, count: int) -> list[ConvBlock]:
    return [_conv(channels, channels, residual=True) for _ in range(count)]


def _halving(channels: int, out: int, *, residuals: int) -> nn.Sequential:
    return nn.Sequential(_conv(channels, out, stride=2), *_residuals(out, residuals))


def _growing(channels: int, out: int, *, residuals: int, from_one_pixel: bool = False) -> nn.Sequential:
    """Doubles the side, or makes 3 x 3 out of one pixel."""
    grow = (
        nn.ConvTranspose2d(channels, out, kernel_size=3)
        if from_one_pixel
        else nn.ConvTranspose2d(channels, out, kernel_size=3, stride=2, padding=1, output_padding=1)
    )
    return nn.Sequential(ConvBlock(grow), *_residuals(out, residuals))


def _audio_tower(widths: Sequence[int], code: int) -> nn.Sequential:
    """80 bands x 16 steps -> 27 x 16 -> 9 x 6 -> 3 x 3 -> one code."""
    return nn.Sequential(
        _conv(1, widths[0]),
        *_residuals(widths[0], 2),
        _conv(widths[0], widths[1], stride=(3, 1)),
        *_residuals(widths[1], 2),
        _conv(widths[1], widths[2], stride=3),
        *_residuals(widths[2], 2),
        _conv(widths[2], widths[3], stride=(3, 2)),
        *_residuals(widths[3], 1),
        _conv(widths[3], widths[4], padding=0),
        _conv(widths[4], code, kernel=1, padding=0),
    )
