"""A job that was cut short goes on at its last finished segment, and what it makes is what it would have made."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from segment_studio import FRAMES, SEGMENT, Studio, made, numbers

from heygem.errors import DeviceLostError, EncodeError, JobCancelled, JobRequeued, Text
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.media.wav_file import write_wav
from heygem.pipeline.progress import Stage
from heygem.pipeline.segments import segments_folder, split


@pytest.fixture
def studio(inputs: tuple[Path, Path], tmp_path: Path) -> Studio:
    return Studio(tmp_path, *inputs)


@pytest.fixture(scope="module")
def cut(inputs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that was cut short at half its way."""
    unlucky = Studio(tmp_path_factory.mktemp("cut"), *inputs)
    unlucky.cut_short()
    return unlucky.output.parent


@pytest.fixture
def half(studio: Studio, cut: Path) -> Studio:
    """A studio in which half the job is done."""
    shutil.copytree(cut, studio.output.parent)
    return studio


def test_it_draws_at_most_one_segment_again_and_makes_the_same(half: Studio, whole: Studio) -> None:
    assert half.left() == [".out.mp4.segments"] and numbers(half.segments) == [0, 1]
    ticks: list[tuple[Stage, int]] = []
    assert half.render(lambda stage, done: ticks.append((stage, done))) == FRAMES - 2 * SEGMENT
    assert [done for stage, done in ticks if stage is Stage.DRAWING] == list(range(30, 67))
    assert half.left() == ["out.mp4"]
    pictures, sound, times = made(half.output)
    assert len(pictures) == FRAMES
    assert (pictures, sound, times) == made(whole.output)
    assert len(sound) == 2 * 41_760


def test_short_results_are_made_in_one_go(studio: Studio) -> None:
    def look(stage: Stage, done: int) -> None:
        assert not studio.segments.exists()

    write_wav(studio.folder / "short.wav", np.zeros(640 * 3 * SEGMENT), 16_000)
    studio.sound = studio.folder / "short.wav"
    assert studio.render(look) == 3 * SEGMENT


def test_after_a_kill_it_goes_on(studio: Studio, whole: Studio) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "sys.path[:0] = [sys.argv[4], sys.argv[5]]\n"
        "from segment_studio import HALF, Stage, Studio\n"
        "def kill(stage, done):\n"
        "    if (stage, done) == (Stage.DRAWING, HALF):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "Studio(*map(Path, sys.argv[1:4])).render(kill)\n"
    )
    here = Path(__file__)
    arguments = [studio.folder, studio.clip, studio.sound, here.parent, here.parents[1]]
    environment = os.environ | {"PYTHONPATH": str(here.parents[2])}
    killed = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert numbers(studio.segments) == [0, 1] and not studio.output.exists()
    assert studio.render() == FRAMES - 2 * SEGMENT
    assert made(studio.output) == made(whole.output)


def another_clip(studio: Studio) -> None:
    studio.clip = studio.folder / "clip.mp4"
    picture = "testsrc2=size=128x96:rate=25:duration=1.24"
    subprocess.run([ffmpeg_binary(), "-v", "error", "-f", "lavfi", "-i", picture, studio.clip], check=True)


def another_sound(studio: Studio) -> None:
    content = bytearray(studio.sound.read_bytes())
    content[-1] ^= 1
    studio.sound = studio.folder / "speech.wav"
    studio.sound.write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda studio: {"crf": 11}, id="option"),
        pytest.param(lambda studio: {"identity": "weights 2"}, id="weights"),
        pytest.param(lambda studio: another_clip(studio) or {}, id="clip"),
        pytest.param(lambda studio: another_sound(studio) or {}, id="sound"),
    ],
)
def test_segments_of_something_else_are_not_used(half: Studio, change: Callable[[Studio], dict]) -> None:
    assert half.begins_at(**change(half)) == 0
    assert numbers(half.segments) == []


def test_the_same_job_elsewhere_goes_on(half: Studio) -> None:
    for path in (half.clip, half.sound):
        shutil.copy(path, half.folder)
    half.clip, half.sound = half.folder / half.clip.name, half.folder / half.sound.name
    assert half.begins_at() == 2 * SEGMENT


def test_what_was_not_finished_counts_for_nothing(half: Studio, whole: Studio) -> None:
    damaged = half.segments / "000001.mp4"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    (half.segments / "000002.mp4").write_bytes(b"no line tells of it")
    assert half.render() == FRAMES - SEGMENT
    assert made(half.output) == made(whole.output)


def test_a_line_that_was_cut_short_spoils_none_after_it(half: Studio) -> None:
    with (half.segments / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"segment": 2, "fir')
    half.cut_short(at=50)
    assert half.begins_at() == 3 * SEGMENT


def test_a_journal_that_cannot_be_read_starts_anew(half: Studio) -> None:
    journal = half.segments / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"{", b"[", 1))
    assert half.begins_at() == 0


def test_a_job_that_was_cut_short_while_joining_draws_nothing_again(studio: Studio, whole: Studio) -> None:
    studio.cut_short(at=40, stage=Stage.FINISHING)
    assert studio.left() == [".out.mp4.segments"]
    assert studio.render() == 0
    assert made(studio.output) == made(whole.output)


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (JobRequeued(), True),
        (DeviceLostError(Text("显卡", "gone")), True),
        (KeyboardInterrupt(), True),
        (JobCancelled(), False),
        (RuntimeError("boom"), False),
    ],
)
def test_segments_stay_only_for_a_job_that_will_run_again(studio: Studio, error: BaseException, stays: bool) -> None:
    studio.cut_short(error, at=20)
    assert studio.left() == ([".out.mp4.segments"] if stays else [])


def test_segments_of_an_earlier_attempt_go_with_a_job_that_fails_before_it_draws(half: Studio) -> None:
    with pytest.raises(JobRequeued), segments_folder(half.output):
        raise JobRequeued
    assert numbers(half.segments) == [0, 1]
    with pytest.raises(JobCancelled), segments_folder(half.output):
        raise JobCancelled
    assert half.left() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", [".000002.mp4.part", ".out.mp4.part", "journal.jsonl"])
def test_a_full_disk_leaves_nothing(studio: Studio, name: str) -> None:
    def fill(stage: Stage, done: int) -> None:
        if (stage, done) == (Stage.DRAWING, 20):
            path = (studio.output.parent if "out" in name else studio.segments) / name
            path.unlink(missing_ok=True)
            path.symlink_to("/dev/full")

    with pytest.raises(EncodeError) as caught:
        studio.render(fill)
    assert caught.value.code == "disk_full"
    assert studio.left() == []


def test_split() -> None:
    def sizes(count: int, length: int) -> Sequence[int]:
        segments = split(count, length)
        assert [segment.number for segment in segments] == list(range(len(segments)))
        assert [frame for segment in segments for frame in segment.frames] == list(range(count))
        return [len(segment.frames) for segment in segments]

    assert sizes(66, 10) == [10, 10, 10, 10, 10, 16]
    assert sizes(70, 10) == [10] * 7
    assert sizes(19, 10) == [19] and sizes(20, 10) == [10, 10] and sizes(1, 10) == [1]


def test_the_journal_says_what_it_holds(half: Studio) -> None:
    facts, *lines = map(json.loads, (half.segments / "journal.jsonl").read_text().splitlines())
    assert facts["frames"] == [FRAMES, SEGMENT] and len(facts["clip"]) == 64
    assert [(line["segment"], line["first"], line["frames"]) for line in lines] == [(0, 0, 15), (1, 15, 15)]
    assert sum(len(line["seen"]) for line in lines) == 31
