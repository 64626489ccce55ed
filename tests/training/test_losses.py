from __future__ import annotations

import pytest
import torch

from formula_weights import uniform
from heygem.training.discriminator import MouthDiscriminator, feature_loss, fooling_loss, hinge_loss
from heygem.training.losses import composite, gradient_l1, mouth_weights, total_variation, warp, weighted_l1

PICTURES = uniform(3, (2, 3, 96, 96), 0, 1)


def test_weights_have_mean_one_and_peak_on_the_mouth() -> None:
    weights = mouth_weights()
    assert float(weights.mean()) == pytest.approx(1, abs=1e-5)
    row, column = divmod(int(weights.argmax()), 96)
    assert (row, column) == (71, 48)
    assert weights[10, 48] < weights[90, 10] < weights[71, 48] / 4


def test_an_error_on_the_mouth_costs_more_than_one_on_the_forehead() -> None:
    mouth, forehead = PICTURES.clone(), PICTURES.clone()
    mouth[:, :, 66:76, 40:56] += 0.5
    forehead[:, :, 6:16, 40:56] += 0.5
    assert weighted_l1(mouth, PICTURES) > 10 * weighted_l1(forehead, PICTURES)
    assert weighted_l1(PICTURES + 0.1, PICTURES) == pytest.approx(0.1, abs=1e-5)


def test_gradients_ignore_brightness_and_see_blur() -> None:
    assert gradient_l1(PICTURES + 0.2, PICTURES) < 1e-6
    blurred = torch.nn.functional.avg_pool2d(PICTURES, 3, 1, 1)
    assert gradient_l1(blurred, PICTURES) > 0.1


def test_a_flow_fetches_from_where_it_points() -> None:
    flow = torch.zeros(2, 2, 96, 96)
    flow[:, 0] = 3
    flow[:, 1] = -2
    fetched = warp(PICTURES, flow)
    torch.testing.assert_close(fetched[:, :, 2:, :-3], PICTURES[:, :, :-2, 3:], atol=1e-4, rtol=0)
    assert total_variation(flow) == 0
    flow[:, 0, :, 48:] = 0
    assert total_variation(flow) > 0


def test_opacity_chooses_between_colour_and_reference() -> None:
    opacity = torch.zeros(2, 1, 96, 96)
    opacity[:, :, :, 48:] = 1
    shown = composite(PICTURES, opacity, torch.zeros_like(PICTURES))
    assert not shown[..., :48].any()
    assert torch.equal(shown[..., 48:], PICTURES[..., 48:])


def test_a_discriminator_learns_to_tell_noise_from_grey() -> None:
    torch.manual_seed(0)
    judge = MouthDiscriminator()
    optimizer = torch.optim.Adam(judge.parameters(), 1e-3)
    grey = torch.full_like(PICTURES, 0.5)
    before = hinge_loss(judge(PICTURES), judge(grey)).item()
    for _ in range(30):
        loss = hinge_loss(judge(PICTURES), judge(grey))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    real, drawn = judge(PICTURES), judge(grey)
    assert hinge_loss(real, drawn).item() < before / 2
    assert fooling_loss(drawn) > fooling_loss(real)
    assert feature_loss(real, drawn) > 0
    assert feature_loss(real, real) == 0


def test_a_discriminator_looks_at_the_mouth_alone() -> None:
    judge = MouthDiscriminator().eval()
    other = PICTURES.clone()
    other[:, :, :46] = 0
    assert torch.equal(judge(PICTURES)[-1], judge(other)[-1])
