"""WarpNet: a narrow relative of the Wav2Lip generator that says where skin moves instead of drawing all of it.

Beside new colours it gives an opacity and a flow: `opacity * colour + (1 - opacity) * (the frame fetched along flow)`.
The fetching is done elsewhere, at the frame's own resolution, so that skin and lips stay as sharp as the clip and only
the inside of the mouth has the net's resolution. Knows no files and no pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody uses

from heygem.nets.blocks import ConvBlock, LipTowers, Widths

_FLOW_HIDDEN = 24


class WarpNet(LipTowers):
    """Redraws a mouth so that it speaks a mel window."""

    def __init__(self, widths: Widths) -> None:
        super().__init__(widths)
        face, decoder = widths.face, widths.decoder
        self.colour_head = nn.Sequential(
            ConvBlock(nn.Conv2d(decoder[6] + face[0], widths.head, kernel_size=3, padding=1)),
            nn.Conv2d(widths.head, 4, kernel_size=1),
        )
        self.coarse_flow_head = _flow_head(decoder[4] + face[2])
        self.fine_flow_head = _flow_head(decoder[5] + face[1])

    def forward(self, mel: Tensor, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Colour, opacity and flow. All three are float32 even where the net computes in less.

        Args:
            mel: (N, 1, 80, 16), -4..4, in the format of the weights.
            face: (N, 6, 96, 96), RGB, 0..1, in the format of the weights: the crop with rows 48..95 zeroed, then the
                whole crop.

        Returns:
            colour: (N, 3, 96, 96), RGB, 0..1.
            opacity: (N, 1, 96, 96), 0..1: how much of `colour` covers the frame.
            flow: (N, 2, 96, 96), (x, y) in crop pixels: where, relative to itself, a pixel is fetched from.
        """
        return assembled(*self.heads(mel, face))

    def heads(self, mel: Tensor, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All that is computed in the format of the weights, from what `forward` takes.

        Returns:
            painted: (N, 4, 96, 96): colour and opacity before the sigmoid.
            coarse: (N, 2, 24, 24): flow in pixels of this map.
            fine: (N, 2, 48, 48): flow in pixels of the crop.
        """
        maps = self.decoded(mel, face)
        return self.colour_head(maps[6]), self.coarse_flow_head(maps[4]), self.fine_flow_head(maps[5])


def assembled(painted: Tensor, coarse: Tensor, fine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Colour, opacity and flow, as `WarpNet.forward` returns them, from what `WarpNet.heads` did."""
    shown = torch.sigmoid(painted.float())
    return shown[:, :3], shown[:, 3:], 4 * _enlarged(coarse, 4) + _enlarged(fine, 2)


def _flow_head(channels: int) -> nn.Sequential:
    """Starts as no movement, or an untrained net would tear the picture before it has learnt anything."""
    last = nn.Conv2d(_FLOW_HIDDEN, 2, kernel_size=3, padding=1)
    nn.init.zeros_(last.weight)
    if last.bias is not None:
        nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Conv2d(channels, _FLOW_HIDDEN, kernel_size=3, padding=1), nn.ReLU(), last)


def _enlarged(flow: Tensor, factor: int) -> Tensor:
    """Bilinear in float32: shorter formats show as steps in the enlarged flow."""
    return F.interpolate(flow.float(), scale_factor=factor, mode="bilinear", align_corners=False)
