"""How learning rates and weights change while a training goes on. Pure."""

from __future__ import annotations

from math import cos, pi

from heygem.training.recipe import Recipe

_LEFT_AT_FINISH = 0.1
"""What part of the first rate is left when the finishing begins."""


def cosine(start: float, end: float, progress: float) -> float:
    """From `start` to `end` while `progress` goes from 0 to 1."""
    return end + (start - end) * (1 + cos(pi * min(1.0, progress))) / 2


def generator_rate(recipe: Recipe, progress: float, step: int) -> float:
    """Learning rate of the generator.

    Args:
        recipe: Names the rates.
        progress: 0..1, part of the samples that were shown.
        step: Steps since this process began: fresh optimizers start softly.
    """
    finish = 1 - recipe.finishing_share
    if finishes(recipe, progress):
        rate = cosine(recipe.finishing_rate, 0, (progress - finish) / recipe.finishing_share)
    else:
        rate = cosine(recipe.rate, recipe.rate * _LEFT_AT_FINISH, progress / finish)
    return rate * min(1.0, (step + 1) / recipe.warm_up_steps)


def opening_weight(recipe: Recipe, progress: float) -> float:
    """Weight of the opening loss: falls to 0, or the expert would be pleased with blobs."""
    return recipe.loss.opening * (1 - progress)


def finishes(recipe: Recipe, progress: float) -> bool:
    """Whether the discriminator looks on."""
    return recipe.finishing_share > 0 and progress >= 1 - recipe.finishing_share
