"""Teaches the embedded default one speaker, until what was held out gets no better."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from heygem.nets.warp_net import WarpNet
from heygem.training.generator_training import GeneratorTraining
from heygem.training.hardware import Hardware
from heygem.training.parallel import Replica, run_replicas
from heygem.training.recipe import FULL, LossWeights, Recipe
from heygem.training.speaker_batches import speaker_batches
from heygem.training.speaker_clip import SpeakerClip
from heygem.training.speaker_score import HeldOutPart, Sound, mouth_psnr

log = logging.getLogger(__name__)

SPEAKER = replace(
    FULL,
    loss=LossWeights(opening=0),
    samples=24_000,
    batch=16,
    rate=8e-4,
    warm_up_steps=50,
    finishing_share=0,
)
"""How a speaker is learnt: as the embedded default, from that model on, without a reader of mouths."""

_AVERAGE_EVERY = 10
_LOOK_EVERY = 1_200
"""Samples between two looks at what was held out."""

_PATIENCE = 5
"""Looks without a better one after which the training ends."""

_BETTER_DB = 0.02

_NEWEST = 0.1
"""Share of the newest weights in the moving mean that is kept; single ones differ by half a decibel between looks."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a training came to.

    Attributes:
        state: Of the generator when it was best.
        samples: Shown until then.
        shown: Shown in all.
    """

    state: dict[str, Tensor]
    samples: int
    shown: int


@dataclass(frozen=True, slots=True)
class SpeakerNetJob:
    """What each process does.

    Attributes:
        recipe: Says how, and how long at most.
        hardware: What to run on.
        data: Folder of a `SpeakerClip`.
        late: By how many frames its sound comes later than its lips.
        start: State of the generator to begin with.
        progress: Told the samples that were shown, in the leading process; what it raises passes.
    """

    recipe: Recipe
    hardware: Hardware
    data: Path
    late: int
    start: dict[str, Tensor]
    progress: Callable[[int], None]

    def __call__(self, replica: Replica) -> Learnt:
        """Train."""
        clip = SpeakerClip.open(self.data)
        training = GeneratorTraining(self.recipe, self.hardware, None)
        training.net.load_state_dict(self.start)
        size = self.hardware.batch(self.recipe.batch)
        batches = speaker_batches(clip, self.late, size, np.random.default_rng([self.recipe.seed, 4, replica.rank]))
        done, looked = 0, 0
        best = None
        if replica.leads:
            # Looking at two minutes takes half a minute: who cancels does not wait for it.
            part = HeldOutPart(clip, self.late, on_step=lambda: self.progress(done))
            best = _Best(part, training.net)
        while done < self.recipe.samples:
            for _ in range(_AVERAGE_EVERY):
                training.step(next(batches), done / self.recipe.samples)
                done += size * replica.world
                if best is not None:
                    self.progress(done)
            replica.average(training.shared(done / self.recipe.samples))
            ends = torch.zeros(1)
            if best is not None:
                best.follow(training.net)
                if done - looked >= _LOOK_EVERY:
                    looked = done
                    ends += best.look(done) >= _PATIENCE
            # The leader alone looks; the mean of what all say is above 0 if it wants to end.
            replica.average([ends])
            if ends.item() > 0:
                break
        return best.learnt(done) if best is not None else Learnt({}, 0, done)


def train_speaker_net(job: SpeakerNetJob) -> Learnt:
    """Run the job in as many processes as its hardware has.

    Raises:
        RuntimeError: a process ended early.
    """
    net = WarpNet(job.recipe.widths)
    values = sum(value.numel() for value in net.state_dict().values() if value.is_floating_point())
    return run_replicas(job, job.hardware.processes, values)


class _Best:
    """The moving mean of the weights, and the best that it was by the mouths of what was held out."""

    def __init__(self, part: HeldOutPart, net: WarpNet) -> None:
        self._part, self._net = part, deepcopy(net)
        self._psnr_db = self._look()
        self._state, self._samples, self._worse = _copied(self._net), 0, 0
        log.info("held out: %.2f dB before training", self._psnr_db)

    @torch.no_grad()
    def follow(self, net: WarpNet) -> None:
        """Move the mean towards the weights as they are."""
        for mean, newest in zip(self._net.state_dict().values(), net.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(newest, _NEWEST)

    def look(self, samples: int) -> int:
        """Measure the mean as it is. Returns how many looks ago it was best."""
        psnr_db = self._look()
        if psnr_db > self._psnr_db + _BETTER_DB:
            self._psnr_db, self._state, self._samples, self._worse = psnr_db, _copied(self._net), samples, 0
        else:
            self._worse += 1
        log.info("held out: %.2f dB after %d samples", psnr_db, samples)
        return self._worse

    def learnt(self, shown: int) -> Learnt:
        """The best state, after a last look."""
        self.look(shown)
        return Learnt(self._state, self._samples, shown)

    def _look(self) -> float:
        drawn = self._part.drawn(self._net, Sound.RIGHT)
        return mouth_psnr(drawn, self._part.truth)


def _copied(net: WarpNet) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in net.state_dict().items()}
