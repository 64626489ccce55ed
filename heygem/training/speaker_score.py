"""Measures a lip model on the end of a speaker's own clip, which it did not learn from.

The reference is another moment of that end with about the same pose: shown the frame itself, a model could copy the
mouth that it is to draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heygem.nets.basicsr_door import calculate_psnr
from heygem.nets.warp_net import WarpNet
from heygem.speech.mel import SILENCE
from heygem.training.batches import net_input, pictures
from heygem.training.losses import composite, warp
from heygem.training.meter import best_lag, correlation
from heygem.training.speaker_batches import Hearing, Poses
from heygem.training.speaker_clip import SpeakerClip

SHIFT_FRAMES = 25

_ROWS, _COLUMNS = slice(54, 90), slice(22, 74)
_AT_ONCE = 32

Crops = NDArray[np.uint8]
Curve = NDArray[np.float64]


class Sound(StrEnum):
    """What a model hears while it is measured."""

    RIGHT = "right sound"
    SILENCE = "silence"
    SHIFTED = f"sound {SHIFT_FRAMES} frames off"


@dataclass(frozen=True, slots=True)
class SpeakerScore:
    """A line of the table.

    Attributes:
        name: What was drawn, and what was heard.
        psnr_db: Of the mouth against the truth.
        r: Correlation of the first component of the mouth with the truth's.
        lag: Frames by which it comes late, -6..6: where the correlation is highest.
    """

    name: str
    psnr_db: float
    r: float
    lag: int


@dataclass(frozen=True, slots=True)
class HeldOutDrawings:
    """The end of a clip, and what is drawn of it with the right sound.

    Attributes:
        frames: (F,) int32: at which frame of 25 a second each picture was seen.
        late: By how many frames the clip's sound comes later than its lips.
        truth: (F, 96, 96, 3) uint8 RGB.
        default: The same as drawn by the embedded default.
        model: The same as drawn by the new model.
    """

    frames: NDArray[np.int32]
    late: int
    truth: Crops
    default: Crops
    model: Crops


class HeldOutPart:
    """The end of a clip.

    Args:
        clip: As read.
        late: By how many frames its sound comes later than its lips.
        on_step: Called now and then while pictures are drawn; what it raises passes.
    """

    def __init__(self, clip: SpeakerClip, late: int, on_step: Callable[[], None] = lambda: None) -> None:
        self._late, self._on_step = late, on_step
        rows = np.asarray(clip.held_out)
        self.truth: Crops = np.asarray(clip.crops[rows])
        self._frames = frames = np.asarray(clip.frames[rows])
        poses, numbers = Poses(self.truth), np.arange(len(rows))
        self.references = np.array([poses.most_alike(int(one), numbers) for one in numbers])
        hearing = Hearing(clip.mels[:1], late)
        self._heard = {
            Sound.RIGHT: hearing.at(frames),
            Sound.SILENCE: torch.full((len(rows), 1, 80, 16), SILENCE),
            Sound.SHIFTED: hearing.at(np.roll(frames, -SHIFT_FRAMES % len(rows))),
        }
        self._component, self._rest = _first_component(clip)

    @property
    def reference(self) -> Crops:
        """(F, 96, 96, 3): what a model is shown."""
        crops: Crops = self.truth[self.references]
        return crops

    def drawn(self, net: WarpNet, sound: Sound) -> Crops:
        """(F, 96, 96, 3): what `net` makes of the references when it hears `sound`."""
        return self._draw(net, self._heard[sound], self.truth, self.reference)

    def as_used(self, net: WarpNet) -> tuple[float, float]:
        """What the product does: each frame is its own reference, and hears the sound of another moment.

        Returns:
            r of the first component of the drawn mouth with that of the moment that is heard, and with that of the
            frame: how far the model follows the sound, and how far it copies what it sees.
        """
        shown = np.roll(self.truth, len(self.truth) // 2, axis=0)
        drawn = self.component(self._draw(net, self._heard[Sound.RIGHT], shown, shown))
        return correlation(drawn, self.component(self.truth)), correlation(drawn, self.component(shown))

    def compare(self, default: WarpNet, net: WarpNet) -> tuple[HeldOutDrawings, tuple[SpeakerScore, ...]]:
        """What both draw, and the lines of the table: mouth left alone, default, and `net` with each `Sound`."""
        by_default = self.drawn(default, Sound.RIGHT)
        ours = {sound: self.drawn(net, sound) for sound in Sound}
        scores = (
            self.score("mouth left alone", self.reference),
            self.score(f"embedded default, {Sound.RIGHT}", by_default),
            *(self.score(f"this model, {sound}", crops) for sound, crops in ours.items()),
        )
        return HeldOutDrawings(self._frames, self._late, self.truth, by_default, ours[Sound.RIGHT]), scores

    def score(self, name: str, drawn: Crops) -> SpeakerScore:
        """Measure pictures against the truth."""
        ours, truth = self.component(drawn), self.component(self.truth)
        return SpeakerScore(name, mouth_psnr(drawn, self.truth), correlation(ours, truth), best_lag(ours, truth))

    def component(self, crops: Crops) -> Curve:
        """(F,): how far each mouth lies along the direction in which the learnt part of the clip moves most."""
        curve: Curve = (_mouths(crops) - self._rest) @ self._component
        return curve

    @torch.inference_mode()
    def _draw(self, net: WarpNet, heard: Tensor, upper: Crops, reference: Crops) -> Crops:
        device = next(net.parameters()).device
        net.eval()
        crops = np.empty_like(reference)  # ten minutes of clip would be a gigabyte as numbers of the net
        for start in range(0, len(heard), _AT_ONCE):
            self._on_step()
            part = slice(start, start + _AT_ONCE)
            shown = pictures(reference[part]).to(device)
            colour, opacity, flow = net(heard[part].to(device), net_input(pictures(upper[part]).to(device), shown))
            drawn = composite(colour, opacity, warp(shown, flow)).clamp(0, 1) * 255
            crops[part] = drawn.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return crops


def mouth_psnr(drawn: Crops, truth: Crops) -> float:
    """Mean PSNR of the mouths in dB."""
    pairs = zip(drawn[:, _ROWS, _COLUMNS], truth[:, _ROWS, _COLUMNS], strict=True)
    # Equal pictures have no ratio: 99 dB stands for that.
    return float(np.mean([min(99.0, calculate_psnr(ours, theirs)) for ours, theirs in pairs]))


def _first_component(clip: SpeakerClip) -> tuple[Curve, Curve]:
    """Direction and mean of the mouths of what is learnt from: at most a thousand pictures of it."""
    chosen = np.linspace(0, clip.learnt.stop - 1, min(1000, clip.learnt.stop)).astype(int)
    mouths = _mouths(clip.crops[chosen])
    mean = mouths.mean(0)
    _, _, axes = np.linalg.svd(mouths - mean, full_matrices=False)
    return axes[0], mean


def _mouths(crops: Crops) -> Curve:
    """(F, 468): grey mouths at half the size."""
    grey = crops[:, _ROWS, _COLUMNS].mean(3, dtype=np.float32)
    curve: Curve = grey.reshape(len(grey), 18, 2, 26, 2).mean((2, 4)).reshape(len(grey), -1).astype(np.float64)
    return curve
