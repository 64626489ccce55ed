import json
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_detections import LANDMARKS

from formula_weights import GOLDEN_DIR
from heygem.faces.smoothing import Smoothing, smooth_run, wav2lip_boxes

FPS = Fraction(25)
SIZE = 100.0


def run(x: NDArray[np.float64], size: NDArray[np.float64] | float = SIZE) -> NDArray[np.float32]:
    """(n, 4) boxes with these centres and sizes."""
    half = np.broadcast_to(size, x.shape) / 2
    return np.stack([x - half, 200 - half, x + half, 200 + half], axis=1).astype(np.float32)


def smoothed(boxes: NDArray[np.float32], how: Smoothing = "steady") -> NDArray[np.float32]:
    landmarks = boxes[:, None, :2] + (boxes[:, None, 2:] - boxes[:, None, :2]) * LANDMARKS
    result, points = smooth_run(boxes, landmarks, how, FPS)
    assert result.shape == boxes.shape and points.shape == landmarks.shape
    if how == "steady":  # landmarks are steadied as boxes are, if not by the same amount
        drift = points - (result[:, None, :2] + (result[:, None, 2:] - result[:, None, :2]) * LANDMARKS)
        assert np.abs(drift).max(initial=0) < 0.05 * SIZE
    return result


def centres(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return (boxes[:, 0] + boxes[:, 2]) / 2


def test_wav2lip_smoothing_is_the_reference_s() -> None:
    golden = json.loads((GOLDEN_DIR / "box_smoothing.json").read_text())
    np.testing.assert_array_equal(wav2lip_boxes(np.array(golden["in"])), golden["out_T5_int"])
    through_run = smoothed(np.array(golden["in"], dtype=np.float32) + np.float32(0.9), "wav2lip")
    np.testing.assert_array_equal(through_run, golden["out_T5_int"])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_wav2lip_smoothing_of_short_runs_is_a_mean(count: int) -> None:
    boxes = np.arange(4 * count).reshape(count, 4) * 10
    result = wav2lip_boxes(boxes)
    np.testing.assert_array_equal(result[0], np.trunc(boxes.mean(axis=0)))
    assert (result >= boxes.min(axis=0)).all() and (result <= boxes.max(axis=0)).all()


def test_wav2lip_smoothing_leaves_its_argument_alone() -> None:
    boxes = np.arange(24).reshape(6, 4)
    wav2lip_boxes(boxes)
    np.testing.assert_array_equal(boxes, np.arange(24).reshape(6, 4))


def test_none_changes_nothing() -> None:
    boxes = run(np.random.RandomState(0).uniform(0, 500, 20))
    np.testing.assert_array_equal(smoothed(boxes, "none"), boxes)


def test_steady_takes_out_jitter_the_more_the_more_there_is() -> None:
    noise = np.random.RandomState(1).normal(0, 1, 200)
    slight, strong = (smoothed(run(500 + share * noise)) for share in (0.2, 2.0))
    assert centres(slight).std() < 0.6 * 0.2
    assert centres(strong).std() < 0.45 * 2.0
    assert centres(strong).std() / 2.0 < 0.85 * centres(slight).std() / 0.2


def test_steady_takes_out_slips() -> None:
    x = np.full(30, 500.0)
    x[10], x[20:22] = 540, 465
    assert np.abs(centres(smoothed(run(x))) - 500).max() < 0.5


def test_steady_keeps_even_movement_to_the_very_ends() -> None:
    x = 100 + 12.0 * np.arange(30)
    np.testing.assert_allclose(centres(smoothed(run(x))), x, atol=0.01)


def test_steady_follows_a_nodding_head() -> None:
    nod = 5 * np.sin(2 * np.pi * 2 * np.arange(100) / 25)  # twice a second, 5 % of the face's size
    error = centres(smoothed(run(500 + nod))) - 500 - nod
    assert np.abs(error).max() < 0.3 * 5
    early, late = np.roll(nod, -1), np.roll(nod, 1)
    result = centres(smoothed(run(500 + nod))) - 500
    assert abs(np.dot(result, early) - np.dot(result, late)) < 0.02 * np.dot(nod, nod)  # neither leads nor lags


def test_steady_keeps_growing_boxes_in_proportion() -> None:
    size = np.linspace(80, 140, 40)
    boxes = smoothed(run(np.full(40, 500.0), size))
    np.testing.assert_allclose(boxes[:, 2] - boxes[:, 0], size, atol=0.05)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_short_runs_survive(count: int) -> None:
    boxes = run(np.full(count, 500.0))
    for how in ("steady", "wav2lip", "none"):
        np.testing.assert_allclose(smoothed(boxes, how), boxes, atol=1e-3)
