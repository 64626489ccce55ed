"""Faces small enough to render in tests."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from heygem.demo.articulation import CHANNELS, REST
from heygem.demo.identity import Identity
from heygem.demo.presenter import Presenter


def mouth(**channels: float) -> NDArray[np.float32]:
    """(8,): a resting mouth with some channels changed."""
    articulation = REST.copy()
    for name, value in channels.items():
        articulation[CHANNELS.index(name)] = value
    return articulation


@cache
def plain_presenter() -> Presenter:
    """Nobody in particular, without a beard or glasses, in front of the camera."""
    person = replace(Identity.of(4), beard="none", glasses="none", hair_style="short")
    return Presenter(person, detail=0.8)
