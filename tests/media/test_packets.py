import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from heygem.errors import MediaError
from heygem.media.intake import take_speech
from heygem.media.limits import Limits
from heygem.media.packets import count_packets

Make = Callable[..., Path]
TONE = ("-f", "lavfi", "-i", "sine=440:r=16000:d=2")

LIMITS = Limits(max_speech_s=600, max_clip_s=600, max_file_mb=64)


def share(path: Path, demuxer: str) -> float:
    return count_packets(path, demuxer, 0).share


def cut(path: Path, folder: Path, kept: float) -> Path:
    """The beginning of a file, as an upload leaves it that breaks off."""
    part = folder / path.name
    part.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    return part


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        *((codec, "mov") for codec in ("pcm_s16le", "pcm_s24be", "pcm_f32le", "pcm_mulaw", "adpcm_ima_qt", "alac")),
        *((codec, "mp4") for codec in ("pcm_s16le", "aac", "flac", "libopus", "ac3")),
    ],
)
def test_sound_in_mp4_is_whole_whatever_its_codec_and_half_when_it_is(
    make: Make, tmp_path: Path, codec: str, kind: str
):
    path = make(f"{codec}.{kind}", *TONE, "-c:a", codec, "-movflags", "+faststart")
    assert share(path, "mov") == 1
    assert 0.3 < share(cut(path, tmp_path, 0.5), "mov") < 0.7


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.wav", ()),
        ("tagged.wav", ("-metadata", "title=t", "-write_bext", "1", "-c:a", "pcm_s24le")),
        ("large.wav", ("-rf64", "always")),
        ("dense.wav", ("-c:a", "adpcm_ms")),
        ("plain.aiff", ()),
        ("plain.flac", ()),
    ],
)
def test_a_sound_that_breaks_off_is_refused(make: Make, tmp_path: Path, name: str, options: tuple[str, ...]):
    path = make(name, *TONE, *options)
    assert take_speech(path, LIMITS).notices == ()
    with pytest.raises(MediaError) as caught:
        take_speech(cut(path, tmp_path, 0.5), LIMITS)
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3"])
def test_a_sound_that_was_written_into_a_pipe_promises_nothing(tmp_path: Path, kind: str):
    program = imageio_ffmpeg.get_ffmpeg_exe()
    written = subprocess.run(
        [program, "-v", "error", "-nostdin", *TONE, "-f", kind, "pipe:1"], check=True, capture_output=True
    )
    path = tmp_path / f"piped.{kind}"
    path.write_bytes(written.stdout)
    assert take_speech(path, LIMITS).notices == ()


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_wav_without_a_length_is_whole(make: Make, tmp_path: Path, size: int):
    content = bytearray(make("plain.wav", *TONE).read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", size)
    path = tmp_path / "endless.wav"
    path.write_bytes(content)
    assert share(path, "wav") == 1


@pytest.mark.parametrize("tags", [(), ("-id3v2_version", "0"), ("-metadata", f"comment={'long ' * 100}")])
def test_an_mp3_that_breaks_off_is_taken_with_a_notice(make: Make, tmp_path: Path, tags: tuple[str, ...]):
    """Many a tool cuts an MP3 and leaves the length of the whole one in it."""
    path = make(f"song{len(tags)}{len(''.join(tags))}.mp3", *TONE, *tags)
    assert take_speech(path, LIMITS).notices == ()
    taken = take_speech(cut(path, tmp_path, 0.5), LIMITS)
    assert [notice.code for notice in taken.notices] == ["cut_short"]


@pytest.mark.parametrize("begins", ["0", "3", "100"])
def test_a_matroska_that_does_not_begin_at_zero_is_whole_and_half_when_it_is(make: Make, tmp_path: Path, begins: str):
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=4")
    path = make(f"from{begins}.mkv", *picture, "-c:v", "mpeg4", "-output_ts_offset", begins)
    assert share(path, "matroska") == 1
    assert 0.3 < share(cut(path, tmp_path, 0.5), "matroska") < 0.7
