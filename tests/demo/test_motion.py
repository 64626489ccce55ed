from __future__ import annotations

import numpy as np

from heygem.demo.motion import Motion
from heygem.demo.view import Pose


def test_heads_move_smoothly_around_their_centre() -> None:
    motion = Motion.of(np.random.default_rng(0), 2000, centre=Pose(yaw=0.2))
    yaw = np.array([pose.yaw for pose in motion.poses])
    assert abs(yaw.mean() - 0.2) < 0.03
    assert 0.02 < yaw.std() < 0.1
    assert np.abs(np.diff(yaw)).max() < 0.03


def test_eyes_blink_now_and_then_and_look_around() -> None:
    motion = Motion.of(np.random.default_rng(0), 2000)
    assert motion.blinks.shape == (2000,)
    assert motion.blinks.max() == 1
    assert 0.01 < (motion.blinks > 0.5).mean() < 0.1
    assert motion.gazes.shape == (2000, 2)
    assert np.abs(motion.gazes).max() <= 1
    assert len(np.unique(motion.gazes[:, 0])) > 20


def test_a_seed_is_one_movement() -> None:
    first, again = (Motion.of(np.random.default_rng(3), 50) for _ in range(2))
    assert first.poses == again.poses
    assert np.array_equal(first.blinks, again.blinks)
