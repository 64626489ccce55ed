"""The presenters that come with the project: who they are and what they do in their clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from heygem.demo.identity import Identity

_BLUE, _RED = np.array([0.10, 0.17, 0.28], np.float32), np.array([0.22, 0.05, 0.07], np.float32)


@dataclass(frozen=True)
class Role:
    """One bundled clip.

    Attributes:
        name: Of the file, without its suffix.
        room: Number of the room.
        seed: Number of the identity.
        changes: Fields of the identity that are otherwise.
        seconds: Length.
        text: English words that are said without a sound; "" for somebody who listens.
    """

    name: str
    room: int
    seed: int
    changes: dict[str, Any]
    seconds: float
    text: str

    def person(self) -> Identity:
        """Who plays it."""
        return replace(Identity.of(self.seed), **self.changes)


CAST = (
    Role("presenter-lin", 338, 332, {"glasses": "none", "age": 0.1, "clothes": "sweater", "makeup": 0.3}, 12.0, ""),
    Role("presenter-victor", 302, 302, {"clothes": "shirt", "cloth": _BLUE, "freckles": 0.0}, 12.0, ""),
    Role(
        "presenter-amara",
        330,
        306,
        {"clothes": "blazer", "cloth": _RED},
        12.0,
        "Thank you for watching. In the next minutes I will show you how this works, step by step. Please stay with me,"
        " and ask whatever you like at the end. It will be worth your time, I promise.",
    ),
)
