"""Which lag is found, and what is taken for no relation at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from paper_clip import openings, paper_face

from heygem.errors import MediaError
from heygem.training.offset import Offset, measure_offset, refuse_unclear

FRAMES = 240
Arrays: TypeAlias = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def spoken() -> Arrays:
    """Openings, and pictures of them in a little noise."""
    rng = np.random.default_rng(3)
    mouths = openings(FRAMES + 40)
    faces = np.stack([paper_face(float(opening)) for opening in mouths[20 : 20 + FRAMES]]).astype(np.int16)
    return mouths, (faces + rng.normal(0, 6, faces.shape)).clip(0, 255).astype(np.uint8)


def heard(mouths: np.ndarray, late: int, noise: float = 0.5) -> np.ndarray:
    """(FRAMES, 24): numbers of which some tell the mouths that belong to a sound that comes `late` frames later."""
    rng = np.random.default_rng(5)
    told = mouths[20 - late : 20 - late + FRAMES, None] * rng.normal(0, 1, (1, 24))
    return (told + rng.normal(0, noise, told.shape)).astype(np.float32)


def measured(sound: np.ndarray, crops: np.ndarray) -> Offset:
    return measure_offset(sound, crops, np.arange(len(crops), dtype=np.int32))


@pytest.mark.parametrize("late", [-7, 0, 3])
def test_the_lag_is_found_either_way(spoken: Arrays, late: int) -> None:
    mouths, crops = spoken
    offset = measured(heard(mouths, late), crops)
    assert (offset.frames, offset.milliseconds) == (late, 40 * late)
    assert offset.is_clear
    assert offset.r > 0.5
    refuse_unclear(offset, "clip.mp4")


def test_frames_without_a_face_may_be_missing(spoken: Arrays) -> None:
    mouths, crops = spoken
    seen = np.delete(np.arange(FRAMES, dtype=np.int32), slice(90, 120))
    offset = measure_offset(heard(mouths, 4), crops[seen], seen)
    assert offset.frames == 4 and offset.is_clear


def shuffled(sound: np.ndarray) -> np.ndarray:
    pieces = np.array_split(sound, 12)
    return np.concatenate([pieces[one] for one in np.random.default_rng(7).permutation(12)])


@pytest.mark.parametrize(
    "spoil",
    [shuffled, np.zeros_like, lambda sound: np.random.default_rng(8).normal(0, 1, sound.shape).astype(np.float32)],
    ids=["shuffled", "silent", "noise"],
)
def test_sound_that_does_not_belong_to_the_picture_is_refused(
    spoken: Arrays, spoil: Callable[[np.ndarray], np.ndarray]
) -> None:
    mouths, crops = spoken
    offset = measured(spoil(heard(mouths, 2)), crops)
    assert not offset.is_clear
    with pytest.raises(MediaError, match=r"'clip\.mp4' does not match its lips") as caught:
        refuse_unclear(offset, "clip.mp4")
    assert caught.value.code == "no_sync"


def test_a_lag_beyond_what_is_looked_for_is_not_taken_for_the_last_one(spoken: Arrays) -> None:
    mouths, crops = spoken
    assert not measured(heard(mouths, 13), crops).is_clear


def test_a_face_that_does_not_move_tells_nothing(spoken: Arrays) -> None:
    mouths, crops = spoken
    still = np.repeat(crops[:1], FRAMES, axis=0)
    assert not measured(heard(mouths, 0), still).is_clear
