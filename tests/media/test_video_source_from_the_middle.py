"""A clip that is begun late goes on exactly as if it had been begun at its start."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from heygem.frame import Frame
from heygem.media import video_source
from heygem.media.picture_sums import PictureSums
from heygem.media.video_source import VideoSource

LENGTH = 75
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "3", "-g", "24")


@pytest.fixture
def h264(make) -> Path:
    """3 s with B-frames in which no two frames are alike."""
    return make("gop.mp4", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=3,noise=alls=12:allf=t", *H264)


@pytest.fixture
def still_until_70(make) -> Path:
    """Nothing moves but in its last frames."""
    picture = "testsrc2=s=96x64:r=25:d=3,select='lt(n,1)+gt(n,69)',fps=25"
    return make("still_until_70.mp4", "-f", "lavfi", "-i", picture, *H264)


@pytest.fixture(autouse=True)
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_source, "BLOCK_FRAMES", 13)
    monkeypatch.setattr(video_source, "SEEK_MARGINS", (4,))


class Decoders:
    """Counts how a clip was opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.whole = self.part = 0
        for name in ("decode_args", "decode_part_args"):
            monkeypatch.setattr(video_source, name, self._counting(name, getattr(video_source, name)))

    def _counting(self, name, honest):
        def count(*args, **kwargs):
            if name == "decode_args":
                self.whole += 1
            else:
                self.part += 1
            return honest(*args, **kwargs)

        return count


@pytest.fixture
def clip(h264: Path) -> list[Frame]:
    return list(VideoSource(h264).frames())


def seen_in(clip: list[Frame]) -> PictureSums:
    seen = PictureSums()
    for number, frame in enumerate(clip):
        seen.note(number, frame)
    return seen


def order(extend: str, start: int, count: int) -> list[int]:
    last = LENGTH - 1
    position = {
        "pingpong": lambda number: last - abs(number % (2 * last) - last),
        "loop": lambda number: number % LENGTH,
        "freeze": lambda number: min(number, last),
    }[extend]
    return [position(number) for number in range(start, start + count)]


def check(path: Path, clip: list[Frame], extend: str, start: int, known: int) -> VideoSource:
    """Compare with a run from the start; the first `known` pictures were seen before."""
    source, shown = VideoSource(path), []
    for index, frame in source.extended(20, extend, LENGTH, start=start, sums=seen_in(clip[:known])):
        assert torch.equal(frame.data, clip[index].data), f"frame {len(shown)} is not {index}"
        frame.data.zero_()
        shown.append(index)
    assert shown == order(extend, start, 20)
    return source


@pytest.mark.parametrize(
    ("extend", "start", "known"),
    [
        ("pingpong", 50, LENGTH),
        ("pingpong", 50, 45),  # too few to go by
        ("pingpong", LENGTH - 1, LENGTH),
        ("pingpong", LENGTH, 0),  # on the way back
        ("pingpong", 2 * LENGTH - 10, LENGTH),  # shortly before the turn
        ("pingpong", 2 * LENGTH - 2, 0),
        ("pingpong", 3 * LENGTH, LENGTH),
        ("loop", 2 * LENGTH + 65, LENGTH),
        ("freeze", 50, LENGTH),
        ("freeze", 4 * LENGTH, LENGTH),
    ],
)
def test_what_comes_is_the_same(h264: Path, clip: list[Frame], extend: str, start: int, known: int) -> None:
    assert check(h264, clip, extend, start, known).enters_exactly


@pytest.mark.parametrize(("extend", "start"), [("pingpong", 50), ("loop", 130), ("freeze", 400), ("pingpong", 100)])
def test_known_pictures_spare_the_way_from_the_start(
    monkeypatch: pytest.MonkeyPatch, h264: Path, clip: list[Frame], extend: str, start: int
) -> None:
    decoders = Decoders(monkeypatch)
    list(VideoSource(h264).extended(5, extend, LENGTH, start=start, sums=seen_in(clip)))
    assert decoders.part == 1 and decoders.whole == 0


def test_a_picture_that_stands_still_proves_nothing(monkeypatch: pytest.MonkeyPatch, still_until_70: Path) -> None:
    seen = seen_in(list(VideoSource(still_until_70).frames()))
    decoders = Decoders(monkeypatch)
    list(VideoSource(still_until_70).extended(5, "loop", len(seen), start=50, sums=seen))
    assert decoders.part == 0 and decoders.whole == 1


def test_a_file_that_cannot_be_entered_exactly_is_read_from_its_start(
    monkeypatch: pytest.MonkeyPatch, h264: Path, clip: list[Frame], caplog: pytest.LogCaptureFixture
) -> None:
    honest = video_source.decode_part_args

    def one_off(path, info, *, start, count, margin):
        return honest(path, info, start=start + 1, count=count, margin=margin)

    monkeypatch.setattr(video_source, "decode_part_args", one_off)
    assert not check(h264, clip, "pingpong", 50, LENGTH).enters_exactly
    assert "slow" in caplog.text


def test_what_is_seen_is_noted_on_the_way(h264: Path, clip: list[Frame]) -> None:
    seen = PictureSums()
    list(VideoSource(h264).extended(10, "loop", LENGTH, sums=seen))
    assert len(seen) == 10
    list(VideoSource(h264).extended(60, "loop", LENGTH, start=10, sums=seen))
    assert seen.since(0) == seen_in(clip).since(0)[:70]
