"""One step of the generator's training and of the discriminator's that looks on. Knows no files and no processes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from heygem.nets.warp_net import WarpNet
from heygem.training.batches import Batch
from heygem.training.checkpoint import Checkpoint
from heygem.training.discriminator import MouthDiscriminator, feature_loss, fooling_loss, hinge_loss
from heygem.training.expert import MouthExpert
from heygem.training.hardware import Hardware
from heygem.training.losses import composite, gradient_l1, total_variation, warp, weighted_l1
from heygem.training.recipe import Recipe
from heygem.training.schedule import finishes, generator_rate, opening_weight

_AUDIO_RATE = 0.3
"""Part of the learning rate that the audio tower gets: it arrives trained."""

_LONGEST_GRADIENT = 1.0
_DISCRIMINATOR_RATE = 4e-4
_LEARN_TO_LOOK_STEPS = 100
"""Steps over which the discriminator's word begins to count."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What one step lost, unweighted. The discriminator's three are 0 until it looks on."""

    l1: float = 0.0
    gradient: float = 0.0
    warped: float = 0.0
    flow: float = 0.0
    opening: float = 0.0
    fooling: float = 0.0
    features: float = 0.0
    discriminator: float = 0.0

    @classmethod
    def mean(cls, several: list[Losses]) -> Losses:
        """The mean of each."""
        return cls(*(sum(getattr(one, f.name) for one in several) / len(several) for f in fields(cls)))


class GeneratorTraining:
    """Generator, discriminator and their optimizers in one process.

    Args:
        recipe: Rates and weights.
        hardware: Where to compute.
        expert: Reads mouths; is not changed. None: nobody judges openings.
    """

    def __init__(self, recipe: Recipe, hardware: Hardware, expert: MouthExpert | None) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe, self._hardware = recipe, hardware
        self._expert = expert.to(hardware.device) if expert is not None else None
        self.net = WarpNet(recipe.widths).to(hardware.device).to(memory_format=torch.channels_last)
        self.discriminator = MouthDiscriminator().to(hardware.device)
        self._optimizer = torch.optim.AdamW(
            [
                {"params": list(self.net.audio_encoder.parameters()), "part": _AUDIO_RATE},
                {"params": _without(self.net, self.net.audio_encoder), "part": 1.0},
            ],
            recipe.rate,
            betas=(0.9, 0.98),
            weight_decay=1e-3,
            fused=True,
        )
        self._discriminator_optimizer = torch.optim.AdamW(
            self.discriminator.parameters(), _DISCRIMINATOR_RATE, betas=(0.5, 0.9), fused=True
        )
        self._steps = 0
        self._steps_watched = 0

    def shared(self, progress: float) -> list[Tensor]:
        """What the processes average: weights, and the running means of the normalisations."""
        modules: list[nn.Module] = [self.net]
        if finishes(self._recipe, progress):
            modules.append(self.discriminator)
        return [value for module in modules for value in module.state_dict().values() if value.is_floating_point()]

    def restore(self, saved: Checkpoint) -> None:
        """Go on where a training stopped."""
        self.net.load_state_dict(saved.net)
        self.discriminator.load_state_dict(saved.discriminator)
        self._optimizer.load_state_dict(saved.optimizer)
        self._discriminator_optimizer.load_state_dict(saved.discriminator_optimizer)

    def checkpoint(self, samples: int) -> Checkpoint:
        """The state after `samples` samples."""
        return Checkpoint(
            samples,
            self.net.state_dict(),
            self.discriminator.state_dict(),
            self._optimizer.state_dict(),
            self._discriminator_optimizer.state_dict(),
        )

    def step(self, batch: Batch, progress: float) -> Losses:
        """Learn from one batch.

        Args:
            batch: On any device.
            progress: 0..1, how much of the training is done.
        """
        batch = batch.to(self._hardware.device)
        rate = generator_rate(self._recipe, progress, self._steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["part"]
        self.net.train()
        with self._hardware.autocast():
            colour, opacity, flow = self.net(batch.mel, batch.face)
        warped = warp(batch.reference, flow)
        drawn = composite(colour, opacity, warped)
        parts, weighted = self._picture_losses(drawn, warped, flow, batch.truth, progress)
        watched = finishes(self._recipe, progress)
        if watched:
            fooling, features = self._judged(drawn, batch.truth)
            parts |= {"fooling": fooling.item(), "features": features.item()}
            heard = min(1.0, self._steps_watched / _LEARN_TO_LOOK_STEPS)
            weights = self._recipe.loss
            weighted = weighted + heard * weights.adversarial * (fooling + weights.features * features)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(weighted)
        nn.utils.clip_grad_norm_(self.net.parameters(), _LONGEST_GRADIENT)
        self._optimizer.step()
        self._steps += 1
        if watched:
            parts["discriminator"] = self._teach_discriminator(drawn.detach(), batch.truth)
            self._steps_watched += 1
        return Losses(**parts)

    def _picture_losses(
        self, drawn: Tensor, warped: Tensor, flow: Tensor, truth: Tensor, progress: float
    ) -> tuple[dict[str, float], Tensor]:
        weights = self._recipe.loss
        parts = {
            "l1": (1.0, weighted_l1(drawn, truth)),
            "gradient": (weights.gradient, gradient_l1(drawn, truth)),
            "warped": (weights.warped, weighted_l1(warped, truth)),
            "flow": (weights.flow, total_variation(flow)),
        }
        if self._expert is not None:
            with torch.no_grad():
                wanted = self._expert(truth)
            parts["opening"] = (opening_weight(self._recipe, progress), mse_loss(self._expert(drawn), wanted))
        total = torch.stack([weight * loss for weight, loss in parts.values()]).sum()
        return {name: loss.item() for name, (_, loss) in parts.items()}, total

    def _judged(self, drawn: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            real = self.discriminator(truth)
        judged = self.discriminator(drawn)
        return fooling_loss(judged), feature_loss(real, judged)

    def _teach_discriminator(self, drawn: Tensor, truth: Tensor) -> float:
        loss = hinge_loss(self.discriminator(truth), self.discriminator(drawn))
        self._discriminator_optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._discriminator_optimizer.step()
        return float(loss.item())


def _without(module: nn.Module, part: nn.Module) -> list[nn.Parameter]:
    theirs = {id(parameter) for parameter in part.parameters()}
    return [parameter for parameter in module.parameters() if id(parameter) not in theirs]
