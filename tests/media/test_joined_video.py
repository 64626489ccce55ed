"""Parts that are joined are the file that one encode would have left."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from heygem.colour_space import ColourSpace
from heygem.errors import EncodeError
from heygem.frame import Frame
from heygem.media import ffmpeg_args, joined_video
from heygem.media.audio_file import AudioFile
from heygem.media.colour_tags import ColourTags
from heygem.media.joined_video import join_parts
from heygem.media.probe import probe_video
from heygem.media.video_sink import VideoSink

TAGS = ColourTags("smpte170m", "smpte170m", "smpte170m")
ASPECT = Fraction(16, 15)
NOISE = [torch.from_numpy(np.random.default_rng(seed).integers(0, 256, 96 * 96, dtype=np.uint8)) for seed in range(8)]


def write(path: Path, numbers: range, fps: Fraction, *, audio: AudioFile | None = None, codec="h264", **size) -> Path:
    """Frames with these numbers, no two neighbours alike."""
    sides = {"width": 96, "height": 64, **size}
    with VideoSink(path, fps=fps, tags=TAGS, sample_aspect=ASPECT, audio=audio, codec=codec, crf=1, **sides) as sink:
        for number in numbers:
            data = NOISE[number % 8][: sides["width"] * sides["height"] * 3 // 2].clone()
            data[:1000] = 16 + number
            sink.write(Frame(data, sides["width"], sides["height"], ColourSpace()))
    return path


def packets(path: Path, kind: str) -> list[tuple[Fraction, Fraction, Fraction]]:
    with av.open(str(path)) as container:
        stream = container.streams.get({kind: 0})[0]
        return [
            (packet.pts * stream.time_base, packet.dts * stream.time_base, packet.duration * stream.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None
        ]


def pictures(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(frame.pts * stream.time_base, frame.to_ndarray()) for frame in container.decode(stream)]


@pytest.mark.parametrize("fps", [Fraction(120000, 1001), Fraction("119.88"), Fraction(119), Fraction(24000, 1001)])
def test_a_rate_near_a_usual_one_is_kept(tmp_path: Path, fps: Fraction):
    parts = [write(tmp_path / f"{n}.mp4", range(n * 60, n * 60 + 60), fps) for n in range(2)]
    join_parts(parts, tmp_path / "joined.mp4", frames=120, fps=fps, audio=None, on_frame=lambda done: None)
    assert [time for time, _ in pictures(tmp_path / "joined.mp4")] == [number / fps for number in range(120)]


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """20 + 11 frames at 25 per second."""
    return [write(tmp_path / f"{n}.mp4", part, Fraction(25)) for n, part in enumerate((range(20), range(20, 31)))]


@pytest.mark.parametrize(
    ("fps", "codec"), [(Fraction(30000, 1001), "h264"), (Fraction(1000, 17), "h264"), (Fraction(25), "hevc")]
)
def test_it_is_the_file_of_one_encode(tmp_path: Path, speech: Path, heard, fps: Fraction, codec) -> None:
    audio = AudioFile(speech)
    cuts = (range(20), range(20, 31), range(31, 61))
    parts = [write(tmp_path / f"{number}.mp4", cut, fps, codec=codec) for number, cut in enumerate(cuts)]
    single = write(tmp_path / "single.mp4", range(61), fps, audio=audio, codec=codec)
    joined = tmp_path / "joined.mp4"
    told: list[int] = []
    said = {"AIGC": '{"Label":"1"}'}
    join_parts(parts, joined, frames=61, fps=fps, audio=audio, codec=codec, metadata=said, on_frame=told.append)

    # The order in which pictures are stored may differ around a join; the times may not.
    for times, expected in zip(*(zip(*packets(path, "video"), strict=True) for path in (joined, single)), strict=True):
        assert sorted(times) == sorted(expected)
    assert packets(joined, "audio") == packets(single, "audio")
    decoding_times = [decoded for _, decoded, _ in packets(joined, "video")]
    assert decoding_times == sorted(set(decoding_times))
    assert np.array_equal(heard(joined), heard(single))
    shown = pictures(joined)
    assert [time for time, _ in shown] == [number / fps for number in range(61)]
    apart = [picture for part in parts for _, picture in pictures(part)]
    assert all(np.array_equal(after, before) for (_, after), before in zip(shown, apart, strict=True))
    content = joined.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert probe_video(joined) == probe_video(single)
    with av.open(str(joined)) as container, av.open(str(single)) as other:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert all(stream.start_time == 0 for stream in container.streams) and container.start_time == 0
        assert container.metadata["AIGC"] == said["AIGC"]
        picture, expected = container.streams.video[0], other.streams.video[0]
        assert picture.codec_context.codec_tag == expected.codec_context.codec_tag
        assert picture.average_rate == expected.average_rate == fps
        assert container.duration == other.duration
    assert told[:61] == list(range(1, 62))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.mp4", "1.mp4", "2.mp4", "joined.mp4", "single.mp4"]


def refused(parts: list[Path], output: Path, frames: int = 31) -> EncodeError:
    before = set(output.parent.iterdir())
    with pytest.raises(EncodeError) as caught:
        join_parts(parts, output, frames=frames, fps=Fraction(25), audio=None, on_frame=lambda done: None)
    assert set(output.parent.iterdir()) == before
    return caught.value


def test_a_missing_frame_is_an_error(tmp_path: Path, parts: list[Path]) -> None:
    assert "31 frames instead of 32" in refused(parts, tmp_path / "r.mp4", 32).text.en


def test_a_part_with_other_headers_is_refused(tmp_path: Path, parts: list[Path]) -> None:
    parts[1] = write(tmp_path / "1.mp4", range(20, 31), Fraction(25), width=64)
    assert refused(parts, tmp_path / "r.mp4").code == "segments_differ"


def test_a_part_at_another_rate_is_refused(tmp_path: Path, parts: list[Path]) -> None:
    parts[1] = write(tmp_path / "1.mp4", range(20, 31), Fraction(50))
    assert refused(parts, tmp_path / "r.mp4").code == "segments_differ"


def test_ffmpeg_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parts: list[Path]) -> None:
    honest = ffmpeg_args.join_args
    monkeypatch.setattr(joined_video, "join_args", lambda *args, **kw: [*honest(*args, **kw), "-no_such_option"])
    assert "ption" in refused(parts, tmp_path / "r.mp4").text.en


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named(tmp_path: Path, parts: list[Path]) -> None:
    (tmp_path / ".r.mp4.part").symlink_to("/dev/full")
    with pytest.raises(EncodeError) as caught:
        join_parts(parts, tmp_path / "r.mp4", frames=31, fps=Fraction(25), audio=None, on_frame=lambda done: None)
    assert caught.value.code == "disk_full"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.mp4", "1.mp4"]


@pytest.mark.parametrize("at", [1, 31])
def test_who_stops_it_leaves_nothing(tmp_path: Path, parts: list[Path], at: int) -> None:
    def stop(done: int) -> None:
        if done >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join_parts(parts, tmp_path / "r.mp4", frames=31, fps=Fraction(25), audio=None, on_frame=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.mp4", "1.mp4"]


def test_ffmpeg_that_takes_long_to_end_can_be_stopped(monkeypatch, tmp_path: Path, parts: list[Path]) -> None:
    """While the index moves to the front nothing is fed; whoever wants to stop is asked all the same."""

    def slowly(*args, **kwargs) -> list[str]:
        made = ffmpeg_args.join_args(*args, **kwargs)
        at = made.index("-f")
        return [*made[:at], "-readrate", "0.1", *made[at:]]

    monkeypatch.setattr(joined_video, "join_args", slowly)
    told: list[int] = []

    def stop(done: int) -> None:
        told.append(done)
        if told.count(31) > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join_parts(parts, tmp_path / "r.mp4", frames=31, fps=Fraction(25), audio=None, on_frame=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.mp4", "1.mp4"]
