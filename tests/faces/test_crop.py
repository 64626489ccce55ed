"""Cutting and pasting: exact positions, chroma sites, and bytes that nobody may touch."""

import numpy as np
import pytest
import torch

from heygem.colour_space import ColourSpace
from heygem.faces import crop as crop_module
from heygem.faces.crop import Patch, aligned_map, box_map, cut, inverse, paste
from heygem.frame import Frame

BT709 = ColourSpace("bt709", full_range=False)


def frame_of(y: torch.Tensor, u: torch.Tensor, v: torch.Tensor, colour: ColourSpace = BT709) -> Frame:
    height, width = y.shape
    data = torch.cat([plane.reshape(-1) for plane in (y, u, v)]).to(torch.uint8)
    return Frame(data, width, height, colour)


def noise_frame(width: int = 96, height: int = 64, seed: int = 0) -> Frame:
    data = torch.randint(30, 220, (width * height * 3 // 2,), generator=torch.Generator().manual_seed(seed))
    return Frame(data.to(torch.uint8), width, height, BT709)


def smooth_frame(width: int = 160, height: int = 128) -> Frame:
    """Luma rises to the right, blue-difference to the right, red-difference downwards, all linear in space."""
    x = torch.arange(width).float().expand(height, width)
    chroma_x = torch.arange(0, width, 2).float().expand(height // 2, width // 2)
    chroma_y = (torch.arange(0, height, 2).float() + 0.5)[:, None].expand(height // 2, width // 2)
    return frame_of(40 + x, 90 + chroma_x / 2, 100 + chroma_y / 2)


def yuv_of(crops: torch.Tensor, colour: ColourSpace = BT709) -> torch.Tensor:
    matrix, offset = map(torch.from_numpy, colour.to_yuv())
    return torch.einsum("ij,njhw->nihw", matrix.float(), crops) + offset.float()[:, None, None]


def test_box_map_takes_a_slice_of_an_array_to_the_whole_crop() -> None:
    affine = box_map(np.array([10, 20, 42, 84], np.float32), (0, 0, 0, 0), 32)
    assert affine @ [10, 20, 1] == pytest.approx([0, -0.25])  # first pixel's centre, one crop pixel spans 1 x 2
    assert affine @ [41, 83, 1] == pytest.approx([31, 31.25])
    padded = box_map(np.array([10, 20, 42, 84], np.float32), (1, 2, 3, 4), 32)
    assert padded @ [6.5, 18.5, 1] == pytest.approx([-0.5, -0.5])
    assert padded @ [45.5, 85.5, 1] == pytest.approx([31.5, 31.5])


def test_aligned_map_undoes_any_turn_scale_and_shift() -> None:
    template = np.array([[193, 240], [319, 240], [257, 314], [201, 371], [313, 371]], np.float32)
    turn = 0.3
    linear = 0.4 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    seen = (template @ linear.T + [70, -20]).astype(np.float32)
    assert np.abs(np.column_stack([seen, np.ones(5)]) @ aligned_map(seen, 512).T - template).max() < 1.0
    half = aligned_map(seen, 256)
    assert np.abs(np.column_stack([seen, np.ones(5)]) @ half.T - template / 2).max() < 0.5


def test_inverse_is_the_way_back() -> None:
    affine = np.array([[0.8, -0.3, 5.0], [0.2, 1.1, -7.0]])
    assert inverse(affine) @ [*(affine @ [12, 34, 1]), 1] == pytest.approx([12, 34])


@pytest.mark.parametrize("scale", [0.3, 0.7, 1.0, 3.7])
def test_cut_reads_every_plane_at_the_right_place(scale: float) -> None:
    frame = smooth_frame()
    size = 24
    affine = np.array([[1 / scale, 0, -30 / scale], [0, 1 / scale, -20 / scale]])
    yuv = yuv_of(cut([frame], [affine], size))[0]
    where = torch.arange(size).float() * scale
    assert torch.allclose(yuv[0], (40 + 30 + where).expand(size, size), atol=0.05)
    assert torch.allclose(yuv[1], (90 + (30 + where) / 2).expand(size, size), atol=0.55)  # chroma is rounded to bytes
    assert torch.allclose(yuv[2], (100 + (20 + where) / 2)[:, None].expand(size, size), atol=0.55)
    assert abs(float((yuv[1] - (90 + (30 + where) / 2)).mean())) < 0.3
    assert abs(float((yuv[2] - (100 + (20 + where) / 2)[:, None]).mean())) < 0.3


def checks(side: int) -> torch.Tensor:
    """(side, side): 80 and 160 in turn."""
    return ((torch.arange(side)[None, :] + torch.arange(side)[:, None]) % 2 * 80 + 80).float()


@pytest.mark.parametrize("size", [16, 8, 5])
def test_cut_shrinks_every_plane_by_averaging(size: int) -> None:
    frame = frame_of(checks(64), checks(32), checks(32))
    crop = cut([frame], [box_map(np.array([0, 0, 64, 64], np.float32), (0, 0, 0, 0), size)], size)
    inner = yuv_of(crop)[0, :, 1:-1, 1:-1]  # chroma sits beside luma, so its edge repeats
    # The mean of few points that lie anywhere between samples keeps a little of the checks.
    assert inner.sub(120).abs().max() < (1 if size != 5 else 6)


def test_cut_repeats_the_edge_outside_the_frame() -> None:
    frame = smooth_frame()
    yuv = yuv_of(cut([frame], [box_map(np.array([-40, 0, -8, 32], np.float32), (0, 0, 0, 0), 8)], 8))[0]
    assert yuv[0].sub(40).abs().max() < 0.05


def test_paste_changes_no_byte_where_the_mask_is_zero() -> None:
    frame = noise_frame()
    before = frame.data.clone()
    mask = torch.zeros(1, 32, 32)
    mask[:, 10:20, 8:24] = 1
    affine = box_map(np.array([20, 10, 60, 58], np.float32), (0, 0, 0, 0), 32)
    paste(frame, affine, Patch(torch.zeros(3, 32, 32)), mask)
    old = Frame(before, frame.width, frame.height, frame.colour)
    changed = frame.y != old.y
    # One crop pixel is 1.25 x 1.5 frame pixels; the mask fades over one of them.
    assert changed[10 + 15 : 10 + 29, 20 + 11 : 20 + 29].all()
    changed[23 : 10 + 32, 28:52] = False
    assert not changed.any()
    untouched = frame.u != old.u
    untouched[11:21, 14:26] = False
    assert not untouched.any()


def pasted_at(left: int, frame: Frame, mask: torch.Tensor) -> None:
    affine = box_map(np.array([left, 7, left + 61, 70], np.float32), (0, 0, 0, 0), 32)
    paste(frame, affine, Patch(torch.rand(3, 32, 32)), mask)


def test_paste_with_an_empty_mask_changes_nothing_at_all() -> None:
    frame = noise_frame()
    before = frame.data.clone()
    paste(
        frame,
        box_map(np.array([-9, 7, 61, 70], np.float32), (0, 0, 0, 0), 32),
        Patch(torch.rand(3, 32, 32)),
        torch.zeros(1, 32, 32),
    )
    assert torch.equal(frame.data, before)


def test_paste_beside_the_frame_changes_nothing() -> None:
    frame = noise_frame()
    before = frame.data.clone()
    paste(
        frame,
        box_map(np.array([200, 7, 261, 70], np.float32), (0, 0, 0, 0), 32),
        Patch(torch.rand(3, 32, 32)),
        torch.ones(1, 32, 32),
    )
    assert torch.equal(frame.data, before)


@pytest.mark.parametrize("colour", [BT709, ColourSpace("bt601", full_range=True), ColourSpace("bt2020")])
@pytest.mark.parametrize("size", [32, 48, 200])
def test_what_is_cut_and_pasted_back_is_what_was_there(colour: ColourSpace, size: int) -> None:
    frame = smooth_frame()
    frame = Frame(frame.data, frame.width, frame.height, colour)
    before = frame.data.clone()
    turned = np.array([[0.9, 0.3, 0], [-0.3, 0.9, 0]]) * (size / 60)
    turned[:, 2] = size / 2 - turned[:, :2] @ [80, 64]
    paste(frame, turned, Patch(cut([frame], [turned], size)[0]), torch.ones(1, size, size))
    assert frame.data.int().sub(before.int()).abs().max() <= 1


def test_paste_puts_colour_where_it_belongs() -> None:
    grey = torch.full((32, 48), 128.0)
    frame = frame_of(torch.full((64, 96), 100.0), grey, grey)
    red = torch.zeros(3, 16, 16)
    red[0] = 1
    paste(frame, box_map(np.array([32, 16, 64, 48], np.float32), (0, 0, 0, 0), 16), Patch(red), torch.ones(1, 16, 16))
    matrix, offset = map(torch.from_numpy, BT709.to_yuv())
    wanted = matrix @ torch.tensor([1.0, 0, 0], dtype=torch.float64) + offset
    assert frame.y[32, 48] == round(float(wanted[0]))
    assert frame.u[16, 24] == round(float(wanted[1]))
    assert frame.v[16, 24] == round(float(wanted[2]))


def test_flow_fetches_the_frames_own_pixels_from_beside() -> None:
    frame = smooth_frame()
    before = Frame(frame.data.clone(), frame.width, frame.height, frame.colour)
    size = 32
    affine = box_map(np.array([40, 32, 104, 96], np.float32), (0, 0, 0, 0), size)  # one crop pixel is 2 x 2
    flow = torch.zeros(2, size, size)
    flow[0], flow[1] = 3.0, 0.0
    patch = Patch(torch.zeros(3, size, size), opacity=torch.zeros(1, size, size), flow=flow)
    mask = torch.zeros(1, size, size)
    mask[:, 8:24, 8:24] = 1
    paste(frame, affine, patch, mask)
    assert (frame.y[64, 60:84].int() - before.y[64, 60:84].int()).tolist() == [6] * 24  # luma rises by 1 per pixel
    assert (frame.u[32, 30:42].int() - before.u[32, 30:42].int()).tolist() == [3] * 12
    assert torch.equal(frame.v, before.v)
    assert torch.equal(frame.y[:, :50], before.y[:, :50])


def test_opacity_mixes_drawn_and_own_pixels() -> None:
    frame = smooth_frame()
    before = frame.y.clone()
    size = 32
    patch = Patch(torch.ones(3, size, size), opacity=torch.full((1, size, size), 0.25))
    paste(frame, box_map(np.array([40, 32, 104, 96], np.float32), (0, 0, 0, 0), size), patch, torch.ones(1, size, size))
    wanted = 0.25 * 235 + 0.75 * float(before[64, 70])
    assert abs(float(frame.y[64, 70]) - wanted) <= 0.5


def turned(by: float, scale: float, size: int = 48) -> np.ndarray:
    """A map that turns and scales around the middle of `smooth_frame`, to the middle of a crop."""
    linear = scale * np.array([[np.cos(by), -np.sin(by)], [np.sin(by), np.cos(by)]])
    return np.column_stack([linear, [size / 2, size / 2] - linear @ [80, 64]])


def test_flow_turns_with_the_crop() -> None:
    frame = smooth_frame()
    before = Frame(frame.data.clone(), frame.width, frame.height, frame.colour)
    affine = turned(0.5, 0.6)
    flow = torch.tensor([4.0, 6.0])[:, None, None].expand(2, 48, 48)
    paste(frame, affine, Patch(torch.zeros(3, 48, 48), torch.zeros(1, 48, 48), flow), torch.ones(1, 48, 48))
    right, down = np.linalg.inv(affine[:, :2]) @ [4, 6]
    luma, chroma = np.s_[54:74, 70:90], np.s_[27:37, 35:45]
    planes = ((frame.y, before.y, luma), (frame.u, before.u, chroma), (frame.v, before.v, chroma))
    changed = [float((new[part].float() - old[part]).mean()) for new, old, part in planes]
    assert changed == pytest.approx([right, right / 2, down / 2], abs=0.5)  # bytes


def test_chroma_lies_on_even_columns_and_between_rows() -> None:
    rows, columns = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    frame = frame_of(torch.full((80, 80), 100), 20 + 4 * columns, 21 + 4 * rows)
    yuv = yuv_of(cut([frame], [np.array([[1.0, 0, -11], [0, 1, -14]])], 32))[0]
    where = torch.arange(32)
    assert torch.allclose(yuv[1], (20 + 2 * (11 + where)).float().expand(32, 32), atol=0.05)
    assert torch.allclose(yuv[2], (20 + 2 * (14 + where)).float()[:, None].expand(32, 32), atol=0.05)


@pytest.mark.parametrize("turn", [0.0, 0.4])
@pytest.mark.parametrize("scale", [0.3, 0.45, 1.0, 4.0])
@pytest.mark.parametrize("has_flow", [False, True])
def test_to_look_only_where_the_mask_shows_gives_what_looking_everywhere_gives(
    turn: float, scale: float, has_flow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(2)
    colour = torch.rand(3, 96, 96, generator=generator)
    flow = torch.rand(2, 96, 96, generator=generator) * 4 - 2
    patch = Patch(colour, torch.rand(1, 96, 96, generator=generator), flow) if has_flow else Patch(colour)
    mask = torch.zeros(1, 96, 96)
    mask[:, 53:96, 37:80] = torch.rand(43, 43, generator=generator)
    affine = turned(turn, scale, 96)
    near = noise_frame(160, 128)
    everywhere = Frame(near.data.clone(), near.width, near.height, near.colour)
    before = near.data.clone()
    paste(near, affine, patch, mask)
    monkeypatch.setattr(crop_module, "_shown", lambda mask: (0, 0, 96, 96))
    paste(everywhere, affine, patch, mask)
    assert near.data.ne(before).any()
    assert near.data.int().sub(everywhere.data.int()).abs().max() <= 1  # rounded the other way


@pytest.mark.parametrize("times", [2, 3, 8])
def test_a_patch_is_enlarged_as_on_other_devices(times: int) -> None:
    picture = torch.rand(3, 40, 30, generator=torch.Generator().manual_seed(4)) * 255
    there = torch.nn.functional.interpolate(picture[None], scale_factor=times, mode="bicubic")[0]
    here = crop_module._enlarged(picture[:, 3:37, 2:28], times)
    assert here.shape == (3, 34 * times, 26 * times)
    inside = here[:, 4 * times : -4 * times, 4 * times : -4 * times]
    assert torch.allclose(inside, there[:, 7 * times : 33 * times, 6 * times : 24 * times], atol=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_every_device_cuts_and_pastes_the_same(turn: float) -> None:
    patch = Patch(torch.rand(3, 48, 48), torch.rand(1, 48, 48), torch.rand(2, 48, 48) * 4 - 2)
    mask = torch.zeros(1, 48, 48)
    mask[:, 17:30, 9:36] = 0.7
    affine = turned(turn, 0.6)
    here = noise_frame(160, 128)
    there = here.to(torch.device("cuda"))
    crops = [cut([frame], [affine], 48).cpu() for frame in (here, there)]
    assert torch.allclose(*crops, atol=1e-3)
    paste(here, affine, patch, mask)
    assert patch.opacity is not None
    assert patch.flow is not None
    paste(there, affine, Patch(patch.colour.cuda(), patch.opacity.cuda(), patch.flow.cuda()), mask.cuda())
    assert here.data.int().sub(there.data.cpu().int()).abs().max() <= 1
