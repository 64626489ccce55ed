"""The visible label: that a picture was generated, in Chinese and English, drawn into the frames.

Knows the planes of a frame; knows nothing of files. Text has to be at least 5 % of the shorter side high (GB
45438-2025, 5.4): capitals and Chinese characters all are, which a test measures on the picture. The label is drawn into
frames that are encoded anyway, so it costs no second encode.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from heygem.colour_space import ColourSpace
from heygem.frame import Frame
from heygem.pipeline.options import LabelPosition
from heygem.pipeline.stages import Shot

LINES = ("AI生成", "AI-GENERATED")
"""What the label says, a line each. The font holds these characters and no others."""

_FONT_FILE = Path(__file__).parent / "fonts" / "label.otf"
_FONT_SHARE = Fraction(7, 100)
"""Font size as a share of the shorter side: a capital, 0.733 of it, is then 5.1 % high."""
_MARGIN_SHARE = Fraction(2, 100)
"""Distance from the picture's edges, as a share of the shorter side."""
_PADDING = 0.35
"""Box around the text, and space between its lines, as a share of the font size."""
_BOX_OPACITY = 0.5
_SCALES = (0.9, 0.93, 0.96, 0.98, 1.0, 1.02, 1.04, 1.07, 1.1)
"""Sizes at which a label is looked for, as shares of its own."""
_BITS = 8
_ONE = 2**_BITS
"""What stands for 1 in the integer arithmetic, which gives the same picture on every device."""

_UNSHARED = 2**15
"""Pixels up to which torch computes on one thread: to share out this little costs five times what it takes."""


class Label:
    """The label for pictures of one size and colour.

    Args:
        width, height: Of the pictures, pixels.
        colour: What their values mean.
        position: In which corner.
        sample_aspect: Width of a pixel divided by its height: text is not distorted by it.
        device: Where the pictures are.

    Attributes:
        left, top, width, height: The box, in pixels, all even: what lies outside is never changed.
    """

    def __init__(
        self,
        width: int,
        height: int,
        colour: ColourSpace,
        position: LabelPosition,
        *,
        sample_aspect: Fraction = Fraction(1),
        device: torch.device | None = None,
    ) -> None:
        side = min(width * sample_aspect, Fraction(height))
        # A tiny picture of very narrow pixels may have no room for all of it.
        text = _text(side, sample_aspect, is_right=position.endswith("right"))[:height, :width]
        self.height, self.width = text.shape
        down = min(_even(side * _MARGIN_SHARE), height - self.height)
        across = min(_even(side * _MARGIN_SHARE / sample_aspect), width - self.width)
        self.left = across if position.endswith("left") else width - self.width - across
        self.top = down if position.startswith("top") else height - self.height - down
        self._text = torch.from_numpy(text).to(device)
        black, white = (0, 255) if colour.full_range else (16, 235)
        shade = (1 - self._text) * _BOX_OPACITY
        self._luma = _blend(self._text + shade, self._text * white + shade * black)
        opacity = torch.nn.functional.avg_pool2d((self._text + shade)[None, None], 2)[0, 0]
        self._chroma = _blend(opacity, opacity * 128)

    def draw(self, frame: Frame) -> None:
        """Draw the label into `frame`, in place."""
        top, left, bottom, right = self.top, self.left, self.top + self.height, self.left + self.width
        _mix(frame.y[top:bottom, left:right], *self._luma)
        for plane in (frame.u, frame.v):
            _mix(plane[top // 2 : bottom // 2, left // 2 : right // 2], *self._chroma)

    def likeness(self, luma: NDArray[np.float32]) -> float:
        """How much the likest place in this label's corner of a picture looks like it, -1..1: a correlation.

        Places nearby and sizes up to a tenth off count as well: a copy may have been scaled or cut a little.

        Args:
            luma: (H, W) float32, 0..255, of the size that the label is for.
        """
        height, width = luma.shape
        rows = slice(0, height // 2) if self.top < height // 2 else slice(height // 2, height)
        columns = slice(0, width * 3 // 4) if self.left < width - self.left - self.width else slice(width // 4, width)
        corner = luma[rows, columns]
        text = self._text.cpu().numpy()
        best = -1.0
        for scale in _SCALES:
            size = (round(self.width * scale), round(self.height * scale))
            if size[0] <= corner.shape[1] and size[1] <= corner.shape[0]:
                wanted = cv2.resize(text, size, interpolation=cv2.INTER_AREA)
                best = max(best, float(cv2.matchTemplate(corner, wanted, cv2.TM_CCOEFF_NORMED).max()))
        return best


def labelled(
    shots: Iterable[Shot],
    position: LabelPosition,
    *,
    fps: Fraction,
    duration_s: float | None,
    sample_aspect: Fraction,
) -> Iterator[Shot]:
    """Draw the label into all shots, or into those of the first `duration_s` seconds."""
    label: Label | None = None
    for shot in shots:
        if duration_s is None or shot.index < duration_s * fps:
            if label is None:
                frame = shot.frame
                label = Label(
                    frame.width,
                    frame.height,
                    frame.colour,
                    position,
                    sample_aspect=sample_aspect,
                    device=frame.data.device,
                )
            label.draw(shot.frame)
        yield shot


def _text(side: Fraction, sample_aspect: Fraction, *, is_right: bool) -> NDArray[np.float32]:
    """(H, W) float32, 0..1, both even: how much of each pixel of the box is covered by text."""
    size = ceil(side * _FONT_SHARE)
    lines = _lines(size)
    space = max(1, round(size * _PADDING))
    box = Image.new(
        "L",
        (max(line.width for line in lines) + 2 * space, sum(line.height + space for line in lines) + space),
    )
    down = space
    for line in lines:
        box.paste(line, (box.width - space - line.width if is_right else space, down))
        down += line.height + space
    if sample_aspect != 1:
        box = box.resize((ceil(box.width / sample_aspect), box.height), Image.Resampling.BILINEAR)
    even = Image.new("L", (_even(box.width), _even(box.height)))
    even.paste(box)
    return np.asarray(even, np.float32) / np.float32(255)


def _lines(size: int) -> list[Image.Image]:
    """Each line of the label as a picture without a border."""
    font = ImageFont.truetype(str(_FONT_FILE), size, layout_engine=ImageFont.Layout.BASIC)
    pictures = []
    for line in LINES:
        left, top, right, bottom = (round(edge) for edge in font.getbbox(line))
        picture = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(picture).text((-left, -top), line, fill=255, font=font)
        pictures.append(picture)
    return pictures


def _even(length: Fraction | float) -> int:
    return ceil(length / 2) * 2


def _blend(opacity: Tensor, colour: Tensor) -> tuple[Tensor, Tensor]:
    """What a plane is multiplied with and what is added, int32: `colour` has been multiplied by `opacity` already."""
    return ((1 - opacity) * _ONE).round().int(), (colour * _ONE).round().int() + _ONE // 2


def _mix(plane: Tensor, keep: Tensor, add: Tensor) -> None:
    at_once = max(1, _UNSHARED // plane.shape[1])
    for rows, kept, added in zip(
        torch.split(plane, at_once), torch.split(keep, at_once), torch.split(add, at_once), strict=True
    ):
        rows.copy_((rows * kept).add_(added).bitwise_right_shift_(_BITS))
