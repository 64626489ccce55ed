"""The visible label, measured on the picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch

from heygem.colour_space import ColourSpace
from heygem.frame import Frame
from heygem.pipeline.label import LINES, Label, labelled
from heygem.pipeline.stages import Shot

SIZES = [(64, 64), (640, 360), (480, 854), (1280, 720), (1920, 1080), (1080, 1920), (2160, 3840)]
CORNERS = ["top-right", "top-left", "bottom-right", "bottom-left"]


def grey(width: int, height: int, level: int = 90, colour: ColourSpace | None = None) -> Frame:
    data = torch.full((width * height * 3 // 2,), 70, dtype=torch.uint8)
    data[: width * height] = level
    return Frame(data, width, height, colour or ColourSpace())


def heights_of_lines(luma: np.ndarray) -> list[int]:
    """Rows of each line of text: runs of rows with a pixel that is nearer to white than to the box."""
    inked = (luma > 150).any(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(int), [0]])))
    return list(edges[1::2] - edges[::2])


def heights_of_glyphs(luma: np.ndarray) -> list[int]:
    """Rows of each character of the last line, apart from the dash: runs of columns that hold ink."""
    inked = luma > 150
    starts = np.flatnonzero(np.diff(np.concatenate([[0], inked.any(1).astype(int)])) > 0)
    line = inked[starts[-1] :]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.any(0).astype(int), [0]])))
    heights = [int(line[:, left:right].any(1).sum()) for left, right in zip(edges[::2], edges[1::2], strict=True)]
    assert len(heights) == len(LINES[1]), "the characters stand apart"
    return [height for place, height in enumerate(heights) if LINES[1][place] != "-"]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_character_is_at_least_a_twentieth_of_the_shorter_side_high(width: int, height: int) -> None:
    frame = grey(width, height)
    Label(width, height, frame.colour, "top-right").draw(frame)
    luma = frame.y.numpy()
    lines = heights_of_lines(luma)
    assert len(lines) == len(LINES)
    assert min(lines) >= min(width, height) / 20
    if min(width, height) >= 360:  # smaller, characters touch
        assert min(heights_of_glyphs(luma)) >= min(width, height) / 20


def test_no_size_falls_short() -> None:
    for side in (*range(64, 400, 18), 214, 370, 528):  # the last three fall shortest
        frame = grey(side, side)
        Label(side, side, frame.colour, "top-right").draw(frame)
        assert min(heights_of_lines(frame.y.numpy())) >= side / 20, side


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize(("width", "height"), [(64, 64), (66, 70), (640, 360), (362, 642)])
def test_only_the_box_is_changed_and_it_lies_in_its_corner(width: int, height: int, corner) -> None:
    frame = Frame(torch.randint(16, 236, (width * height * 3 // 2,), dtype=torch.uint8), width, height, ColourSpace())
    before = Frame(frame.data.clone(), width, height, frame.colour)
    label = Label(width, height, frame.colour, corner)
    label.draw(frame)
    for plane, old, scale in ((frame.y, before.y, 1), (frame.u, before.u, 2), (frame.v, before.v, 2)):
        rows, columns = np.nonzero((plane != old).numpy())
        assert rows.min() * scale >= label.top and (rows.max() + 1) * scale <= label.top + label.height
        assert columns.min() * scale >= label.left and (columns.max() + 1) * scale <= label.left + label.width
        # Changed up to its edges: the box is drawn over the whole of it.
        assert (rows.max() + 1 - rows.min()) * scale >= label.height - 2
    middle_x, middle_y = label.left + label.width / 2, label.top + label.height / 2
    assert (middle_x < width / 2) == corner.endswith("left") and (middle_y < height / 2) == corner.startswith("top")


@pytest.mark.parametrize(("full_range", "black", "white"), [(False, 16, 235), (True, 0, 255)])
def test_text_is_white_and_the_box_half_black_without_colour(full_range: bool, black: int, white: int) -> None:
    colour = ColourSpace("bt601", full_range)
    frame = grey(640, 360, 100, colour)
    label = Label(640, 360, colour, "top-left")
    label.draw(frame)
    box = frame.y[label.top : label.top + label.height, label.left : label.left + label.width]
    assert int(box.max()) == white
    assert int(box[0, 0]) == (100 + black) // 2
    assert int(frame.u[label.top // 2, label.left // 2]) == int(frame.v[label.top // 2, label.left // 2]) == 99


def test_text_is_not_stretched_by_pixels_that_are_not_square() -> None:
    square, wide = (
        Label(720, 576, ColourSpace(), "top-right"),
        Label(720, 576, ColourSpace(), "top-right", sample_aspect=Fraction(64, 45)),
    )
    assert wide.height == square.height
    assert wide.width * 64 / 45 == pytest.approx(square.width, rel=0.02)
    tiny = grey(64, 64)
    Label(64, 64, ColourSpace(), "top-right", sample_aspect=Fraction(1, 4)).draw(tiny)


def test_likeness_tells_a_label_from_none_on_any_background() -> None:
    label = Label(640, 360, ColourSpace(), "top-right")
    noise = torch.from_numpy(np.random.default_rng(0).integers(16, 236, 640 * 360 * 3 // 2, np.uint8))
    for data in (noise, torch.full_like(noise, 235), torch.full_like(noise, 16)):
        frame = Frame(data.clone(), 640, 360, ColourSpace())
        assert label.likeness(frame.y.float().numpy()) < 0.3
        label.draw(frame)
        assert label.likeness(frame.y.float().numpy()) > 0.7


def shots(count: int) -> Iterator[Shot]:
    nothing = np.zeros(0, np.float32)
    for index in range(count):
        yield Shot(index, grey(64, 64), 0.0, nothing, nothing)


@pytest.mark.parametrize(("duration_s", "marked"), [(None, 8), (0.1, 3), (0.12, 4), (9.0, 8)])
def test_the_label_is_shown_as_long_as_asked_for(duration_s: float | None, marked: int) -> None:
    label = Label(64, 64, ColourSpace(), "bottom-left")
    drawn = labelled(shots(8), "bottom-left", fps=Fraction(30), duration_s=duration_s, sample_aspect=Fraction(1))
    seen = [label.likeness(shot.frame.y.float().numpy()) > 0.5 for shot in drawn]
    assert seen == [True] * marked + [False] * (8 - marked)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_the_label_is_the_same_picture_on_a_graphics_card() -> None:
    noise = torch.randint(16, 236, (640 * 360 * 3 // 2,), dtype=torch.uint8)
    here, there = Frame(noise, 640, 360, ColourSpace()), Frame(noise.cuda(), 640, 360, ColourSpace())
    for frame in (here, there):
        Label(640, 360, frame.colour, "top-right", device=frame.data.device).draw(frame)
    assert torch.equal(there.data.cpu(), here.data)
