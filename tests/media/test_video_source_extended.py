from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from heygem.errors import MediaError
from heygem.media import video_source
from heygem.media.video_source import VideoSource

NOISY = "noise=alls=12:allf=t"
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "3", "-g", "24")
HEVC = (
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-x265-params",
    "log-level=error:open-gop=1:keyint=24",
)


@pytest.fixture
def h264(make: Callable[..., Path]) -> Path:
    """3 s with B-frames."""
    return make("gop.mp4", "-f", "lavfi", "-i", f"testsrc2=s=96x64:r=25:d=3,{NOISY}", *H264)


@pytest.fixture
def open_gop(make: Callable[..., Path]) -> Path:
    options = ("-x264-params", "open-gop=1:b-pyramid=normal:scenecut=0")
    return make("open_gop.mp4", "-f", "lavfi", "-i", f"testsrc2=s=96x64:r=30000/1001:d=3,{NOISY}", *H264, *options)


@pytest.fixture
def variable(make: Callable[..., Path]) -> Path:
    """With a gap of a second, in which a key frame stays up."""
    choose = "select='lt(mod(n,50),20)+gt(mod(n,50),35)*not(mod(n,3))'"
    return make(
        "variable.mp4", "-f", "lavfi", "-i", f"testsrc2=s=96x64:r=25:d=4,{NOISY},{choose}", "-fps_mode", "vfr", *H264
    )


@pytest.fixture
def hevc(make: Callable[..., Path]) -> Path:
    return make("gop_hevc.mp4", "-f", "lavfi", "-i", f"testsrc2=s=96x64:r=25:d=3,{NOISY}", *HEVC)


@pytest.fixture
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks in a short clip, and no second attempt at entering it."""
    monkeypatch.setattr(video_source, "BLOCK_FRAMES", 13)
    monkeypatch.setattr(video_source, "SEEK_MARGINS", (4,))


def check_pingpong(path: Path, fps: Fraction | None = None) -> VideoSource:
    source = VideoSource(path, fps=fps)
    forwards = [frame.data for frame in source.frames()]
    length = len(forwards)
    expected = [*range(length), *range(length - 2, 0, -1), *range(min(length, 5))]
    shown = []
    for index, frame in source.extended(len(expected), "pingpong", length):
        assert torch.equal(frame.data, forwards[index]), f"frame {len(shown)} is not {index}"
        frame.data.zero_()  # what is drawn into a frame must not come back
        shown.append(index)
    assert shown == expected
    return source


@pytest.mark.parametrize("kind", ["h264", "open_gop", "variable", "hevc"])
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_backwards_is_exact(request: pytest.FixtureRequest, make, in_small_steps, kind: str, container: str):
    original = request.getfixturevalue(kind)
    path = original if container == "mp4" else make(f"{kind}.{container}", "-i", original, "-c", "copy")
    source = check_pingpong(path)
    if container != "ts":
        assert source.enters_exactly


@pytest.mark.parametrize("offset", ["5", "-0.5"])
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_backwards_is_exact_whenever_a_clip_starts(make, in_small_steps, h264: Path, offset: str, container: str):
    options = ("-c", "copy", "-avoid_negative_ts", "disabled")
    source = check_pingpong(make(f"from{offset}.{container}", "-itsoffset", offset, "-i", h264, *options))
    assert source.enters_exactly or (container, offset) == ("mkv", "-0.5")


def test_backwards_is_exact_after_a_cut_without_encoding(make, in_small_steps, h264: Path):
    assert check_pingpong(make("cut.mp4", "-ss", "0.7", "-i", h264, "-c", "copy")).enters_exactly


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_backwards_is_exact_where_the_sound_begins_before_the_picture(make, in_small_steps, h264: Path, container: str):
    sound = ("-f", "lavfi", "-i", "sine=d=4")
    path = make(f"sound_first.{container}", *sound, "-itsoffset", "0.7", "-i", h264, "-c:v", "copy", "-c:a", "aac")
    source = check_pingpong(path)
    assert source.info.first_picture_s > Fraction(1, 2)
    assert source.enters_exactly or container == "mkv"  # ffmpeg 5 does not enter this one; it is read from its start


@pytest.mark.parametrize("fps", [Fraction(50), Fraction(25, 2), Fraction(30000, 1001)])
def test_backwards_is_exact_at_another_rate(in_small_steps, h264: Path, fps: Fraction):
    assert check_pingpong(h264, fps).enters_exactly


def test_a_file_that_cannot_be_entered_exactly_is_read_from_its_start(monkeypatch, h264: Path, caplog):
    monkeypatch.setattr(video_source, "BLOCK_FRAMES", 30)
    honest = video_source.decode_part_args

    def one_off(path, info, *, start, count, margin):
        return honest(path, info, start=start + 1, count=count, margin=margin)

    monkeypatch.setattr(video_source, "decode_part_args", one_off)
    assert not check_pingpong(h264).enters_exactly
    assert "slow" in caplog.text


def test_only_a_block_is_held(monkeypatch, h264: Path):
    monkeypatch.setattr(video_source, "BLOCK_FRAMES", 10)
    asked = []
    honest = video_source.decode_part_args
    monkeypatch.setattr(
        video_source,
        "decode_part_args",
        lambda *args, **kwargs: asked.append(kwargs["count"]) or honest(*args, **kwargs),
    )
    check_pingpong(h264)
    assert max(asked) == 10 and sum(asked) == 73


def numbers(source: VideoSource, count: int, extend, length: int) -> list[int]:
    return [index for index, _ in source.extended(count, extend, length)]


def test_order(h264: Path):
    source = VideoSource(h264)
    assert numbers(source, 8, "pingpong", 3) == [0, 1, 2, 1, 0, 1, 2, 1]
    assert numbers(source, 5, "pingpong", 2) == [0, 1, 0, 1, 0]
    assert numbers(source, 3, "pingpong", 1) == [0, 0, 0]
    assert numbers(source, 8, "loop", 3) == [0, 1, 2, 0, 1, 2, 0, 1]
    assert numbers(source, 5, "freeze", 3) == [0, 1, 2, 2, 2]
    assert numbers(source, 2, "loop", 75) == [0, 1]
    assert numbers(source, 0, "freeze", 75) == []


@pytest.mark.parametrize("extend", ["loop", "freeze"])
def test_frames_that_come_again_are_untouched(h264: Path, extend):
    source = VideoSource(h264)
    originals = [frame.data.clone() for _, frame in zip(range(4), source.frames(), strict=False)]
    for index, frame in source.extended(10, extend, 4):
        assert torch.equal(frame.data, originals[index])
        frame.data.zero_()


@pytest.mark.parametrize("extend", ["pingpong", "loop", "freeze"])
def test_a_clip_that_became_shorter_is_an_error(h264: Path, extend):
    with pytest.raises(MediaError) as caught:
        list(VideoSource(h264).extended(100, extend, 76))
    assert caught.value.code == "damaged"


def test_a_still_lasts_as_long_as_it_must(make):
    path = make("portrait.png", "-f", "lavfi", "-i", "testsrc2=s=96x64", "-frames:v", "1")
    source = VideoSource(path)
    shown = list(source.extended(60, "pingpong", 1))
    assert len(shown) == 60 and all(torch.equal(frame.data, shown[0][1].data) for _, frame in shown)
