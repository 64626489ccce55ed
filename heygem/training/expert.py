"""A reader of mouths: how far open, how wide and how round a rendered mouth is. It keeps the generator at listening.

Without it the generator finds a local optimum in which it ignores the sound. Only for training; evaluation measures
with another meter, because a generator learns to please the one that it was trained with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from heygem.demo.articulation import CHANNELS, Articulation, lip_opening
from heygem.training.batches import picture_batches
from heygem.training.shards import Talkers

log = logging.getLogger(__name__)

_BATCH = 64
_RATE = 2e-3
_WIDE, _ROUND = CHANNELS.index("wide"), CHANNELS.index("round")


class MouthExpert(nn.Module):
    """Reads opening, width and roundness off the lower half of a crop."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _halving(3, 16),
            _halving(16, 32),
            _halving(32, 64),
            _halving(64, 64),
            nn.Flatten(),
            nn.Linear(64 * 3 * 6, 64),
            nn.ReLU(),
            nn.Linear(64, 3),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3), each with mean 0 and standard deviation 1 over the training set, of (N, 3, 96, 96)."""
        read: Tensor = self.layers(pictures[:, :, 48:])
        return read


def train_expert(
    talkers: Talkers, pictures: int, device: torch.device, seed: int, progress: Callable[[int, float], None]
) -> MouthExpert:
    """Train one, in this process.

    Args:
        talkers: To learn from.
        pictures: How many pictures to show.
        device: Where to.
        seed: Of what is drawn by chance.
        progress: Told the pictures so far and the loss, now and then.

    Returns:
        In eval mode, without gradients of its own.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 1])
    expert = MouthExpert().to(device)
    steps = max(1, pictures // _BATCH)
    optimizer = torch.optim.AdamW(expert.parameters(), _RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    mean, spread = _statistics(talkers)
    for step, (shown, mouths) in enumerate(picture_batches(talkers, _BATCH, rng), start=1):
        wanted = torch.from_numpy((_read_off(mouths) - mean) / spread).float().to(device)
        loss = mse_loss(expert(shown.to(device)), wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if step % 20 == 0 or step == steps:
            progress(step * _BATCH, loss.item())
        if step == steps:
            break
    return expert.eval().requires_grad_(False)


def _read_off(mouths: Articulation) -> np.ndarray:
    """(N, 3) opening, width and roundness of (N, 8)."""
    return np.stack([lip_opening(mouths), mouths[:, _WIDE], mouths[:, _ROUND]], axis=1)


def _statistics(talkers: Talkers) -> tuple[np.ndarray, np.ndarray]:
    everything = _read_off(np.concatenate([talker.articulation for talker in talkers.talkers]))
    return everything.mean(0), everything.std(0) + 1e-3


def _halving(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 3, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU())
