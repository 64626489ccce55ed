"""Random samples of one speaker, of whom there are no pairs that differ in nothing but the mouth.

The reference must not show the mouth that is wanted. At use it is the frame itself, which has the pose of the picture
and another mouth; what comes nearest to that is a picture of another moment in which the upper half looks alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heygem.demo.articulation import FPS
from heygem.speech.windows import MelWindows
from heygem.training.batches import Batch, augmented, pictures
from heygem.training.recipe import LEAD_FRAMES
from heygem.training.speaker_clip import SpeakerClip

APART_FRAMES = 8
"""A third of a second: a mouth has changed by then."""

_ALIKE_SHARE = 0.6
"""Part of the samples whose reference has about the pose of the picture; the others get any other."""

_CANDIDATES = 24
"""Pictures of which the one that looks most alike is taken."""


class Poses:
    """Which pictures of a clip have about the same pose.

    Args:
        crops: (P, 96, 96, 3) uint8 RGB, in order of time.
    """

    def __init__(self, crops: NDArray[np.uint8]) -> None:
        self._looks = np.stack([_look(crop) for crop in crops])

    def most_alike(self, own: int, others: NDArray[np.int64]) -> int:
        """The picture among `others`, at least a third of a second from `own`, whose upper half looks most like it.

        If none is that far away, the farthest.
        """
        away = np.abs(others - own)
        far = others[away >= APART_FRAMES]
        if not len(far):
            return int(others[away.argmax()])
        return int(far[((self._looks[far] - self._looks[own]) ** 2).sum(1).argmin()])


class Hearing:
    """What is heard at the pictures of a clip.

    Args:
        mels: (V, 80, steps): the sound as heard in V places.
        late: By how many frames the sound comes later than the lips.
    """

    def __init__(self, mels: NDArray[np.float16], late: int) -> None:
        lead_s = Fraction(LEAD_FRAMES, FPS)
        self._windows = [MelWindows(mel.astype(np.float32), lead_s=lead_s) for mel in mels]
        self._late = late

    @property
    def variants(self) -> int:
        """In how many places."""
        return len(self._windows)

    def at(self, frames: Sequence[int] | NDArray[np.int32], variant: int = 0) -> Tensor:
        """(N, 1, 80, 16) float32: what belongs to the mouths at these frames; variant 0 is the clip's own sound."""
        return self._windows[variant].at([Fraction(int(frame) + self._late, FPS) for frame in frames])


def speaker_batches(clip: SpeakerClip, late: int, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Samples of the part of a clip that is learnt from, without end.

    Args:
        clip: As read.
        late: By how many frames the sound comes later than the lips.
        size: Samples per batch.
        rng: Decides everything.
    """
    poses = Poses(clip.crops[: clip.learnt.stop])
    hearing = Hearing(clip.mels, late)
    while True:
        own = rng.choice(clip.learnt.stop, size)
        others = [_reference(int(one), clip, poses, rng) for one in own]
        heard = [hearing.at([clip.frames[one]], int(rng.integers(hearing.variants))) for one in own]
        truth, reference = pictures(clip.crops[own]), pictures(clip.crops[others])
        # Where poses differ, only the picture itself knows its own.
        yield augmented(Batch(torch.cat(heard), truth, reference, truth), rng)


def _reference(own: int, clip: SpeakerClip, poses: Poses, rng: np.random.Generator) -> int:
    candidates = rng.choice(clip.learnt.stop, _CANDIDATES if rng.random() < _ALIKE_SHARE else 2)
    return poses.most_alike(own, candidates)


def _look(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The upper half of a picture, small and grey."""
    grey = cv2.cvtColor(crop[:48], cv2.COLOR_RGB2GRAY)
    small: NDArray[np.float32] = cv2.resize(grey, (16, 8), interpolation=cv2.INTER_AREA).astype(np.float32)
    return small.reshape(-1)
