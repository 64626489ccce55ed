from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from heygem.media import check_args, ffmpeg_args
from heygem.media.check_args import decode_all_args
from heygem.media.colour_tags import ColourTags
from heygem.media.ffmpeg_args import (
    Sound,
    aac_rate_hz,
    decode_args,
    decode_part_args,
    encode_args,
    file_url,
    join_args,
    pcm_args,
    sound_args,
)
from heygem.media.orientation import Orientation
from heygem.media.probe import AudioInfo, VideoInfo, probe_video

SOUND = AudioInfo(rate_hz=16000, channels=1, codec="pcm_s16le", duration=None, demuxer="wav", stream_index=0, tracks=1)


@pytest.fixture
def info(clip: Path) -> VideoInfo:
    return probe_video(clip)


def value(args: list[str], option: str) -> str:
    return args[args.index(option) + 1]


def encode(**changes) -> list[str]:
    settings = {
        "width": 640, "height": 360, "fps": Fraction(30000, 1001), "tags": ColourTags(), "sample_aspect": Fraction(1),
        "crf": 18, "codec": "h264", "sound": None,
    }  # fmt: skip
    return encode_args(Path("/out/r.mp4"), **{**settings, **changes})


@pytest.mark.parametrize("make_args", ["decode", "part", "pcm", "sound"])
def test_every_input_is_held_within_limits(info: VideoInfo, make_args: str):
    args = {
        "decode": decode_args(Path("a"), info),
        "part": decode_part_args(Path("a"), info, start=9, count=2, margin=4),
        "pcm": pcm_args(Path("a"), SOUND),
        "sound": sound_args(Sound(Path("a"), SOUND, 16000)),
    }[make_args]
    named = args.index(file_url(Path("a")))
    before = args[:named]
    assert args[:4] == ["-hide_banner", "-nostdin", "-v", "error"]
    assert value(before, "-protocol_whitelist") == "file"
    assert "concat" not in value(before, "-format_whitelist").split(",")
    assert int(value(before, "-max_pixels")) == 7680 * 4320
    assert "-f" in before


def test_where_processors_are_limited_decoders_and_the_encoder_are_told(
    info: VideoInfo, monkeypatch: pytest.MonkeyPatch
):
    plain = [decode_args(Path("c"), info), decode_all_args(Path("c"), info), encode()]
    assert not any("-threads" in args for args in plain)
    for module in (ffmpeg_args, check_args):
        monkeypatch.setattr(module, "THREADS", {"threads": 3})
    for args in (decode_args(Path("c"), info), decode_all_args(Path("c"), info)):
        assert value(args[: args.index("-i")], "-threads") == "3"
    written = encode()
    assert value(written[written.index("-map") :], "-threads") == "3"


def test_a_name_never_reads_as_an_option():
    assert file_url(Path("-i")) == f"file:{Path.cwd()}/-i"


def test_a_whole_clip(info: VideoInfo):
    args = decode_args(Path("/c.mp4"), replace(info, stream_index=2, fps=Fraction(30000, 1001)), count=1)
    graph = value(args, "-filter_complex")
    assert graph.startswith("[0:2]setpts=PTS-STARTPTS")
    assert "fps=fps=30000/1001" in graph
    assert "-noautorotate" in args and value(args, "-fps_mode") == "passthrough" and value(args, "-frames:v") == "1"
    assert "-ss" not in args


def test_a_part_applies_the_same_rule_to_the_times_of_the_file(info: VideoInfo):
    args = decode_part_args(Path("/c.mp4"), replace(info, first_picture_s=Fraction(1, 2)), start=29, count=5, margin=4)
    graph = value(args, "-filter_complex")
    assert value(args, "-ss") == "1.500000"
    assert {"-copyts", "-start_at_zero", "-noaccurate_seek"} <= set(args)
    assert "PTS-(1/2)/TB" in graph and "start_time=0" in graph and "trim=start_frame=29" in graph
    assert value(args, "-frames:v") == "5"


def test_filters_come_only_where_they_are_needed(info: VideoInfo):
    plain = value(decode_args(Path("c"), info), "-filter_complex")
    assert not [name for name in ("bwdif", "zscale", "premultiply", "transpose") if name in plain]
    special = replace(info, is_interlaced=True, orientation=Orientation((("transpose", "clock"),), True))
    turned = value(decode_args(Path("c"), special), "-filter_complex")
    assert turned.index("bwdif") < turned.index("fps=") < turned.index("transpose")


def test_the_encoder(info: VideoInfo):
    args = encode(tags=ColourTags("bt709", None, "smpte170m", True), sample_aspect=Fraction(4, 3))
    assert value(args, "-framerate") == "30000/1001" and value(args, "-s") == "640x360"
    assert (value(args, "-c:v"), value(args, "-crf"), value(args, "-preset")) == ("libx264", "18", "veryfast")
    assert "range=full" in value(args, "-filter_complex") and "colorspace=smpte170m" in value(args, "-filter_complex")
    assert "color_trc=unknown" in value(args, "-filter_complex")
    assert value(args, "-movflags") == "+faststart+use_metadata_tags" and args[-1] == "file:/out/r.mp4"
    assert "-c:a" not in args


def test_what_the_container_says_is_one_option_per_key():
    args = encode(metadata={"AIGC": '{"Label":"1"}', "comment": "AI生成"})
    assert value(args, "-metadata:g:0") == 'AIGC={"Label":"1"}' and value(args, "-metadata:g:1") == "comment=AI生成"


def test_x265_leaves_the_number_of_its_threads_out_of_the_headers():
    assert "info=0" in value(encode(codec="hevc"), "-x265-params").split(":")


def test_a_join_reads_a_pipe_and_encodes_no_picture():
    sound = Sound(Path("/in/a.wav"), SOUND, 16000)
    args = join_args(Path("/out/r.mp4"), codec="hevc", sound=sound, metadata={"AIGC": "1"})
    piped = args[: args.index("pipe:0")]
    assert value(piped, "-protocol_whitelist") == "pipe" and "mp4" in value(piped, "-format_whitelist").split(",")
    assert value(args, "-c:v") == "copy" and value(args, "-tag:v") == "hvc1" and "-crf" not in args
    single = encode(sound=sound)
    assert [value(args, name) for name in ("-c:a", "-b:a", "-movie_timescale")] == [
        value(single, name) for name in ("-c:a", "-b:a", "-movie_timescale")
    ]
    assert "-tag:v" not in join_args(Path("/out/r.mp4"), codec="h264", sound=None, metadata={})


def test_nvenc_names_its_quality_otherwise():
    args = encode(codec="hevc_nvenc", crf=20)
    assert value(args, "-cq") == "20" and "-crf" not in args and value(args, "-tag:v") == "hvc1"


def test_the_encoder_opens_no_sound_of_a_user_but_hears_a_pipe():
    args = encode(sound=Sound(Path("/in/a.wav"), replace(SOUND, channels=6), 16000), sound_pipe=7)
    heard = args[args.index("pipe:0") + 1 : args.index("pipe:7")]
    assert value(heard, "-protocol_whitelist") == "pipe" and value(heard, "-f") == "f32le"
    assert (value(heard, "-ar"), value(heard, "-ac")) == ("16000", "2")
    assert not [word for word in args if "a.wav" in word]


@pytest.mark.parametrize(("samples", "lead_in"), [(1024, 0), (1, 1023), (16000, 384)])
def test_odd_samples_are_made_up_for_in_front(samples: int, lead_in: int):
    graph = value(encode(sound=Sound(Path("a"), SOUND, samples)), "-filter_complex")
    assert f"delays={lead_in}S" in graph or f"adelay={lead_in}S" in graph
    assert f"end_sample={lead_in + samples}" in graph


@pytest.mark.parametrize(
    ("rate", "aac"), [(16000, 16000), (44100, 44100), (37800, 44100), (6000, 7350), (192000, 96000), (50000, 64000)]
)
def test_rates_of_aac(rate: int, aac: int):
    assert aac_rate_hz(rate) == aac
