import numpy as np
import torch
from numpy.typing import NDArray

from heygem.colour_space import ColourSpace
from heygem.faces.cuts import CutDetector
from heygem.frame import Frame

WIDTH, HEIGHT = 320, 180


def scenery(seed: int) -> NDArray[np.float64]:
    """A still picture of blobs, wider than a frame, 30..220."""
    coarse = np.random.RandomState(seed).uniform(30, 220, (9, 64))
    return np.kron(coarse, np.ones((20, 20)))


def window(picture: NDArray[np.float64], x: int) -> NDArray[np.float64]:
    return picture[:, x : x + WIDTH]


def cuts_of(pictures: list[NDArray[np.float64]]) -> list[int]:
    detector = CutDetector()
    noise = np.random.RandomState(0)
    for picture in pictures:
        luma = np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        data = torch.cat([torch.from_numpy(luma.ravel()), torch.full((WIDTH * HEIGHT // 2,), 128, dtype=torch.uint8)])
        detector.add(Frame(data, WIDTH, HEIGHT, ColourSpace()))
    cuts = detector.cuts()
    assert cuts.shape == (len(pictures),)
    return np.flatnonzero(cuts).tolist()


def test_hard_cuts_are_found_at_their_frame() -> None:
    still = [window(scenery(seed), 0) for seed in (1, 2, 3)]
    assert cuts_of([still[0]] * 10 + [still[1]] * 12 + [still[2]] * 5) == [10, 22]


def test_a_cut_in_the_midst_of_motion_is_found() -> None:
    pan = [window(scenery(1), 3 * i) for i in range(12)] + [window(scenery(2) * 0.5, 3 * i) for i in range(12)]
    assert cuts_of(pan) == [12]
    fast = [window(scenery(1), 30 * i) for i in range(12)] + [window(scenery(2) * 0.3, 30 * i) for i in range(12)]
    assert cuts_of(fast) == [12]


def test_a_cut_at_the_very_end_is_found() -> None:
    assert cuts_of([window(scenery(1), 0)] * 8 + [window(scenery(2), 0)]) == [8]


def test_fast_motion_is_no_cut() -> None:
    pan = [window(scenery(1), 40 * i) for i in range(16)]
    assert cuts_of(pan) == []
    burst = [window(scenery(1), x) for x in [0] * 8 + [15, 40, 65, 80] + [80] * 8]
    assert cuts_of(burst) == []


def test_motion_at_half_the_frame_rate_is_no_cut() -> None:
    assert cuts_of([window(scenery(1), 20 * (i // 2)) for i in range(24)]) == []


def test_a_flash_is_no_cut() -> None:
    still = window(scenery(1), 0)
    assert cuts_of([still] * 8 + [still * 0 + 250] + [still] * 8) == []
    assert cuts_of([still] * 8 + [still * 0 + 250] * 2 + [still] * 8) == []
    fading = [still + light * (250 - still) for light in (0.9, 0.6, 0.3)]
    assert cuts_of([still] * 8 + fading + [still] * 8) == []


def test_a_step_in_exposure_is_no_cut() -> None:
    assert cuts_of([window(scenery(1), 0)] * 8 + [window(scenery(1), 0) + 4] * 8) == []


def test_a_dissolve_is_no_cut() -> None:
    first, second = window(scenery(1), 0), window(scenery(2), 0)
    shares = np.linspace(0, 1, 12)
    assert cuts_of([first] * 6 + [(1 - s) * first + s * second for s in shares] + [second] * 6) == []


def test_no_frames_and_one_frame_have_no_cuts() -> None:
    assert CutDetector().cuts().shape == (0,)
    assert cuts_of([window(scenery(1), 0)]) == []
