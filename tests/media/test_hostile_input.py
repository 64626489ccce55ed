"""The list of what strangers send, 72 cases, and the one right answer to each.

A word is the code of a refusal, a set those of the notices of a file that is taken.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bad_files import NAMES, make_bad_files

from heygem.errors import MediaError, Notice
from heygem.media import intake
from heygem.media.audio_file import AudioFile
from heygem.media.intake import ClipIntake, TakenClip, TakenSpeech, inspect_quickly, take_speech
from heygem.media.limits import Limits
from heygem.media.video_source import VideoSource

LIMITS = Limits(max_speech_s=600, max_clip_s=3600, max_file_mb=64)
HANG_S = 30
"""A file takes 0.2 s, one of 8K 2 s. More than this on the busiest machine is a hang."""


@dataclass
class Corpus:
    """The files, and a server that wants to be asked."""

    folder: Path
    port: int
    asked: list[str]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = tmp_path_factory.mktemp("bad")
    make_bad_files(folder, server.server_port)
    yield Corpus(folder, server.server_port, asked)
    server.shutdown()
    server.server_close()


CLIPS = [
    (1, "empty.mp4", "empty_file"),
    (2, "random.mp4", "unreadable"),
    (3, "text.mp4", "unreadable"),
    (4, "sound.mp4", "no_video_stream"),
    (6, "half.mp4", "unreadable"),
    (7, "cut.mp4", "truncated"),
    (7, "cut.mkv", "truncated"),
    (7, "nearly_whole.mp4", {"cut_short"}),
    (8, "rotten.mp4", "damaged"),
    (8, "scratched.mp4", {"lossy_damage"}),
    (9, "no_pictures.mp4", "no_video_stream"),
    (10, "one_picture.mp4", {"still_picture"}),
    (11, "mute.mp4", set()),
    (12, "sound_only.mp4", "no_video_stream"),
    (13, "song.mp3", "no_video_stream"),
    (14, "views.mkv", {"several_tracks"}),
    (29, "8k.mp4", {"downscaled"}),
    (30, "wide.mkv", "bad_size"),
    (31, "2x2.mkv", "bad_size"),
    (31, "1x1.mkv", "bad_size"),
    (32, "odd.mkv", set()),
    (33, "vfr.mp4", {"variable_rate"}),
    (34, "1000fps.mp4", {"rate_changed"}),
    (35, "1fps.mp4", {"rate_changed"}),
    (36, "before_zero.mp4", set()),
    (36, "cut_by_list.mp4", set()),
    (37, "late.mp4", set()),
    (38, "turned.mp4", set()),
    (39, "fields.mp4", {"deinterlaced"}),
    (40, "pq.mp4", {"hdr_tone_mapped"}),
    (40, "hlg.mp4", {"hdr_tone_mapped"}),
    (41, "alpha.webm", {"alpha_dropped"}),
    (42, "moving.gif", {"alpha_dropped"}),
    (43, "still.png", {"still_picture"}),
    (43, "still.jpg", {"still_picture"}),
    (44, "picture.mp4", {"still_picture"}),
    *((45, f"c.{kind}", set()) for kind in ("mkv", "webm", "avi", "flv", "ts", "mov")),
    (46, "sizes.ts", {"variable_rate"}),
    (47, "unknown_codec.mp4", "undecodable"),
    (47, "encrypted.mp4", "undecodable"),
    (48, "hls.mp4", "unreadable"),
    (48, "hls.m3u8", "unreadable"),
    (48, "hls_relative.mp4", "unreadable"),
    (49, "ssrf.mp4", "unreadable"),
    (50, "concat.mp4", "unreadable"),
    (51, "concat_absolute.mp4", "unreadable"),
    (52, "dash.mp4", "unreadable"),
    (52, "sdp.mp4", "unreadable"),
    (52, "svg.jpg", "unreadable"),
    (53, "words.mkv", set()),
    *((54 if name == "-dash.mp4" else 56 if len(name) > 80 else 55, name, set()) for name in NAMES),
    (56, "n" * 300 + ".mp4", "not_found"),
    (57, "../no/such.mp4", "not_found"),
    (57, "a\0b.mp4", "not_found"),
    (58, "link.mp4", "symlink"),
    (58, "passwd.mp4", "symlink"),
    (59, "pipe.mp4", "not_regular"),
    (59, "folder.mp4", "not_regular"),
    (59, "/dev/zero", "not_regular"),
    (60, "zipped.mp4", "unreadable"),
    (61, "bomb.png", "bad_size"),
    (62, "ten_hours.mp4", "too_long"),
    (69, "black.mp4", set()),
]

SPEECHES = [
    (1, "empty.mp4", "empty_file"),
    (2, "random.mp4", "unreadable"),
    (5, "video.wav", set()),
    (11, "mute.mp4", "no_audio_stream"),
    (13, "song.mp3", set()),
    (14, "tracks.mp4", {"several_tracks"}),
    (15, "no_samples.wav", "audio_too_short"),
    (16, "10ms.wav", "audio_too_short"),
    (17, "silent.wav", {"silent"}),
    (17, "quiet.wav", {"quiet"}),
    (18, "clipped.wav", {"clipped"}),
    (19, "nan.wav", "nan_samples"),
    (20, "inf.wav", "nan_samples"),
    (21, "liar.wav", "audio_too_short"),
    (22, "8channels.wav", set()),
    (23, "192khz.wav", set()),
    (24, "phone.wav", {"low_rate"}),
    (25, "long.mp3", "too_long"),
    (26, "cut.mp3", {"cut_short"}),
    (26, "liar.mp3", {"cut_short"}),
    (7, "cut.mp4", "truncated"),
    (36, "before_zero.mp4", set()),
    (37, "late.mp4", set()),
    (49, "ssrf.mp4", "unreadable"),
    (50, "concat.mp4", "unreadable"),
    (58, "link.mp4", "symlink"),
    (59, "pipe.mp4", "not_regular"),
]

ELSEWHERE = {
    27: "tests/jobs/test_notices.py",  # audio longer than video
    28: "tests/pipeline/test_render.py",  # video longer than audio
    63: "tests/ui/test_uploads.py",  # 100 000 files in a batch
    64: "tests/faces/test_track.py",  # no face
    65: "tests/faces/test_track.py",  # a face that appears half-way
    66: "tests/faces/test_people.py",  # two faces
    67: "tests/jobs/test_notices.py",  # a tiny face
    68: "tests/faces/test_cuts.py",  # scene cuts
    70: "tests/jobs/test_full_disk.py",  # disk full
    71: "tests/jobs/test_task_queue.py",  # input deleted before its job ran
    72: "tests/jobs/test_chaos.py",  # killed
}
"""Cases that are no files."""

CASES = [("clip", *case) for case in CLIPS] + [("speech", *case) for case in SPEECHES]


@pytest.mark.parametrize(("role", "number", "name", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_the_list(corpus: Corpus, role: str, number: int, name: str, expected: str | set[str]) -> None:
    before = _children()
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANG_S)
    try:
        verdict = _verdict(role, corpus.folder / name)
    finally:
        signal.alarm(0)
    assert verdict == expected
    assert _children() <= before
    assert corpus.asked == []


def test_the_list_is_whole() -> None:
    numbers = {number for _, number, _, _ in CASES}
    assert numbers | set(ELSEWHERE) == set(range(1, 73)) and not numbers & set(ELSEWHERE)
    assert all((Path(__file__).parents[2] / path).is_file() for path in ELSEWHERE.values())


def _hangs(*_: object) -> None:
    raise AssertionError(f"It takes more than {HANG_S} s.")


def _verdict(role: str, path: Path) -> str | set[str]:
    """The code of the refusal, or those of the notices; each must be fit to be shown."""
    try:
        taken: TakenClip | TakenSpeech = ClipIntake(LIMITS).take(path) if role == "clip" else take_speech(path, LIMITS)
    except MediaError as error:
        assert error.text.zh and error.text.en and error.hint.zh and error.hint.en
        return error.code
    for notice in taken.notices:
        assert isinstance(notice, Notice) and notice.text.zh and notice.text.en
    return {notice.code for notice in taken.notices}


def _children() -> set[str]:
    """Processes that this one started and that are not gone."""
    lists = (task.joinpath("children") for task in Path(f"/proc/{os.getpid()}/task").iterdir())
    return {child for path in lists if path.exists() for child in path.read_text().split()}


def test_the_listener_would_hear(corpus: Corpus) -> None:
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://127.0.0.1:{corpus.port}/here", timeout=10)
    assert corpus.asked.pop() == "/here"


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:{}/a.mp4", "concat:{}/good.mp4", "subfile,,start,0,end,0,,:good.mp4"]
)
def test_no_name_is_an_address(corpus: Corpus, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(corpus.folder)
    for role in ("clip", "speech"):
        assert _verdict(role, Path(name.format(corpus.port))) == "not_found"
    assert corpus.asked == []


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("odd.mkv", 25), ("vfr.mp4", 49), ("1000fps.mp4", 29), ("1fps.mp4", 75), ("before_zero.mp4", 25),
        ("late.mp4", 50), ("cut_by_list.mp4", 13),
        ("sizes.ts", 50), ("pq.mp4", 50), ("hlg.mp4", 50), ("alpha.webm", 10), ("moving.gif", 10),
        ("still.png", 1), ("turned.mp4", 50), ("words.mkv", 50), ("8k.mp4", 2), ("scratched.mp4", 50),
    ],
)  # fmt: skip
def test_what_is_taken_is_read(corpus: Corpus, name: str, frames: int) -> None:
    source = VideoSource(corpus.folder / name)
    read = list(source.frames())
    assert len(read) == pytest.approx(frames, abs=2)
    assert {(frame.width, frame.height) for frame in read} == {(source.info.width, source.info.height)}
    assert source.info.width % 2 == source.info.height % 2 == 0
    assert max(source.info.width, source.info.height) <= 4096


@pytest.mark.parametrize("name", ["8channels.wav", "192khz.wav", "video.wav", "late.mp4", "phone.wav", "cut.mp3"])
def test_what_is_taken_is_heard(corpus: Corpus, name: str) -> None:
    audio = AudioFile(corpus.folder / name)
    heard = np.concatenate(list(audio.pieces(16_000)))
    assert len(heard) == pytest.approx(float(audio.duration) * 16_000, abs=1)
    assert 0.01 < np.abs(heard).max() <= 1.3


def test_a_quick_look_refuses_what_is_plainly_wrong(corpus: Corpus) -> None:
    for name, code in (("text.mp4", "unreadable"), ("ten_hours.mp4", "too_long"), ("link.mp4", "symlink")):
        with pytest.raises(MediaError) as caught:
            inspect_quickly(corpus.folder / name, "clip", LIMITS)
        assert caught.value.code == code
    assert inspect_quickly(corpus.folder / "good.mp4", "clip", LIMITS).codec == "h264"
    with pytest.raises(MediaError) as caught:
        inspect_quickly(corpus.folder / "bomb.png", "clip", Limits(600, 600, 0))
    assert caught.value.code == "too_big"


def test_a_path_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode("片段.mp4".encode("gbk"))
    path.write_bytes(b"x")
    with pytest.raises(MediaError) as caught:
        inspect_quickly(path, "clip", LIMITS)
    assert caught.value.code == "bad_name" and str(caught.value).encode()


def test_a_clip_is_decoded_once_while_it_does_not_change(corpus: Corpus, tmp_path: Path) -> None:
    path, clips = tmp_path / "clip", ClipIntake(LIMITS)
    told: list[int] = []
    path.write_bytes((corpus.folder / "good.mp4").read_bytes())
    clips.take(path, told.append)
    seen = list(told)
    clips.take(path, told.append)
    assert seen[-1] == len(list(VideoSource(path).frames())) and told == seen
    path.write_bytes((corpus.folder / "rotten.mp4").read_bytes())
    with pytest.raises(MediaError) as caught:
        clips.take(path)
    assert caught.value.code == "damaged"


def test_a_bomb_is_refused_before_this_process_reads_it(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "probe_video", lambda path: pytest.fail("It was read."))
    assert _verdict("clip", corpus.folder / "bomb.png") == "bad_size"


def test_a_header_that_claims_less_than_there_is_helps_nobody(corpus: Corpus) -> None:
    with pytest.raises(MediaError) as caught:
        AudioFile(corpus.folder / "good.wav", max_s=1)
    assert caught.value.code == "too_long"


def test_looking_can_be_stopped(corpus: Corpus) -> None:
    def stop(decoded: int = 0) -> None:
        raise KeyboardInterrupt

    before = _children()
    for take in (ClipIntake(LIMITS).take, lambda path, step: take_speech(path, LIMITS, step)):
        with pytest.raises(KeyboardInterrupt):
            take(corpus.folder / "good.mp4", stop)
    assert _children() <= before


def test_memory_stays_small(corpus: Corpus) -> None:
    """In a process of its own, because the largest child is remembered for ever."""
    script = f"""
import json, resource
from pathlib import Path
from heygem.errors import MediaError
from heygem.media.intake import ClipIntake
from heygem.media.limits import Limits
limits, folder = Limits(600, 3600, 64), Path({str(corpus.folder)!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in ("8k.mp4", "bomb.png", "wide.mkv"):
    try:
        ClipIntake(limits).take(folder / name)
    except MediaError:
        pass
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    own_kib, children_kib = json.loads(done.stdout.splitlines()[-1])
    assert 0 < children_kib < 1 << 20
    assert own_kib < 1 << 20
