from collections.abc import Callable
from pathlib import Path

import pytest

from heygem.media.packets import count_packets

Make = Callable[..., Path]
TONE = ("-f", "lavfi", "-i", "sine=440:r=16000:d=2")


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
