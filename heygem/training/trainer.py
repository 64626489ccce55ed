"""Trains the generator to its end, in as many processes as there are cores, and can go on after a stop."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from torch import Tensor

from heygem.nets.warp_net import WarpNet
from heygem.training.batches import pair_batches
from heygem.training.checkpoint import Checkpoint
from heygem.training.discriminator import MouthDiscriminator
from heygem.training.expert import MouthExpert
from heygem.training.generator_training import GeneratorTraining, Losses
from heygem.training.hardware import Hardware
from heygem.training.parallel import Replica, run_replicas
from heygem.training.recipe import Recipe
from heygem.training.shards import open_talkers

log = logging.getLogger(__name__)

CHECKPOINT, HISTORY = "checkpoint.pt", "losses.csv"

_AVERAGE_EVERY = 10
_REPORT_EVERY_S = 5.0
_SAVE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class GeneratorJob:
    """What each process does. Gives the state of the generator.

    Attributes:
        recipe: Says how.
        hardware: What to run on.
        data: Rendered people.
        seeds: Which of them.
        out: Folder of the checkpoint and of the history.
        expert: State of a `MouthExpert`.
        start: State of the generator to begin with; names that it lacks begin at random.
        resume: Go on from the checkpoint in `out`.
        progress: Told a line every few seconds, in the leading process.
    """

    recipe: Recipe
    hardware: Hardware
    data: Path
    seeds: tuple[int, ...]
    out: Path
    expert: dict[str, Tensor]
    start: dict[str, Tensor]
    resume: bool
    progress: Callable[[str], None]

    def __call__(self, replica: Replica) -> dict[str, Tensor]:
        """Train."""
        training, done = self._begun(replica)
        size = self.hardware.batch(self.recipe.batch)
        rng = np.random.default_rng([self.recipe.seed, 3, replica.rank, done])
        batches = pair_batches(open_talkers(self.data, self.seeds), size, self.recipe.pair_share, rng)
        journal = Journal(self.recipe.samples, done, self.out / HISTORY, self.progress) if replica.leads else None
        saved_at = time.monotonic()
        while done < self.recipe.samples:
            for _ in range(_AVERAGE_EVERY):
                losses = training.step(next(batches), min(1.0, done / self.recipe.samples))
                done += size * replica.world
                if journal is not None:
                    journal.note(done, losses)
            replica.average(training.shared(done / self.recipe.samples))
            if replica.leads and time.monotonic() - saved_at > _SAVE_EVERY_S:
                training.checkpoint(done).save(self.out / CHECKPOINT)
                saved_at = time.monotonic()
        if journal is not None:
            journal.report()
            training.checkpoint(done).save(self.out / CHECKPOINT)
        return training.net.state_dict()

    def _begun(self, replica: Replica) -> tuple[GeneratorTraining, int]:
        expert = MouthExpert()
        expert.load_state_dict(self.expert)
        training = GeneratorTraining(self.recipe, self.hardware, expert.eval().requires_grad_(False))
        if self.resume:
            saved = Checkpoint.load(self.out / CHECKPOINT)
            training.restore(saved)
            if replica.leads:
                log.info("going on after %d samples", saved.samples)
            return training, saved.samples
        training.net.load_state_dict({**training.net.state_dict(), **self.start})
        return training, 0


def train_generator(job: GeneratorJob) -> dict[str, Tensor]:
    """Run the job in as many processes as its hardware has. Returns the generator's state.

    Raises:
        RuntimeError: a process ended early.
        WeightsRefusedError: there is no usable checkpoint to resume from.
    """
    modules = (WarpNet(job.recipe.widths), MouthDiscriminator())
    values = sum(v.numel() for m in modules for v in m.state_dict().values() if v.is_floating_point())
    return run_replicas(job, job.hardware.processes, values)


class Journal:
    """Writes down how a training goes, and says so now and then.

    Args:
        samples: How many there will be.
        done: How many there were when it began.
        file: Grows by a line with every report; a new training begins a new one.
        progress: Told each report.
    """

    def __init__(self, samples: int, done: int, file: Path, progress: Callable[[str], None]) -> None:
        self._samples, self._first, self._done = samples, done, done
        self._file, self._progress = file, progress
        self._began = self._reported_at = time.monotonic()
        self._noted: list[Losses] = []
        if not done:
            self._append(["samples", "samples_per_s", *(field.name for field in fields(Losses))], mode="w")

    def note(self, done: int, losses: Losses) -> None:
        """Keep what a step lost, and report when it is time."""
        self._noted.append(losses)
        self._done = done
        if time.monotonic() - self._reported_at > _REPORT_EVERY_S:
            self.report()

    def report(self) -> None:
        """Write down the means since the last report."""
        if not self._noted:
            return
        self._reported_at = time.monotonic()
        mean = Losses.mean(self._noted)
        self._noted = []
        rate = (self._done - self._first) / (self._reported_at - self._began)
        self._append([self._done, round(rate, 1), *(round(value, 5) for value in asdict(mean).values())])
        left_s = max(0, self._samples - self._done) / rate
        self._progress(
            f"drawing {self._done:,} of {self._samples:,} samples  {rate:,.0f}/s  l1 {mean.l1:.4f}  "
            f"gradient {mean.gradient:.4f}  opening {mean.opening:.3f}  discriminator {mean.discriminator:.2f}  "
            f"{left_s / 60:.1f} min left"
        )

    def _append(self, row: list[object], mode: str = "a") -> None:
        with self._file.open(mode, newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerow(row)
