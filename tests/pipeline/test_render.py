"""One job on real files: length, sync, cancelling, and that nothing half-made is left."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
import pytest

from heygem.batch_memory import BatchMemory
from heygem.errors import JobCancelled, NoFaceError
from heygem.faces.track_cache import DetectionCache
from heygem.lipsync.base import Drawn
from heygem.media.audio_file import AudioFile
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.pipeline.drawing import Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Progress, Silent, Stage
from heygem.pipeline.render import Report, render
from stand_ins import LEVELS, Parrot, Spotter, heard_in

FPS = Fraction(25)
CLIP_FRAMES = 31


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """31 frames of 128 x 96 at 25 fps."""
    path = tmp_path_factory.mktemp("render") / "clip.mp4"
    picture = f"testsrc2=size=128x96:rate=25:duration={CLIP_FRAMES / 25}"
    subprocess.run([ffmpeg_binary(), "-v", "error", "-f", "lavfi", "-i", picture, str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2.61 s: not a whole number of frames, and more than twice the clip."""
    path = tmp_path_factory.mktemp("render") / "speech.wav"
    write_wav(path, np.sin(np.arange(41_760) / 9) * 0.27, 16_000)
    return path


class Studio:
    """Renders into a folder of its own."""

    def __init__(self, clip: Path, sound: Path, folder: Path) -> None:
        self.clip, self.output = clip, folder / "results" / "out.mp4"
        self.output.parent.mkdir()
        self.audio = AudioFile(sound)
        self.cache = DetectionCache(folder / "tracks", 10**7)

    def render(
        self,
        detector: Spotter | None = None,
        lips: Parrot | None = None,
        progress: Progress | None = None,
        **options: object,
    ) -> Report:
        lips = lips or Parrot()
        speech = Speech(self.audio, lips.listen(self.audio.pieces(16_000), tail="silence"))
        engines = Engines(detector or Spotter(), BatchMemory(3), lips, BatchMemory(4))
        chosen = RenderOptions(crf=4, **options)  # type: ignore[arg-type]
        return render(
            self.clip,
            speech,
            self.output,
            engines=engines,
            options=chosen,
            cache=self.cache,
            progress=progress or Silent(),
            is_labelled=False,
        )


@pytest.fixture
def studio(clip: Path, sound: Path, tmp_path: Path) -> Studio:
    return Studio(clip, sound, tmp_path)


def clip_index(extend: str) -> Callable[[int], int]:
    last = CLIP_FRAMES - 1
    return {
        "pingpong": lambda index: last - abs(index % (2 * last) - last),
        "loop": lambda index: index % CLIP_FRAMES,
        "freeze": lambda index: min(index, last),
    }[extend]


@pytest.mark.parametrize("extend", ["pingpong", "loop", "freeze"])
def test_mouths_follow_the_sound_through_gaps_and_repeats(studio: Studio, extend: str) -> None:
    long_gap = range(9, 24)  # longer than is interpolated
    report = studio.render(Spotter(lambda index: index in long_gap), extend=extend)
    made = list(VideoSource(studio.output).frames())
    assert report.frames == len(made) == ceil(studio.audio.duration * FPS) == 66
    at = clip_index(extend)
    checked = 0
    for index, frame in enumerate(made):
        weight = report.track.weight[at(index)]
        if weight == 1:
            assert heard_in(frame) == pytest.approx(index % LEVELS, abs=1.0)
            checked += 1
    assert checked >= 6
    faceless = [index for index in range(66) if report.track.weight[at(index)] == 0]
    source = list(VideoSource(studio.clip).frames())
    assert len(faceless) >= 10
    for index in faceless:
        difference = made[index].y.float() - source[at(index)].y.float()
        assert float(difference.abs().mean()) < 2.0


def test_result_lasts_as_long_as_a_speech_shorter_than_the_clip(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    write_wav(path, np.zeros(4801), 16_000)
    short = Studio(clip, path, tmp_path)
    assert short.render().frames == 8
    assert len(list(VideoSource(short.output).frames())) == 8


def test_another_frame_rate_moves_no_sound(studio: Studio) -> None:
    report = studio.render(lips=Parrot(Fraction(30)), fps=Fraction(30))
    made = list(VideoSource(studio.output).frames())
    assert report.fps == 30
    assert len(made) == ceil(studio.audio.duration * 30)
    for index in range(0, len(made), 7):
        assert heard_in(made[index]) == pytest.approx(index % LEVELS, abs=1.0)


def test_no_face_is_told_before_anything_is_drawn(studio: Studio) -> None:
    lips = Parrot()
    with pytest.raises(NoFaceError):
        studio.render(Spotter(lambda index: True), lips)
    assert lips.batches == []
    assert list(studio.output.parent.iterdir()) == []


def test_a_clip_that_comes_again_is_not_searched_again(studio: Studio) -> None:
    first, second, other = Spotter(), Spotter(), Spotter(identity="other")
    assert not studio.render(first).was_tracked_before
    assert studio.render(second).was_tracked_before
    assert not studio.render(other).was_tracked_before
    assert (first.frames_seen, second.frames_seen, other.frames_seen) == (CLIP_FRAMES, 0, CLIP_FRAMES)


def test_only_what_is_shown_is_searched_and_what_else_is_known_changes_nothing(studio: Studio, tmp_path: Path) -> None:
    path, long = tmp_path / "short.wav", studio.audio
    write_wav(path, np.zeros(7 * 640 + 1), 16_000)  # 8 frames, and 3 more to tell a cut: 12 in batches of 3
    short = AudioFile(path)
    # Nobody is seen in the last frame that is shown: a gap that the frames behind it would bridge.
    seen: list[int] = []
    tracks = []
    for audio in (short, short, long, short):
        studio.audio = audio
        spotter = Spotter(lambda index: index == 7)
        report = studio.render(spotter)
        seen.append(spotter.frames_seen)
        tracks.append(report.track)
        assert report.was_tracked_before == (spotter.frames_seen == 0)
    assert seen == [12, 0, CLIP_FRAMES, 0]
    assert [len(track) for track in tracks] == [8, 8, CLIP_FRAMES, 8]
    assert [float(track.weight[7]) > 0 for track in tracks] == [False, False, True, False]
    np.testing.assert_array_equal(tracks[0].boxes, tracks[3].boxes)


class StopAt:
    """A user who stops the job."""

    def __init__(self, stage: Stage, done: int) -> None:
        self._at = (stage, done)

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        if stage is self._at[0] and done >= self._at[1]:
            raise JobCancelled


@pytest.mark.parametrize(("stage", "done"), [(Stage.TRACKING, 6), (Stage.DRAWING, 20), (Stage.FINISHING, 0)])
def test_cancelling_leaves_no_file(studio: Studio, stage: Stage, done: int) -> None:
    with pytest.raises(JobCancelled):
        studio.render(progress=StopAt(stage, done))
    assert list(studio.output.parent.iterdir()) == []


def test_an_engine_that_fails_leaves_no_file(studio: Studio) -> None:
    class Broken(Parrot):
        def draw(self, faces: object, heard: object) -> Drawn:
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        studio.render(lips=Broken())
    assert list(studio.output.parent.iterdir()) == []
