"""Every mouth must follow the sound of its own frame, whatever gaps, loops and batches lie between."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch

from heygem.batch_memory import BatchMemory
from heygem.colour_space import ColourSpace
from heygem.faces.face import FaceTrack
from heygem.frame import Frame
from heygem.lipsync.base import Drawn
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.stages import PARSE_EVERY, Shot, sharpen, speak, with_faces
from stand_ins import LEVELS, FrameNumbers, Parrot, face_in_the_middle, heard_in

WIDTH, HEIGHT = 64, 64
CPU = torch.device("cpu")
FPS = Fraction(30000, 1001)
BACKGROUND = 200


def blank() -> Frame:
    data = torch.full((WIDTH * HEIGHT * 3 // 2,), 128, dtype=torch.uint8)
    data[: WIDTH * HEIGHT] = BACKGROUND
    return Frame(data, WIDTH, HEIGHT, ColourSpace())


def track_of(weights: list[float]) -> FaceTrack:
    face = face_in_the_middle(WIDTH, HEIGHT)
    absent = np.array([weight == 0 for weight in weights])
    boxes = np.where(absent[:, None], np.nan, face.box).astype(np.float32)
    landmarks = np.where(absent[:, None, None], np.nan, face.landmarks).astype(np.float32)
    return FaceTrack(boxes, landmarks, np.array(weights, np.float32), ~absent, "test")


def pingpong(length: int, count: int) -> Iterator[tuple[int, Frame]]:
    order = [*range(length), *range(length - 2, 0, -1)]
    return ((order[index % len(order)], blank()) for index in range(count))


def spoken(track: FaceTrack, count: int, batch: int, lips: Parrot, **options: object) -> list[Shot]:
    shots = with_faces(pingpong(len(track), count), track, CPU)
    chosen = RenderOptions(**options)  # type: ignore[arg-type]
    return list(speak(shots, FrameNumbers(FPS), lips, BatchMemory(batch), fps=FPS, options=chosen))


@pytest.mark.parametrize("batch", [1, 4, 7, 64])
@pytest.mark.parametrize("mask", ["mouth", "lower-face", "box"])
def test_every_mouth_follows_the_sound_of_its_own_frame(batch: int, mask: str) -> None:
    track = track_of([0.0 if index % 3 == 1 else 1.0 for index in range(8)])
    lips = Parrot()
    shots = spoken(track, 61, batch, lips, mask=mask)
    order = [index for index, _ in pingpong(8, 61)]
    assert [shot.index for shot in shots] == list(range(61))
    for shot in shots:
        if order[shot.index] % 3 == 1:
            assert torch.equal(shot.frame.data, blank().data)
        else:
            assert heard_in(shot.frame) == pytest.approx(shot.index, abs=0.3)
    assert sum(lips.batches) == sum(1 for index in order if index % 3 != 1)


def test_the_first_batch_is_small_so_that_the_first_picture_comes_soon() -> None:
    lips = Parrot()
    spoken(track_of([1.0]), 45, 16, lips)
    assert lips.batches == [2, 16, 16, 11]


def test_outside_the_mask_no_byte_changes() -> None:
    track = track_of([1.0])
    for mask in ("mouth", "lower-face"):
        [shot] = spoken(track, 1, 1, Parrot(), mask=mask)
        left, top, right, bottom = (int(value) for value in track.boxes[0])
        outside = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
        outside[top : bottom + 11, left:right] = False
        assert (shot.frame.y[outside] == BACKGROUND).all()
        assert (shot.frame.u == 128).all()
        assert (shot.frame.y[: int(top + 0.4 * (bottom - top))] == BACKGROUND).all()
        assert (shot.frame.y != BACKGROUND).any()


def test_weight_fades_what_is_drawn() -> None:
    shots = spoken(track_of([0.25, 1.0]), 2, 2, Parrot())
    luma = float(shots[0].frame.y[40, 32])
    assert luma == pytest.approx(0.75 * BACKGROUND + 0.25 * 16, abs=1)


def test_positive_offset_makes_lips_follow_later() -> None:
    two_frames_ms = float(2000 / FPS)
    shots = spoken(track_of([1.0]), 30, 4, Parrot(), sync_offset_ms=two_frames_ms)
    assert [round(heard_in(shot.frame)) % LEVELS for shot in shots[2:]] == list(range(28))


def test_a_batch_that_does_not_fit_is_drawn_in_halves_with_the_same_result() -> None:
    class Small(Parrot):
        def draw(self, faces: torch.Tensor, heard: torch.Tensor) -> Drawn:
            if len(faces) > 3:
                raise torch.OutOfMemoryError("too many")
            return super().draw(faces, heard)

    lips, batch = Small(), BatchMemory(16)
    shots = with_faces(pingpong(5, 40), track_of([1.0] * 5), CPU)
    made = list(speak(shots, FrameNumbers(FPS), lips, batch, fps=FPS, options=RenderOptions()))
    assert [round(heard_in(shot.frame)) for shot in made] == list(range(40))
    assert batch.size == 2
    assert max(lips.batches) <= 3


class Whitener:
    """An enhancer that makes faces white."""

    device = CPU
    crop_size = 64

    def enhance(self, faces: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(faces)


class CountingParser:
    """A parser that says the whole crop is face."""

    def __init__(self) -> None:
        self.calls = 0

    def parse(self, crops: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return torch.ones(len(crops), 1, *crops.shape[2:])


def test_enhancer_reaches_the_face_by_its_strength_and_nothing_else() -> None:
    def sharpened(strength: float) -> Frame:
        shots = with_faces(iter([(0, blank())]), track_of([1.0]), CPU)
        return next(iter(sharpen(shots, Whitener(), None, BatchMemory(2), strength=strength))).frame

    assert float(sharpened(1.0).y[36, 32]) == 235
    assert float(sharpened(0.5).y[36, 32]) == pytest.approx((BACKGROUND + 235) / 2, abs=1)
    assert (sharpened(1.0).y[0] == BACKGROUND).all()


def parsed(shots: Iterator[Shot]) -> list[int]:
    """The shots at which the parser is asked."""
    parser, asked = CountingParser(), []
    for shot in sharpen(shots, Whitener(), parser, BatchMemory(1), strength=1.0):  # type: ignore[arg-type]
        asked += [shot.index] * (parser.calls - len(asked))
    return asked


def test_parser_is_asked_every_few_frames_only() -> None:
    frames = ((0, blank()) for _ in range(3 * PARSE_EVERY + 1))
    assert parsed(with_faces(frames, track_of([1.0]), CPU)) == [n * PARSE_EVERY for n in range(4)]


def test_parser_is_asked_where_it_is_within_the_whole_wherever_the_face_comes_in() -> None:
    weights = [0.0] * 3 + [1.0] * 20
    whole = parsed(with_faces(((at, blank()) for at in range(23)), track_of(weights), CPU))
    assert whole == [3, 5, 10, 15, 20]
    part = parsed(with_faces(((at, blank()) for at in range(10, 23)), track_of(weights), CPU, first=10))
    assert part == whole[2:]


def test_parser_is_asked_again_when_the_face_was_away() -> None:
    weights = [1.0, 1.0, 0.0, 1.0, 1.0]
    assert parsed(with_faces(((at, blank()) for at in range(5)), track_of(weights), CPU)) == [0, 3]


def test_parser_is_asked_again_when_the_head_turns_but_not_when_it_only_moves() -> None:
    track = track_of([1.0] * 5)
    track.boxes[1:] += 3
    track.landmarks[1:] += 3
    assert parsed(with_faces(((at, blank()) for at in range(5)), track, CPU)) == [0]
    track.landmarks[3:, 2, 0] += 4  # the nose alone
    assert parsed(with_faces(((at, blank()) for at in range(5)), track, CPU)) == [0, 3]
