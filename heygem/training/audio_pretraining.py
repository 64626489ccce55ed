"""Teaches the audio tower what mouths do, before the generator sees a picture.

The renderer knows the articulation of every moment, so the tower can learn it directly: minutes, instead of the hours
in which a generator would have to find out from pixels.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import smooth_l1_loss

from heygem.demo.articulation import CHANNELS, Articulation
from heygem.nets.blocks import LipTowers, Widths
from heygem.training.batches import window_batches, windows
from heygem.training.hardware import Hardware
from heygem.training.parallel import Replica, run_replicas
from heygem.training.recipe import Recipe
from heygem.training.schedule import cosine
from heygem.training.shards import Talkers, open_talkers

log = logging.getLogger(__name__)

_BATCH = 96
_AVERAGE_EVERY = 5
_RATE, _LAST_RATE, _WARM_UP_STEPS = 1.6e-3, 1e-5, 50
_WIDEST_GAP = 6


class ArticulationReader(nn.Module):
    """The audio tower of a generator, with one layer behind it."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.tower = LipTowers(widths).audio_encoder
        self.readout = nn.Linear(widths.decoder[0], len(CHANNELS))

    def forward(self, mel: Tensor) -> Tensor:
        """(N, 8) of (N, 1, 80, 16), each channel with mean 0 and standard deviation 1 over the training set."""
        read: Tensor = self.readout(self.tower(mel).flatten(1))
        return read


@dataclass(frozen=True, slots=True)
class AudioPretraining:
    """The job of each process. Gives the state of an `ArticulationReader`.

    Attributes:
        recipe: Says how long.
        folder: Rendered people.
        seeds: Which of them.
        hardware: What to run on.
        progress: Told a line now and then, in the leading process.
    """

    recipe: Recipe
    folder: Path
    seeds: tuple[int, ...]
    hardware: Hardware
    progress: Callable[[str], None]

    def __call__(self, replica: Replica) -> dict[str, Tensor]:
        """Train."""
        torch.manual_seed(self.recipe.seed)
        talkers = open_talkers(self.folder, self.seeds)
        mean, spread = articulation_statistics(talkers)
        reader = ArticulationReader(self.recipe.widths).to(self.hardware.device)
        shared = [value for value in reader.state_dict().values() if value.is_floating_point()]
        optimizer = torch.optim.AdamW(reader.parameters(), _RATE, weight_decay=1e-2, fused=True)
        rng = np.random.default_rng([self.recipe.seed, 2, replica.rank])
        steps = max(_AVERAGE_EVERY, self.recipe.pretraining_windows // (_BATCH * replica.world))
        steps -= steps % _AVERAGE_EVERY
        batches = window_batches(talkers, _BATCH, rng)
        began = shown_at = time.monotonic()
        for step in range(steps):
            rate = cosine(_RATE, _LAST_RATE, step / steps) * min(1.0, (step + 1) / _WARM_UP_STEPS)
            for group in optimizer.param_groups:
                group["lr"] = rate
            mel, mouths = next(batches)
            wanted = torch.from_numpy((mouths - mean) / spread).to(self.hardware.device)
            with self.hardware.autocast():
                read = reader(_with_gaps(mel, rng).to(self.hardware.device))
            loss = smooth_l1_loss(read.float(), wanted)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            if (step + 1) % _AVERAGE_EVERY == 0:
                replica.average(shared)
                if replica.leads and time.monotonic() - shown_at > 5:
                    shown_at = time.monotonic()
                    self.progress(_line(step + 1, steps, replica.world, shown_at - began, loss.item()))
        return reader.state_dict()


def pretrain_audio(job: AudioPretraining) -> dict[str, Tensor]:
    """Run the job in as many processes as its hardware has. Returns the reader's state."""
    state = ArticulationReader(job.recipe.widths).state_dict()
    values = sum(value.numel() for value in state.values() if value.is_floating_point())
    return run_replicas(job, job.hardware.processes, values)


def tower_state(reader_state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of the audio tower alone."""
    return {name.removeprefix("tower."): value for name, value in reader_state.items() if name.startswith("tower.")}


@torch.inference_mode()
def hearing(reader_state: dict[str, Tensor], widths: Widths, talkers: Talkers) -> dict[str, float]:
    """Correlation between what the reader hears and what the mouths do, by channel, mean over the people."""
    reader = ArticulationReader(widths)
    reader.load_state_dict(reader_state)
    reader.eval()
    found = []
    for talker in talkers.talkers:
        frames = np.arange(len(talker.articulation), dtype=np.int32)
        read = reader(windows(talker, 0, frames)).numpy()
        found.append([_correlation(read[:, i], talker.articulation[:, i]) for i in range(len(CHANNELS))])
    return dict(zip(CHANNELS, np.nanmean(found, axis=0).round(3).tolist(), strict=True))


def articulation_statistics(talkers: Talkers) -> tuple[Articulation, Articulation]:
    """Mean and standard deviation of every channel; the latter not below what can be seen."""
    everything = np.concatenate([talker.articulation for talker in talkers.talkers])
    return everything.mean(0), everything.std(0) + 0.02


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """NaN where either does not move."""
    if first.std() < 1e-6 or second.std() < 1e-6:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _with_gaps(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Every other window loses a few neighbouring bands (Park et al., "SpecAugment", 2019)."""
    mel = mel.clone()
    for window in mel[::2]:
        low = int(rng.integers(0, mel.shape[2] - _WIDEST_GAP))
        window[:, low : low + int(rng.integers(1, _WIDEST_GAP))] = window.mean()
    return mel


def _line(step: int, steps: int, world: int, elapsed_s: float, loss: float) -> str:
    rate = step * _BATCH * world / elapsed_s
    left = (steps - step) * _BATCH * world / rate
    return (
        f"hearing {step * _BATCH * world:,} of {steps * _BATCH * world:,} windows  "
        f"{rate:,.0f}/s  loss {loss:.4f}  {left / 60:.1f} min left"
    )
