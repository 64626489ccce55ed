"""Measures a lip model on people, voices and texts that no training saw, as the product would use it.

The reference is the frame itself with another mouth: what dubbing a clip is. The truth is known because it is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heygem.demo.articulation import lip_opening
from heygem.device import Placement
from heygem.lipsync.demo import DemoModel, load_demo
from heygem.nets.basicsr_door import calculate_psnr, calculate_ssim
from heygem.speech.mel import SILENCE
from heygem.training.batches import pictures, windows
from heygem.training.losses import composite, warp
from heygem.training.meter import MOST_LAG, best_lag, correlation, openings
from heygem.training.shards import Talker

_ROWS, _COLUMNS = slice(54, 90), slice(22, 74)
_SHIFT_FRAMES = 25
_CLOSED, _WIDE = 1 / 3, 0.8
"""Quantiles of the openings below which a mouth is called closed, and above which wide."""

Crops = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One person whom no training saw. F frames.

    Attributes:
        talker: Pictures 2 i and 2 i + 1 are frame i with its own mouth and with that of another moment. Speech 0 is
            clean, the others are heard through other rooms.
        shut, wide: (F, 96, 96, 3): the same frames with the mouth shut and wide open.
    """

    talker: Talker
    shut: Crops
    wide: Crops

    @property
    def truth(self) -> Crops:
        """(F, 96, 96, 3): what should be drawn."""
        return np.asarray(self.talker.crops[0::2])

    @property
    def reference(self) -> Crops:
        """(F, 96, 96, 3): what the model is shown."""
        return np.asarray(self.talker.crops[1::2])

    @property
    def frames(self) -> NDArray[np.int32]:
        """(F,): which moments of the speech they are."""
        return np.asarray(self.talker.frames[0::2])

    @property
    def opening(self) -> NDArray[np.float64]:
        """(F,): of the lips of the truth."""
        return lip_opening(self.talker.articulation[self.frames]).astype(np.float64)

    @property
    def reference_opening(self) -> NDArray[np.float64]:
        """(F,): of the lips of the reference."""
        return lip_opening(self.talker.articulation[self.talker.frames[1::2]]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Score:
    """A line of the table: means over people.

    Attributes:
        name: What was drawn, and what was heard.
        psnr_db, ssim: Of the mouth against the truth.
        sharpness: Variance of the Laplacian over that of the truth, median of the people; 1 is as sharp.
        opening_r: Correlation of the opening with the truth's, at no lag.
        on_time: Part of the people whose best lag is 0.
        wide_psnr_db: Of wide mouths whose reference is closed; NaN if there are none.
    """

    name: str
    psnr_db: float
    ssim: float
    sharpness: float
    opening_r: float
    on_time: float
    wide_psnr_db: float


def evaluate(file: Path, people: list[HeldOut], placement: Placement, name: str) -> list[Score]:
    """Measure a lip model with the right sound, with the sound of a poor microphone, with silence and with late sound.

    Args:
        file: As `load_demo` reads it.
        people: Held out, at least one.
        placement: Where to compute.
        name: What to call it in the table.

    Raises:
        WeightsRefusedError: the file holds something else.
    """
    model = load_demo(file, placement)
    heard = {
        "right sound": [windows(one.talker, 0, one.frames) for one in people],
        "through a room": [windows(one.talker, 1, one.frames) for one in people],
        "silence": [torch.full((len(one.frames), 1, 80, 16), SILENCE) for one in people],
        f"{_SHIFT_FRAMES} frames off": [windows(one.talker, 0, _shifted(one.frames)) for one in people],
    }
    return [
        score(f"{name}, {what}", people, [draw(model, one, sound) for one, sound in zip(people, sounds, strict=True)])
        for what, sounds in heard.items()
    ]


def yardsticks(people: list[HeldOut]) -> list[Score]:
    """What the meter reads off the truth itself, and what leaving the mouth alone would score."""
    return [
        score("the truth itself", people, [one.truth for one in people]),
        score("mouth left alone", people, [one.reference for one in people]),
    ]


def draw(model: DemoModel, person: HeldOut, heard: Tensor) -> Crops:
    """(F, 96, 96, 3): what `model` makes of the references when it hears `heard`."""
    references = pictures(person.reference).to(model.device)
    drawn = []
    for start in range(0, len(references), 32):
        faces = references[start : start + 32]
        layers = model.draw(faces, heard[start : start + 32])
        assert layers.opacity is not None
        assert layers.flow is not None
        drawn.append(composite(layers.colour, layers.opacity, warp(faces, layers.flow)))
    crops = (torch.cat(drawn).clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    return crops.cpu().numpy()


def score(name: str, people: list[HeldOut], drawn: list[Crops]) -> Score:
    """Measure pictures, one array for each person, against the truth."""
    psnr, ssim = [], []
    for person, crops in zip(people, drawn, strict=True):
        ours, truth = crops[:, _ROWS, _COLUMNS], person.truth[:, _ROWS, _COLUMNS]
        # Equal pictures have no ratio: 99 dB stands for that.
        psnr.append([min(99.0, calculate_psnr(a, b)) for a, b in zip(ours, truth, strict=True)])
        # SSIM takes milliseconds; neighbouring frames are alike.
        ssim.append(np.mean([calculate_ssim(a, b) for a, b in zip(ours[::5], truth[::5], strict=True)]))
    measured = [openings(crops, one.shut, one.wide) for one, crops in zip(people, drawn, strict=True)]
    return Score(
        name=name,
        psnr_db=float(np.mean(np.concatenate(psnr))),
        ssim=float(np.mean(ssim)),
        sharpness=float(np.median([_texture(c) / _texture(one.truth) for one, c in zip(people, drawn, strict=True)])),
        opening_r=float(np.mean([correlation(m, one.opening) for m, one in zip(measured, people, strict=True)])),
        on_time=float(np.mean([best_lag(m, one.opening) == 0 for m, one in zip(measured, people, strict=True)])),
        wide_psnr_db=_wide_from_closed(people, np.concatenate(psnr)),
    )


def _shifted(frames: NDArray[np.int32]) -> NDArray[np.int32]:
    """The sound of another second of the same speech; `MOST_LAG` could not explain it away."""
    assert _SHIFT_FRAMES > MOST_LAG
    return np.roll(frames, -_SHIFT_FRAMES % len(frames))


def _wide_from_closed(people: list[HeldOut], psnr: NDArray[np.float64]) -> float:
    wanted = np.concatenate([person.opening for person in people])
    given = np.concatenate([person.reference_opening for person in people])
    chosen = (given < np.quantile(given, _CLOSED)) & (wanted > np.quantile(wanted, _WIDE))
    return float(psnr[chosen].mean()) if chosen.any() else float("nan")


def _texture(crops: Crops) -> float:
    """Variance of the Laplacian of the mouths."""
    grey = [cv2.cvtColor(crop[_ROWS, _COLUMNS], cv2.COLOR_RGB2GRAY) for crop in crops]
    return float(np.mean([cv2.Laplacian(mouth, cv2.CV_64F).var() for mouth in grey])) + 1e-6
