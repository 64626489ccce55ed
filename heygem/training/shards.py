"""Rendered people on disk: one folder each, memory-mapped, so that all training processes share one copy.

Pictures 2p and 2p + 1 of a person are partners: the same pose, light and noise with different mouths.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem.arrays import Mel
from heygem.demo.articulation import Articulation

_PART = ".part"


@dataclass(frozen=True, slots=True)
class Talker:
    """One person who speaks one text. F frames long at 25 a second; P pairs of pictures.

    Attributes:
        crops: (2 P, 96, 96, 3) uint8 RGB.
        frames: (2 P,) int32: the frame whose articulation a picture shows.
        articulation: (F, 8) float32.
        mels: (V, 80, steps) float16: the speech as heard in V places.
    """

    crops: NDArray[np.uint8]
    frames: NDArray[np.int32]
    articulation: Articulation
    mels: NDArray[np.float16]

    def save(self, folder: Path) -> None:
        """Write a folder, whole or not at all."""
        part = folder.with_name(folder.name + _PART)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for field in fields(self):
            np.save(part / f"{field.name}.npy", getattr(self, field.name))
        part.replace(folder)

    @classmethod
    def load(cls, folder: Path) -> Talker:
        """The arrays of a folder, mapped."""
        return cls(**{field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r") for field in fields(cls)})

    def mel(self, variant: int) -> Mel:
        """The speech as heard in one place."""
        mel: Mel = self.mels[variant].astype(np.float32)
        return mel


class Talkers:
    """Many, and the pictures of all of them counted through.

    Args:
        talkers: At least one.
    """

    def __init__(self, talkers: Sequence[Talker]) -> None:
        self.talkers = tuple(talkers)
        self._ends = np.cumsum([len(talker.crops) for talker in self.talkers])

    def __len__(self) -> int:
        """Number of pictures."""
        return int(self._ends[-1])

    def locate(self, picture: int) -> tuple[Talker, int]:
        """Whose picture it is, and its number among those of that person."""
        which = int(np.searchsorted(self._ends, picture, side="right"))
        return self.talkers[which], picture - int(self._ends[which - 1] if which else 0)


def person_folder(folder: Path, seed: int) -> Path:
    """Where the person of a seed lies."""
    return folder / f"{seed:08d}"


def open_talkers(folder: Path, seeds: Sequence[int]) -> Talkers:
    """The people of these seeds.

    Raises:
        FileNotFoundError: one was not rendered.
    """
    return Talkers([Talker.load(person_folder(folder, seed)) for seed in seeds])
