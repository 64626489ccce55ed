import math
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from heygem.colour_space import ColourSpace
from heygem.errors import EncodeError, MediaError
from heygem.frame import Frame
from heygem.media import ffmpeg_args, mp4_writer, process, video_sink
from heygem.media.audio_file import AudioFile
from heygem.media.colour_tags import ColourTags
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.media.joined_video import join_parts
from heygem.media.mp4_writer import Mp4Writer
from heygem.media.probe import probe_video
from heygem.media.video_sink import VideoSink
from heygem.media.video_source import VideoSource

NTSC = Fraction(30000, 1001)
_TRIAL = ["-v", "quiet", "-f", "lavfi", "-i", "color=s=640x480:d=0.1", "-c:v", "h264_nvenc", "-f", "null", "-"]
HAS_NVENC = subprocess.run([ffmpeg_binary(), *_TRIAL], check=False, stdin=subprocess.DEVNULL).returncode == 0
NOISE = "anoisesrc=a=0.3:seed=2"


def frame(level: int, width: int = 96, height: int = 64) -> Frame:
    data = torch.full((width * height * 3 // 2,), 128, dtype=torch.uint8)
    data[: width * height] = level
    return Frame(data, width, height, ColourSpace())


def write(path: Path, count: int, *, audio: Path | None = None, fps: Fraction = NTSC, **options) -> Path:
    sound = None if audio is None else AudioFile(audio)
    settings = {"width": 96, "height": 64, "fps": fps, "tags": ColourTags(), "audio": sound, **options}
    with VideoSink(path, **settings) as sink:
        for number in range(count):
            sink.write(frame(16 + number * 2 % 200))
    return path


def pyav_samples(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(piece.samples for piece in container.decode(audio=0))


@pytest.fixture(scope="module")
def sounds(make: Callable[..., Path], speech: Path) -> dict[str, Path]:
    stereo = make("stereo.wav", "-f", "lavfi", "-i", f"{NOISE}:r=44100:d=1.31", "-ac", "2")
    return {
        "mono 16k wav": speech,
        "stereo 44.1k wav": stereo,
        "stereo mp3": make("stereo.mp3", "-i", stereo),
        "mono mp3": make("mono.mp3", "-i", speech),
        "m4a": make("stereo.m4a", "-i", stereo),
        "opus": make("mono.ogg", "-i", speech, "-c:a", "libopus"),
        "late in a video": make(
            "late.mkv", "-f", "lavfi", "-i", "testsrc2=s=96x64:d=1", "-itsoffset", "0.7", "-i", stereo, "-c:a", "flac"
        ),
    }


@pytest.mark.parametrize(
    "name", ["mono 16k wav", "stereo 44.1k wav", "stereo mp3", "mono mp3", "m4a", "opus", "late in a video"]
)
def test_the_sound_has_exactly_as_many_samples_as_its_source(tmp_path: Path, sounds, heard, name: str):
    source = sounds[name]
    channels = 1 if name in ("mono 16k wav", "mono mp3", "opus") else 2
    before = heard(source, channels)
    result = write(tmp_path / "result.mp4", 45, audio=source)
    after = heard(result, channels)
    assert len(after) == len(before) == pyav_samples(result)
    overlap = np.corrcoef(before[:, 0], after[:, 0])[0, 1]
    assert overlap > 0.8, "shifted"
    with av.open(str(result)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert (
            container.streams.audio[0].start_time == container.streams.video[0].start_time == container.start_time == 0
        )


BROWN = "anoisesrc=a=0.3:color=brown:d=1"
CHANGES = {
    "aac": (("-ar", "44100", "-ac", "1"), ("-ar", "44100", "-ac", "2")),
    "mp3": (("-ar", "44100", "-ac", "1"), ("-ar", "48000", "-ac", "2")),
    "ac3": (("-ar", "48000", "-ac", "6"), ("-ar", "48000", "-ac", "2")),
}


@pytest.mark.parametrize("kind", ["aac", "mp3", "ts"])
@pytest.mark.parametrize("joined", [False, True])
def test_a_recording_that_changes_midway_is_heard_as_the_lips_hear_it(tmp_path: Path, make, kind: str, joined: bool):
    codec = "ac3" if kind == "ts" else kind
    parts = [
        make(f"part{number}.{kind}", "-f", "lavfi", "-i", f"{BROWN}:seed={number}", *form, "-c:a", codec)
        for number, form in enumerate(CHANGES[codec])
    ]
    source = tmp_path / f"changes.{kind}"
    source.write_bytes(b"".join(part.read_bytes() for part in [*parts, parts[0]]))
    result = tmp_path / "result.mp4"
    if joined:
        write(tmp_path / "part.mp4", 92)
        sound = AudioFile(source)
        join_parts([tmp_path / "part.mp4"], result, frames=92, fps=NTSC, audio=sound, on_frame=lambda done: None)
    else:
        write(result, 92, audio=source)
    before, after = (np.concatenate(list(AudioFile(path).pieces(16000))) for path in (source, result))
    assert len(before) == pytest.approx(3.1 * 16000, rel=0.05) and abs(len(after) - len(before)) <= 1
    blocks = [slice(first, first + 4000) for first in range(0, len(before) - 4000, 4000)]
    alike = [float(np.corrcoef(before[block], after[block])[0, 1]) for block in blocks]
    assert min(alike) > 0.95, alike


def test_a_sound_that_is_gone_meanwhile_is_an_error(tmp_path: Path, speech: Path):
    source = tmp_path / "speech.wav"
    source.write_bytes(speech.read_bytes())
    sound = AudioFile(source)
    source.write_bytes(speech.read_bytes()[:9000])
    with (
        pytest.raises(MediaError) as caught,
        VideoSink(tmp_path / "r.mp4", width=96, height=64, fps=NTSC, tags=ColourTags(), audio=sound) as sink,
    ):
        sink.write(frame(50))
    assert caught.value.code == "damaged"
    assert list(tmp_path.iterdir()) == [source]


def test_a_click_stays_where_it_was(tmp_path: Path, make, heard):
    click = make(
        "click.wav", "-f", "lavfi", "-i", "aevalsrc='0.8*between(n,12345,12355)':s=48000:d=1", "-c:a", "pcm_s16le"
    )
    after = heard(write(tmp_path / "click.mp4", 30, audio=click))
    assert abs(int(np.abs(after[:, 0]).argmax()) - 12350) <= 6


@pytest.mark.parametrize(
    ("rate", "channels", "out_rate", "out_channels"),
    [(192000, 1, 96000, 1), (37800, 2, 44100, 2), (48000, 6, 48000, 2)],
)
def test_what_aac_cannot_hold_is_converted(tmp_path: Path, make, rate, channels, out_rate, out_channels):
    source = make(
        f"{rate}_{channels}.wav", "-f", "lavfi", "-i", f"anoisesrc=r={rate}:d=0.501:a=1", "-ac", str(channels)
    )
    result = write(tmp_path / "result.mp4", 16, audio=source)
    with av.open(str(result)) as container:
        context = container.streams.audio[0].codec_context
        assert (context.sample_rate, context.channels) == (out_rate, out_channels)
    assert pyav_samples(result) == math.ceil(Fraction(501, 1000) * out_rate)


@pytest.mark.parametrize(
    ("fps", "count"), [(NTSC, 61), (Fraction(25), 50), (Fraction(1000, 17), 33), (Fraction(24), 1)]
)
def test_every_frame_arrives_in_order_and_on_time(tmp_path: Path, speech: Path, fps: Fraction, count: int):
    path = write(tmp_path / "counted.mp4", count, fps=fps, audio=speech, crf=1)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pictures = [
            (picture.pts * stream.time_base, picture.to_ndarray()[30, 40]) for picture in container.decode(stream)
        ]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == fps
    assert [time for time, _ in pictures] == [number / fps for number in range(count)]
    assert all(abs(int(level) - (16 + number * 2 % 200)) <= 2 for number, (_, level) in enumerate(pictures))


def test_what_the_container_says_is_kept_whatever_its_key(tmp_path: Path):
    said = {"AIGC": '{"Label":"1","ProduceID":"a=b;c#"}', "comment": "AI生成 / AI-generated"}
    path = write(tmp_path / "said.mp4", 5, metadata=said)
    with av.open(str(path)) as container:
        assert {key: container.metadata.get(key) for key in said} == said


def test_the_index_comes_first(tmp_path: Path):
    content = write(tmp_path / "fast.mp4", 5).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(
    "tags",
    [
        ColourTags("bt709", "bt709", "bt709"),
        ColourTags("smpte170m", "smpte170m", "smpte170m"),
        ColourTags("bt470bg", "bt470bg", "bt470bg"),
        ColourTags("bt709", "iec61966-2-1", "bt470bg", full_range=True),
        ColourTags("bt2020", "bt2020-10", "bt2020nc"),
        ColourTags("bt709", "bt709", "bt2020c"),
    ],
)
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_colour_tags_are_written_and_values_kept(tmp_path: Path, tags: ColourTags, codec):
    path = tmp_path / "tagged.mp4"
    with VideoSink(path, width=96, height=64, fps=NTSC, tags=tags, audio=None, crf=1, codec=codec) as sink:
        for level in (0, 100, 255):
            sink.write(frame(level))
    source = VideoSource(path)
    assert source.info.tags == tags
    assert [int(shown.y.float().mean().round()) for shown in source.frames()] == pytest.approx([0, 100, 255], abs=2)


def test_pixels_that_are_not_square_stay_so(tmp_path: Path):
    assert probe_video(write(tmp_path / "wide.mp4", 3, sample_aspect=Fraction(16, 15))).sample_aspect == Fraction(
        16, 15
    )


def test_hevc_plays_on_apple_devices(tmp_path: Path):
    with av.open(str(write(tmp_path / "h.mp4", 5, codec="hevc"))) as container:
        assert (container.streams.video[0].codec_context.name, container.streams.video[0].codec_context.codec_tag) == (
            "hevc",
            "hvc1",
        )


@pytest.mark.parametrize(("codec", "profile"), [("h264", "High"), ("hevc", "Main")])
def test_the_best_quality_plays_in_a_browser(tmp_path: Path, codec: str, profile: str):
    with av.open(str(write(tmp_path / "best.mp4", 5, crf=0, codec=codec))) as container:
        assert container.streams.video[0].profile == profile


def test_crf_changes_the_size(tmp_path: Path):
    noise = [Frame(torch.randint(0, 256, (96 * 96,), dtype=torch.uint8), 96, 64, ColourSpace()) for _ in range(5)]
    sizes = []
    for crf in (10, 40):
        path = tmp_path / f"{crf}.mp4"
        with VideoSink(path, width=96, height=64, fps=NTSC, tags=ColourTags(), audio=None, crf=crf) as sink:
            for picture in noise:
                sink.write(picture)
        sizes.append(path.stat().st_size)
    assert sizes[0] > 2 * sizes[1]


@pytest.mark.parametrize(
    "name", ["a b.mp4", "结果 1.0.mp4", "-dash.mp4", "it's.mp4", "%d.mp4", "new\nline.mp4", "名" * 80 + ".mp4"]
)
def test_any_name(tmp_path: Path, name: str):
    write(tmp_path / name, 2)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_error_in_the_block_leaves_nothing(tmp_path: Path):
    with (
        pytest.raises(ZeroDivisionError),
        VideoSink(tmp_path / "r.mp4", width=96, height=64, fps=NTSC, tags=ColourTags(), audio=None) as sink,
    ):
        sink.write(frame(50))
        assert not (tmp_path / "r.mp4").exists()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_older_result_survives_a_failure(tmp_path: Path):
    path = tmp_path / "r.mp4"
    path.write_bytes(b"older")
    with pytest.raises(EncodeError):
        write(path, 0)
    assert path.read_bytes() == b"older" and len(list(tmp_path.iterdir())) == 1


def test_an_encoder_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    honest = ffmpeg_args.encode_args
    monkeypatch.setattr(
        video_sink, "encode_args", lambda *args, **kwargs: [*honest(*args, **kwargs), "-no_such_option"]
    )
    with pytest.raises(EncodeError) as caught:
        write(tmp_path / "r.mp4", 300)
    assert "ption" in str(caught.value)
    assert "no_such_option" in caplog.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named(tmp_path: Path):
    path = tmp_path / "r.mp4"
    part = tmp_path / ".r.mp4.part"
    part.symlink_to("/dev/full")
    with pytest.raises(EncodeError) as caught:
        write(path, 400)
    assert caught.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error(tmp_path: Path):
    with pytest.raises(EncodeError):
        write(tmp_path / "no" / "r.mp4", 3)


def test_a_frame_of_another_size_is_a_mistake(tmp_path: Path):
    with (
        pytest.raises(ValueError, match="96"),
        VideoSink(tmp_path / "r.mp4", width=96, height=64, fps=NTSC, tags=ColourTags(), audio=None) as sink,
    ):
        sink.write(frame(50, 64, 64))


@pytest.mark.skipif(HAS_NVENC, reason="there is an encoder")
def test_nvenc_where_there_is_none(tmp_path: Path):
    with pytest.raises(EncodeError) as caught:
        write(tmp_path / "r.mp4", 300, codec="h264_nvenc")
    assert "h264" in caught.value.hint.en


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_NVENC, reason="needs an encoder of NVIDIA's; not every GPU has one")
@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_nvenc"])
def test_nvenc(tmp_path: Path, codec):
    path = tmp_path / "r.mp4"
    with VideoSink(path, width=640, height=480, fps=NTSC, tags=ColourTags(), audio=None, codec=codec) as sink:
        for _ in range(10):
            sink.write(frame(50, 640, 480))
    assert len(list(VideoSource(path).frames())) == 10


def test_an_ffmpeg_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    monkeypatch.setattr(process, "ffmpeg_binary", lambda: str(program))
    monkeypatch.setattr(mp4_writer, "ENDING_S", 0.3)
    waits = []
    with (
        pytest.raises(EncodeError),
        Mp4Writer(tmp_path / "r.mp4", "h264", None, lambda part, pipe: [], on_wait=lambda: waits.append(1)) as writer,
    ):
        writer.frames = 1
    assert waits
