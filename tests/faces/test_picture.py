import cv2
import numpy as np
import pytest
import torch

from heygem.colour_space import ColourSpace
from heygem.faces.picture import small_jpeg, working_luma, working_pictures, working_size
from heygem.frame import Frame


def frame_of(rgb: tuple[float, float, float], width: int, height: int, colour: ColourSpace) -> Frame:
    matrix, offset = map(torch.from_numpy, colour.to_yuv())
    y, u, v = (matrix @ torch.tensor(rgb, dtype=torch.float64) + offset).round().to(torch.uint8)
    quarter = width * height // 4
    return Frame(torch.cat([y.repeat(4 * quarter), u.repeat(quarter), v.repeat(quarter)]), width, height, colour)


def test_long_side_is_shrunk_and_small_pictures_stay() -> None:
    assert working_size(1920, 1080, 640) == (640, 360)
    assert working_size(1080, 1920, 640) == (360, 640)
    assert working_size(320, 240, 640) == (320, 240)


@pytest.mark.parametrize("colour", [ColourSpace("bt601"), ColourSpace("bt709"), ColourSpace("bt2020", True)])
def test_each_frame_is_converted_by_its_own_colour_space(colour: ColourSpace) -> None:
    rgb = (0.8, 0.3, 0.1)
    frames = [frame_of(rgb, 128, 64, colour), frame_of(rgb, 128, 64, ColourSpace("bt709"))]
    pictures = working_pictures(frames, 64)
    assert pictures.shape == (2, 3, 32, 64)
    wanted = torch.tensor(rgb)[:, None, None] * 255
    assert (pictures - wanted).abs().max() < 2


def test_shrinking_keeps_places_and_averages() -> None:
    frame = frame_of((0, 0, 0), 160, 120, ColourSpace(full_range=True))
    frame.y[40:60, 80:120] = 200
    luma = working_luma(frame, 80)
    assert luma.shape == (60, 80)
    assert luma[22:28, 42:58].mean() == 200
    assert luma[:18].mean() == 0
    frame.y[::4] = 0
    assert abs(float(working_luma(frame, 40)[11:14, 21:29].mean()) - 150) < 3  # of all rows, not of some


@pytest.mark.parametrize("width", [64, 70, 80])
def test_every_pixel_of_a_small_luma_is_in_the_middle_of_those_that_it_stands_for(width: int) -> None:
    frame = frame_of((0, 0, 0), width, 32, ColourSpace())
    frame.y.copy_(3 * torch.arange(width).expand(32, width))
    share = width / 20
    wanted = 3 * ((np.arange(20) + 0.5) * share - 0.5)
    assert np.abs(working_luma(frame, 20) - wanted).max() <= 1.3


def test_luma_keeps_a_picture_that_is_small_enough() -> None:
    frame = frame_of((0.2, 0.5, 0.7), 64, 32, ColourSpace())
    frame.y.copy_(torch.arange(64 * 32).reshape(32, 64) % 256)
    assert (working_luma(frame, 64) == frame.y.numpy()).all()


@pytest.mark.parametrize("colour", [ColourSpace("bt601"), ColourSpace("bt709", True)])
def test_a_jpeg_has_the_colours_of_its_frame(colour: ColourSpace) -> None:
    jpeg = small_jpeg(frame_of((0.8, 0.3, 0.1), 128, 64, colour), 100)
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None and bgr.shape == (50, 100, 3)
    assert np.abs(bgr - 255 * np.array([0.1, 0.3, 0.8])).max() < 5
