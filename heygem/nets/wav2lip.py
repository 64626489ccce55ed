"""The generator of Wav2Lip, as its official files name and shape it. Knows no files and no pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from heygem.nets.blocks import ConvBlock, LipTowers, Widths

WAV2LIP_WIDTHS = Widths(
    face=(16, 32, 64, 128, 256, 512, 512),
    audio=(32, 64, 128, 256, 512),
    decoder=(512, 512, 512, 384, 256, 128, 64),
    head=32,
)


class Wav2Lip(LipTowers):
    """Redraws a mouth so that it speaks a mel window (Prajwal et al. 2020)."""

    def __init__(self) -> None:
        super().__init__(WAV2LIP_WIDTHS)
        last = WAV2LIP_WIDTHS.decoder[-1] + WAV2LIP_WIDTHS.face[0]
        head = WAV2LIP_WIDTHS.head
        self.output_block = nn.Sequential(
            ConvBlock(nn.Conv2d(last, head, kernel_size=3, padding=1)), nn.Conv2d(head, 3, kernel_size=1)
        )

    def forward(self, mel: Tensor, face: Tensor) -> Tensor:
        """New face crops.

        Args:
            mel: (N, 1, 80, 16), -4..4, in the format of the weights.
            face: (N, 6, 96, 96), BGR, 0..1, in the format of the weights: the crop with rows 48..95 zeroed, then the
                whole crop.

        Returns:
            (N, 3, 96, 96) float32, BGR, 0..1. float32 even where the net computes in less, because bfloat16 between
            0.5 and 1 is coarser than a level of 255.
        """
        return torch.sigmoid(self.output_block(self.decoded(mel, face)[-1]).float())
