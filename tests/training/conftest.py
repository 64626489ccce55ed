"""Small people for the tests of training: noise with faces' shapes, no renderer and no voice."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.training.shards import Talker, Talkers


def talker(seed: int, pairs: int = 3, frames: int = 50) -> Talker:
    """A person of noise; its articulation and its mel are recognisable by the frame."""
    rng = np.random.default_rng(seed)
    articulation = rng.uniform(0, 1, (frames, 8)).astype(np.float32)
    mels = rng.uniform(-4, 4, (2, 80, frames * 16 // 5)).astype(np.float16)
    return Talker(
        crops=rng.integers(0, 256, (2 * pairs, 96, 96, 3), dtype=np.uint8),
        frames=rng.choice(frames, 2 * pairs, replace=False).astype(np.int32),
        articulation=articulation,
        mels=mels,
    )


@pytest.fixture(scope="session")
def people() -> Talkers:
    return Talkers([talker(1), talker(2, pairs=2)])
