import math
import mmap
import os
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.errors import MediaError
from heygem.media.frame_reader import FrameReader
from heygem.media.video_source import VideoSource

H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
NAMES = ["with space.mp4", "a.b.c.mp4", "换脸 视频😀.mp4", 'it\'s "quoted".mp4', "-dash.mp4", "new\nline.mp4"]
NAMES += ["%03d.mp4", "a;b$(id)[x],y=1.mp4", "no_ending"]
Raw = Callable[..., bytes]


def video(size: str = "160x120", rate: str = "25", seconds: str = "1") -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}")


def grey(value: int, size: str = "160x120", pix_fmt: str = "yuv420p", count: int = 3) -> tuple[str, ...]:
    """Frames whose luma is exactly `value`, without colour."""
    middle = 512 if "10" in pix_fmt else 128
    source = f"color=s={size}:r=25,format={pix_fmt},geq=lum={value}:cb={middle}:cr={middle}"
    return ("-f", "lavfi", "-i", source, "-frames:v", str(count))


def bytes_of(path: Path) -> bytes:
    return b"".join(frame.data.numpy().tobytes() for frame in VideoSource(path).frames())


def children() -> set[int]:
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_values_are_those_that_were_decoded(clip: Path, raw: Raw):
    assert bytes_of(clip) == raw(clip)


def test_each_frame_has_a_buffer_of_its_own(clip: Path):
    frames = list(VideoSource(clip).frames())
    assert len({frame.data.data_ptr() for frame in frames}) == len(frames) == 50


def test_what_is_held_of_a_frame_keeps_its_values_whatever_is_read_then(clip: Path, raw: Raw):
    rows = [frame.y[::2].numpy() for frame in VideoSource(clip).frames()]
    pictures = np.frombuffer(raw(clip), np.uint8).reshape(50, -1)
    lumas = pictures[:, : 160 * 120].reshape(50, 120, 160)
    assert (np.array(rows) == lumas[:, ::2]).all()


def test_memory_of_frames_that_nobody_holds_is_used_again(clip: Path, monkeypatch: pytest.MonkeyPatch):
    made: list[int] = []
    mapped = mmap.mmap
    monkeypatch.setattr(mmap, "mmap", lambda *args, **how: made.append(args[1]) or mapped(*args, **how))
    assert sum(1 for _ in VideoSource(clip).frames()) == 50
    assert len(made) <= 2


def test_the_beginning_is_there_again_before_a_decoder_is(clip: Path, raw: Raw, monkeypatch: pytest.MonkeyPatch):
    source = VideoSource(clip)
    for frame in source.frames():
        frame.data.zero_()  # who reads a frame may change it
    again = source.frames()
    read_into = FrameReader.read_into
    monkeypatch.setattr(FrameReader, "read_into", lambda *_: pytest.fail("the decoder was waited for"))
    frames = [next(again) for _ in range(2)]
    monkeypatch.setattr(FrameReader, "read_into", read_into)
    frames += again
    assert b"".join(frame.data.numpy().tobytes() for frame in frames) == raw(clip)


def test_another_rate_is_asked_for(clip: Path):
    source = VideoSource(clip, fps=Fraction(30))
    assert (source.info.fps, source.info.estimated_frames, len(list(source.frames()))) == (30, 60, 60)


def test_variable_rate_becomes_constant_by_time_and_not_by_count(make, raw: Raw):
    """A second of pictures, a second with one in four, then a still second."""
    path = make(
        "vfr.mkv", *video(rate="40", seconds="3"), "-vf", "select='lt(n,40)+lt(n,80)*not(mod(n,4))+eq(n,119)'",
        "-fps_mode", "vfr", *H264,
    )  # fmt: skip
    source = VideoSource(path, fps=Fraction(40))
    frames = [frame.data.numpy().tobytes() for frame in source.frames()]
    pictures = raw(path)
    size = len(frames[0])
    shown = [*range(40), *(40 + number // 4 for number in range(40))]
    assert source.info.is_variable_rate
    assert abs(len(frames) - 120) <= 1
    for number, picture in enumerate(shown):
        assert frames[number] == pictures[picture * size : (picture + 1) * size], number
    assert frames[118] == frames[80]


@pytest.mark.parametrize("name", ["rot90", "rot180", "rot270", "mirrored", "upside_down", "mirrored90", "mirrored270"])
def test_display_rotation(make, clip: Path, raw: Raw, name: str):
    turn = {"rot90": "90", "rot180": "180", "rot270": "270", "mirrored90": "90", "mirrored270": "270"}.get(name)
    options = ["-display_rotation", turn] if turn else []
    options += ["-display_hflip"] if name.startswith("mirrored") else []
    options += ["-display_vflip"] if name == "upside_down" else []
    path = make(f"{name}.mp4", *options, "-i", clip, "-c", "copy")
    frames = list(VideoSource(path).frames())
    assert (frames[0].width, frames[0].height) == ((120, 160) if turn in ("90", "270") else (160, 120))
    assert b"".join(frame.data.numpy().tobytes() for frame in frames) == raw(path)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_odd_sizes_repeat_the_last_row_and_column(make, raw: Raw, pix_fmt: str):
    path = make(
        f"odd_{pix_fmt}.mkv",
        *video("322x242", seconds="0.2"),
        "-vf",
        f"format={pix_fmt},crop=321:241:0:0:exact=1",
        "-c:v",
        "ffv1",
    )
    frame = next(VideoSource(path).frames())
    assert (frame.width, frame.height) == (322, 242)
    stored = np.frombuffer(raw(path, pix_fmt)[: 321 * 241], np.uint8).reshape(241, 321)
    assert np.array_equal(frame.y.numpy()[:241, :321], stored)
    assert torch.equal(frame.y[:, 321], frame.y[:, 320])
    assert torch.equal(frame.y[241], frame.y[240])
    if pix_fmt == "yuv420p":
        u = np.frombuffer(raw(path, pix_fmt)[321 * 241 :][: 161 * 121], np.uint8).reshape(121, 161)
        assert np.array_equal(frame.u.numpy(), u)


def test_full_range_stays_full_range(make, raw: Raw):
    path = make("full.mp4", *video(), "-vf", "scale=out_range=full", "-c:v", "libx264", "-pix_fmt", "yuvj420p")
    source = VideoSource(path)
    assert source.info.colour.full_range and source.info.tags.full_range
    assert bytes_of(path) == raw(path, "yuvj420p")


@pytest.mark.parametrize(("pix_fmt", "stored"), [("yuv422p", 180), ("yuv444p", 180), ("yuv420p10le", 720)])
@pytest.mark.parametrize("full", ["tv", "pc"])
def test_other_layouts_become_8_bit_420_at_the_same_range(make, pix_fmt: str, stored: int, full: str):
    path = make(
        f"{pix_fmt}{full}.mkv",
        *grey(stored, pix_fmt=pix_fmt),
        "-vf",
        f"setparams=range={full}",
        "-color_range",
        full,
        "-c:v",
        "ffv1",
    )
    frame = next(VideoSource(path).frames())
    assert frame.colour.full_range == (full == "pc")
    assert (frame.y.int() - 180).abs().max() <= 1
    assert (frame.u.int() - 128).abs().max() <= 1


def test_rgb_becomes_bt709(make):
    path = make("red.mkv", "-f", "lavfi", "-i", "color=red:s=160x120:r=25:d=0.2,format=bgr0", "-c:v", "ffv1")
    source = VideoSource(path)
    frame = next(source.frames())
    expected = [63, 102, 240]  # ITU-R BT.709, limited range
    assert source.info.tags.matrix == "bt709"
    assert [round(float(plane.float().mean())) for plane in (frame.y, frame.u, frame.v)] == expected


def test_transparent_places_are_black(make):
    half_white = "geq=lum=235:cb=128:cr=128:a='255*lt(X,80)'"
    path = make(
        "alpha.webm", "-f", "lavfi", "-i", f"color=s=160x120:r=25:d=0.2,format=yuva420p,{half_white}",
        "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-lossless", "1",
    )  # fmt: skip
    source = VideoSource(path)
    frame = next(source.frames())
    assert source.info.has_alpha
    assert (frame.y[:, :76].int() - 235).abs().max() <= 2
    assert (frame.y[:, 84:].int() - 16).abs().max() <= 2


@pytest.mark.parametrize(("transfer", "white"), [("smpte2084", 511), ("arib-std-b67", 710)])
@pytest.mark.parametrize("size", ["160x120", "161x121"])
def test_hdr_is_tone_mapped(make, transfer: str, white: int, size: str):
    """Diffuse white of PQ (100 cd/m2) and of HLG (75 %) come out bright and neutral, black stays black."""
    half = f"geq=lum='if(lt(X,80),64,{white})':cb=512:cr=512"
    path = make(
        f"{transfer}{size}.mkv", "-f", "lavfi", "-i", f"color=s={size}:r=25:d=0.1,format=yuv420p10le,{half}",
        "-vf", f"setparams=color_trc={transfer}:color_primaries=bt2020:colorspace=bt2020nc:range=tv", "-c:v", "ffv1",
    )  # fmt: skip
    source = VideoSource(path)
    frame = next(source.frames())
    assert source.info.is_hdr
    assert (source.info.tags.primaries, source.info.tags.transfer, source.info.tags.matrix) == ("bt709",) * 3
    assert frame.y[:100, :70].max() <= 18
    assert 140 <= frame.y[:100, 90:].float().mean() <= 235
    assert (frame.u[:50].int() - 128).abs().max() <= 1


@pytest.mark.parametrize("matrix", [0, 3, 4, 7, 10])
def test_a_label_that_the_scaler_does_not_know_changes_no_value(make, clip: Path, raw: Raw, matrix: int):
    label = f"h264_metadata=matrix_coefficients={matrix}"
    assert bytes_of(make(f"label{matrix}.mp4", "-i", clip, "-c", "copy", "-bsf:v", label)) == raw(clip)


def test_hdr_with_the_label_of_the_other_bt2020_looks_like_any(make):
    source = "testsrc2=s=160x120:r=25:d=0.1,format=yuv420p10le"
    shown = []
    for matrix in ("bt2020nc", "bt2020c"):
        label = f"setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace={matrix}:range=tv"
        shown.append(bytes_of(make(f"hdr_{matrix}.mkv", "-f", "lavfi", "-i", source, "-vf", label, "-c:v", "ffv1")))
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", ["later.mp4", "later.mkv", "later.ts", "earlier.mp4", "trimmed.mp4"])
def test_the_first_picture_is_at_time_zero(make, clip: Path, raw: Raw, name: str):
    options = {
        "later.mp4": ["-itsoffset", "5"],
        "later.mkv": ["-itsoffset", "5"],
        "later.ts": ["-itsoffset", "5"],
        "earlier.mp4": ["-itsoffset", "-0.5"],
        "trimmed.mp4": ["-ss", "0.7"],
    }[name]
    path = make(name, *options, "-i", clip, "-c", "copy", "-avoid_negative_ts", "disabled")
    ours, plain = bytes_of(path), raw(path)
    assert len(ours) >= 160 * 120 * 3 // 2 * 30
    assert ours == plain


def test_fields_become_whole_pictures(make):
    path = make("combed.mp4", *video(rate="50"), "-vf", "interlace", "-flags", "+ilme+ildct", *H264)
    frames = list(VideoSource(path).frames())
    assert len(frames) == 25
    combed = make(
        "not_marked.mkv", *video(rate="50"), "-vf", "interlace,setfield=prog", "-c:v", "ffv1", "-pix_fmt", "yuv420p"
    )
    marked_y = frames[12].y.int()
    raw_y = list(VideoSource(combed).frames())[12].y.int()
    comb = lambda y: float((2 * y[1:-1] - y[:-2] - y[2:]).abs().float().mean())  # noqa: E731
    assert comb(marked_y) < 0.7 * comb(raw_y)


def test_fields_that_begin_later_become_whole_pictures_too(make, tmp_path: Path, raw: Raw):
    mpeg2 = ("-c:v", "mpeg2video", "-q:v", "2")
    plain = make("plain.ts", *video(), *mpeg2)
    fields = make("fields.ts", *video(rate="50"), "-vf", "interlace", "-flags", "+ilme+ildct", *mpeg2)
    path = tmp_path / "television.ts"
    path.write_bytes(plain.read_bytes() + fields.read_bytes())
    frames = [frame.data.numpy().tobytes() for frame in VideoSource(path).frames()]
    stored, size = raw(path), len(frames[0])
    pictures = [stored[at : at + size] for at in range(0, len(stored), size)]
    assert len(frames) == pytest.approx(50, abs=2)
    assert frames[:20] == pictures[:20]  # nothing is done to those without fields
    comb = lambda picture: np.abs(np.diff(_luma(picture), 2, axis=0)).mean()  # noqa: E731
    assert comb(frames[40]) < 0.7 * comb(pictures[40])


def _luma(picture: bytes) -> np.ndarray:
    return np.frombuffer(picture, np.uint8)[: 160 * 120].reshape(120, 160).astype(int)


def test_a_still_is_one_frame_at_any_rate(make):
    path = make("one.png", *video(), "-frames:v", "1")
    assert len(list(VideoSource(path, fps=Fraction(60)).frames())) == 1


def test_a_change_of_size_in_the_middle(make, tmp_path: Path):
    parts = [make(f"part{size}.ts", *video(size), *H264) for size in ("160x120", "320x200")]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = list(VideoSource(path).frames())
    assert {(frame.width, frame.height) for frame in frames} == {(160, 120)}
    assert len(frames) >= 49


@pytest.mark.parametrize("name", NAMES)
def test_any_name(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(clip.read_bytes())
    assert len(list(VideoSource(Path(name)).frames())) == 50


def test_closing_ends_the_decoder_at_once(make):
    path = make("long.mp4", *video("320x240", seconds="20"), "-c:v", "libx264", "-preset", "ultrafast")
    before = children()
    frames = VideoSource(path).frames()
    next(frames)
    assert len(children() - before) == 1
    frames.close()
    assert children() == before


def test_a_clip_that_breaks_off_is_refused(make, clip: Path, tmp_path: Path):
    whole = make("faststart.mp4", "-i", clip, "-c", "copy", "-movflags", "+faststart")
    path = tmp_path / "broken.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(MediaError) as caught:
        list(VideoSource(path).frames())
    assert caught.value.code == "damaged"


def test_a_scratch_at_the_end_is_a_warning(make, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    whole = make("faststart.mp4", "-i", clip, "-c", "copy", "-movflags", "+faststart")
    path = tmp_path / "scratched.mp4"
    path.write_bytes(whole.read_bytes()[:-40])
    frames = list(VideoSource(path).frames())
    assert math.isclose(len(frames), 50, abs_tol=2)
    assert "damaged" in caplog.text


def test_a_decoder_that_dies_is_an_error(clip: Path):
    source = VideoSource(clip)
    before = children()
    frames = source.frames()
    next(frames)
    for pid in children() - before:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(MediaError) as caught:
        list(frames)
    assert caught.value.code == "damaged"
