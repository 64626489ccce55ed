"""Random batches for training, out of rendered people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heygem.demo.articulation import FPS, Articulation
from heygem.lipsync.base import with_mouth_hidden
from heygem.speech.windows import MelWindows
from heygem.training.recipe import LEAD_FRAMES
from heygem.training.shards import Talker, Talkers

_LOUDNESS = 0.25
"""Standard deviation of the loudness that is added to a window: 3 dB."""


@dataclass(frozen=True, slots=True)
class Batch:
    """N samples.

    Attributes:
        mel: (N, 1, 80, 16) float32.
        truth: (N, 3, 96, 96) float32, 0..1: what the net should show.
        reference: The same shape: the person with another mouth.
        upper: The same shape: where the upper half is taken from. The reference itself where it has the pose of the
            truth, as in the product, or cheeks would give the mouth away; the truth where only that knows the pose.
    """

    mel: Tensor
    truth: Tensor
    reference: Tensor
    upper: Tensor

    @property
    def face(self) -> Tensor:
        """(N, 6, 96, 96): what the net sees."""
        return net_input(self.upper, self.reference)

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(self.mel.to(device), self.truth.to(device), self.reference.to(device), self.upper.to(device))


def net_input(upper: Tensor, reference: Tensor) -> Tensor:
    """(N, 6, 96, 96) channels last: `upper` with its lower half hidden, then `reference`."""
    return torch.cat([with_mouth_hidden(upper)[:, :3], reference], 1).contiguous(memory_format=torch.channels_last)


def windows(talker: Talker, variant: int, frames: NDArray[np.int32]) -> Tensor:
    """(N, 1, 80, 16) float32: what is heard at these frames, as the product hears it."""
    heard = MelWindows(talker.mel(variant), lead_s=Fraction(LEAD_FRAMES, FPS))
    return heard.at([Fraction(int(frame), FPS) for frame in frames])


def pictures(crops: NDArray[np.uint8]) -> Tensor:
    """(N, 3, 96, 96) float32, 0..1, of (N, 96, 96, 3) uint8."""
    return torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2).float() / 255


def pair_batches(talkers: Talkers, size: int, pair_share: float, rng: np.random.Generator) -> Iterator[Batch]:
    """Samples for the generator, without end.

    Args:
        talkers: To draw from.
        size: Samples per batch.
        pair_share: Part of the samples whose reference is the partner of the truth.
        rng: Decides everything.
    """
    while True:
        yield augmented(_drawn(talkers, size, pair_share, rng), rng)


def window_batches(talkers: Talkers, size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Articulation]]:
    """Windows of any moment with the mouth of that moment, (N, 1, 80, 16) and (N, 8), without end."""
    count = len(talkers.talkers)
    while True:
        heard, mouths = [], []
        for which in rng.integers(0, count, size):
            talker = talkers.talkers[which]
            frame = rng.integers(0, len(talker.articulation), 1, dtype=np.int32)
            heard.append(windows(talker, int(rng.integers(len(talker.mels))), frame))
            mouths.append(talker.articulation[frame])
        yield _louder(torch.cat(heard), rng), np.concatenate(mouths)


def picture_batches(talkers: Talkers, size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Articulation]]:
    """Augmented pictures with the mouths that they show, (N, 3, 96, 96) and (N, 8), without end."""
    while True:
        crops, mouths = [], []
        for picture in rng.integers(0, len(talkers), size):
            talker, own = talkers.locate(int(picture))
            crops.append(talker.crops[own])
            mouths.append(talker.articulation[talker.frames[own]])
        shown = pictures(np.stack(crops))
        yield _other_light(_mirrored((shown,), rng), rng)[0], np.stack(mouths)


def _drawn(talkers: Talkers, size: int, pair_share: float, rng: np.random.Generator) -> Batch:
    heard, truths, references, uppers = [], [], [], []
    for picture in rng.integers(0, len(talkers), size):
        talker, own = talkers.locate(int(picture))
        paired = rng.random() < pair_share
        other = own ^ 1 if paired else _any_other(own, len(talker.crops), rng)
        heard.append(windows(talker, int(rng.integers(len(talker.mels))), talker.frames[own : own + 1]))
        truths.append(talker.crops[own])
        references.append(talker.crops[other])
        uppers.append(talker.crops[other if paired else own])
    return Batch(torch.cat(heard), *(pictures(np.stack(crops)) for crops in (truths, references, uppers)))


def _any_other(own: int, count: int, rng: np.random.Generator) -> int:
    return (own + int(rng.integers(1, count))) % count


def augmented(batch: Batch, rng: np.random.Generator) -> Batch:
    """The same samples, each in another light and loudness, half of them mirrored."""
    return Batch(
        _louder(batch.mel, rng), *_other_light(_mirrored((batch.truth, batch.reference, batch.upper), rng), rng)
    )


def _louder(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Each window louder or softer: a shift of the logarithms."""
    shift = rng.normal(0, _LOUDNESS, (len(mel), 1, 1, 1)).astype(np.float32)
    return (mel + torch.from_numpy(shift)).clamp(-4, 4)


def _mirrored(groups: tuple[Tensor, ...], rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Half of the samples, each in all groups or in none."""
    turned = torch.from_numpy(rng.random(len(groups[0])) < 0.5)[:, None, None, None]
    return tuple(torch.where(turned, group.flip(-1), group) for group in groups)


def _other_light(groups: tuple[Tensor, ...], rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Another exposure, white balance and contrast for each sample, the same in all groups."""
    count = len(groups[0])
    gain = rng.uniform(0.75, 1.25, (count, 1, 1, 1)) * rng.uniform(0.9, 1.1, (count, 3, 1, 1))
    gamma = rng.uniform(0.75, 1.3, (count, 1, 1, 1))
    gains, gammas = torch.from_numpy(gain).float(), torch.from_numpy(gamma).float()
    return tuple((group.clamp(1e-4, 1) ** gammas * gains).clamp(0, 1) for group in groups)
