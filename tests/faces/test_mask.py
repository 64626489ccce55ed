"""Where masks are open and where they are shut."""

import numpy as np
import pytest
import torch

from heygem.faces.crop import box_map
from heygem.faces.mask import face_mask, lip_masks

BOX = np.array([100, 50, 260, 270], np.float32)
LANDMARKS = np.array([[148, 140], [212, 140], [180, 180], [154, 218], [206, 218]], np.float32)
CPU = torch.device("cpu")
SIZE = 96


def value(mask: torch.Tensor, x: float, y: float) -> float:
    """Mask of a point in the frame."""
    column, row = box_map(BOX, (0, 10, 0, 0), SIZE) @ [x, y, 1]
    return float(mask[0, 0, round(row), round(column)])


def mask_of(shape: str) -> torch.Tensor:
    return lip_masks(shape, [LANDMARKS], [box_map(BOX, (0, 10, 0, 0), SIZE)], SIZE, CPU)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", ["mouth", "lower-face"])
def test_soft_masks_are_open_at_the_mouth_and_shut_at_eyes_and_borders(shape: str) -> None:
    mask = mask_of(shape)
    assert mask.shape == (1, 1, SIZE, SIZE)
    assert float(mask.min()) >= 0 and float(mask.max()) <= 1
    for x, y in ((180, 218), (154, 218), (206, 218), (180, 232)):
        assert value(mask, x, y) > 0.9
    for x, y in ((148, 140), (212, 140), (180, 150)):
        assert value(mask, x, y) == 0
    border = torch.cat([mask[0, 0, 0], mask[0, 0, -1], mask[0, 0, :, 0], mask[0, 0, :, -1]])
    assert float(border.abs().max()) == 0


def test_lower_face_reaches_the_chin_and_the_mouth_mask_does_not() -> None:
    assert value(mask_of("lower-face"), 180, 255) > 0.9
    assert value(mask_of("mouth"), 180, 268) == 0


def test_soft_masks_have_no_step() -> None:
    mask = mask_of("lower-face")[0, 0]
    assert float(mask.diff(dim=0).abs().max()) < 0.25
    assert float(mask.diff(dim=1).abs().max()) < 0.25


def test_masks_turn_with_the_face() -> None:
    turned = LANDMARKS.copy()
    middle = LANDMARKS.mean(0)
    angle = np.deg2rad(30)
    turned = (LANDMARKS - middle) @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + middle
    affine = box_map(BOX, (0, 0, 0, 0), SIZE)
    mask = lip_masks("mouth", [turned.astype(np.float32)], [affine], SIZE, CPU)
    for x, y in turned[3:]:
        column, row = affine @ [x, y, 1]
        assert float(mask[0, 0, round(row), round(column)]) > 0.9


def test_box_is_everything() -> None:
    assert float(mask_of("box").min()) == 1


def test_face_mask_covers_the_template_face_and_no_border() -> None:
    mask = face_mask(512, CPU)
    assert mask.shape == (1, 512, 512)
    for x, y in ((193, 240), (319, 240), (257, 314), (201, 371), (313, 371), (256, 440)):
        assert float(mask[0, y, x]) > 0.9
    assert float(mask[0, 0].max()) == 0 and float(mask[0, :, 0].max()) == 0
