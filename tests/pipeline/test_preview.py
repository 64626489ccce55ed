"""A preview on real files: its frames before they are encoded, its sound, and what it leaves."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.batch_memory import BatchMemory
from heygem.errors import MediaError
from heygem.faces.face import Face
from heygem.faces.track_cache import DetectionCache
from heygem.frame import Frame
from heygem.media.audio_file import AudioFile
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.media.video_sink import VideoSink
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.pipeline.drawing import Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.preview import render_preview
from heygem.pipeline.progress import Stage
from heygem.pipeline.render import Report, render
from stand_ins import Parrot, face_in_the_middle

FPS = Fraction(10)
LONG, SHORT = 170, 16
SPOKEN_S = (7.3, 11.8)
WIDTH, HEIGHT = 96, 64


def write_clip(path: Path, frames: int) -> Path:
    """Grey pictures that get lighter and darker, kept exactly."""
    greys = 120 + 60 * np.sin(np.arange(frames) / 3) + np.arange(frames) % 7
    planes = [np.concatenate([np.full(WIDTH * HEIGHT, grey), np.full(WIDTH * HEIGHT // 2, 128)]) for grey in greys]
    args = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", "10", "-i", "-"]
    args += ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-g", "20", str(path)]
    raw = np.array(planes).astype(np.uint8).tobytes()
    subprocess.run([ffmpeg_binary(), "-v", "error", *args], input=raw, check=True)
    return path


def write_speech(path: Path, seconds: float) -> AudioFile:
    """Silence; in SPOKEN_S bursts of noise, and in the middle of them a click."""
    times = np.arange(int(seconds * 16_000)) / 16_000
    noise = np.random.default_rng(0).standard_normal(len(times)) * np.sin(12 * times) ** 2 * 0.045
    noise *= (times >= SPOKEN_S[0]) & (times < SPOKEN_S[1])
    noise[int(9.5 * 16_000) : int(9.5 * 16_000) + 8] = 0.98
    write_wav(path, noise, 16_000)
    return AudioFile(path)


class Reader:
    """A detector to whom a picture says where its face is: further to the right, the lighter it is.

    It sees a little more than that in the first of several pictures.
    """

    batch, at_once = 3, 1
    identity = "reader"

    def __init__(self) -> None:
        self.frames_seen = 0
        self.sees_nobody = range(0)
        """By the number of frames that it has seen."""

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        if self.frames_seen in self.sees_nobody:
            self.frames_seen += len(frames)
            return [[] for _ in frames]
        self.frames_seen += len(frames)
        more = [1.0 if number == 0 < len(frames) - 1 else 0.0 for number in range(len(frames))]
        return [[self._face(float(frame.y[0, 0]) / 16 + right)] for frame, right in zip(frames, more, strict=True)]

    def _face(self, right: float) -> Face:
        face = face_in_the_middle(WIDTH, HEIGHT)
        face.box[0::2] += right
        face.landmarks[:, 0] += right
        return face


class Studio:
    def __init__(self, clip: Path, audio: AudioFile, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.clip, self.output, self.detector = clip, folder / "out.mp4", Reader()
        self.cache = DetectionCache(folder / "tracks", 10**7)
        self.engines = Engines(self.detector, BatchMemory(3), Parrot(FPS), BatchMemory(4))
        self.speech = Speech(audio, Parrot(FPS).listen([], tail="silence"))
        self.ticks: list[tuple[Stage, int, int | None]] = []
        self._frames: list[torch.Tensor] = []
        write = VideoSink.write

        def noted(sink: VideoSink, frame: Frame) -> None:
            self._frames.append(frame.data.clone())
            write(sink, frame)

        patch.setattr(VideoSink, "write", noted)

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        self.ticks.append((stage, done, total))

    def make(self, how: object, **options: object) -> tuple[Report, list[torch.Tensor]]:
        """What `render` or `render_preview` says, and the frames that it gave to the encoder."""
        self._frames.clear()
        chosen = RenderOptions(crf=4, **options)  # type: ignore[arg-type]
        report = how(  # type: ignore[operator]
            self.clip, self.speech, self.output, engines=self.engines, options=chosen, cache=self.cache, progress=self
        )
        return report, list(self._frames)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("preview")
    return {name: write_clip(folder / f"{name}.mp4", count) for name, count in (("long", LONG), ("short", SHORT))}


@pytest.fixture
def studio(files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    return Studio(files["long"], write_speech(tmp_path / "speech.wav", 15.4), tmp_path, monkeypatch)


def assert_part_of_the_whole(studio: Studio, **options: object) -> Report:
    preview, drawn = studio.make(render_preview, **options)
    whole, all_frames = studio.make(render, **options)
    assert preview.frames == len(drawn) == 50 and whole.frames == len(all_frames) == 154
    assert preview.first % 5 == 0
    for number, frame in enumerate(drawn, preview.first):
        assert torch.equal(frame, all_frames[number]), number
    return preview


@pytest.mark.parametrize("smooth", ["none", "wav2lip"])
def test_its_frames_are_those_of_the_whole_result(studio: Studio, smooth: str) -> None:
    preview = assert_part_of_the_whole(studio, smooth=smooth)
    assert preview.first <= SPOKEN_S[0] * 10 and SPOKEN_S[1] * 10 <= preview.first + 50, "it is where is spoken"
    assert len(preview.track) == 50 and preview.track.coverage == 1


def test_only_the_part_is_searched_and_nothing_of_it_is_kept(studio: Studio) -> None:
    preview, _ = studio.make(render_preview)
    assert studio.detector.frames_seen == 24 + 93 < LONG
    assert studio.cache.get(studio.clip, "reader", FPS) is None
    assert not preview.was_tracked_before


def test_all_that_is_shown_is_searched_where_the_part_shows_no_face_although_a_frame_nearby_does(
    studio: Studio,
) -> None:
    studio.detector.sees_nobody = range(24, 24 + 93)
    preview, _ = studio.make(render_preview)
    # 154 frames, three more for cuts, in batches of three.
    assert studio.detector.frames_seen == 24 + 93 + 159 < 24 + 93 + LONG and preview.track.coverage == 1
    assert studio.cache.get(studio.clip, "reader", FPS) is not None


def test_smoothing_differs_by_no_more_than_its_width_may(studio: Studio) -> None:
    preview, _ = studio.make(render_preview, smooth="steady")
    whole, _ = studio.make(render, smooth="steady")
    part = slice(preview.first, preview.first + 50)
    assert np.abs(preview.track.boxes - whole.track.boxes[part]).max() < 0.5


def test_faces_that_are_known_are_used(studio: Studio) -> None:
    studio.make(render, smooth="steady")
    seen = studio.detector.frames_seen
    assert assert_part_of_the_whole(studio, smooth="steady").was_tracked_before
    assert studio.detector.frames_seen == seen


@pytest.mark.parametrize("extend", ["pingpong", "loop", "freeze"])
def test_it_may_lie_where_a_short_clip_comes_again(studio: Studio, files: dict[str, Path], extend: str) -> None:
    studio.clip = files["short"]
    preview = assert_part_of_the_whole(studio, extend=extend)
    assert preview.first > SHORT
    assert studio.detector.frames_seen == SHORT and studio.cache.get(studio.clip, "reader", FPS) is not None


def test_its_sound_is_that_of_its_seconds(studio: Studio) -> None:
    preview, _ = studio.make(render_preview)
    heard = np.concatenate(list(AudioFile(studio.output).pieces(16_000)))
    assert len(heard) == 5 * 16_000
    assert np.abs(heard).argmax() / 16_000 == pytest.approx(9.5 - preview.first / 10, abs=0.002)
    assert len(list(VideoSource(studio.output).frames())) == 50


def test_a_short_speech_is_drawn_whole(studio: Studio, tmp_path: Path) -> None:
    audio = write_speech(tmp_path / "short.wav", 3.01)
    studio.speech = Speech(audio, studio.speech.windows)
    preview, drawn = studio.make(render_preview)
    assert preview.first == 0 and preview.frames == len(drawn) == 31
    assert AudioFile(studio.output).samples == audio.samples
    assert studio.detector.frames_seen == 36 and studio.make(render)[0].was_tracked_before


def test_the_label_is_shown_throughout(studio: Studio) -> None:
    preview, drawn = studio.make(render_preview, label_duration_s=4)
    _, whole = studio.make(render, label_duration_s=None)
    assert preview.first > 40
    assert torch.equal(drawn[-1][: WIDTH * 8], whole[preview.first + 49][: WIDTH * 8])


def test_progress_counts_the_frames_of_the_preview(studio: Studio) -> None:
    studio.make(render_preview)
    drawn = [(done, total) for stage, done, total in studio.ticks if stage is Stage.DRAWING]
    assert drawn == [(done, 50) for done in range(1, 51)]


def test_a_clip_that_ends_too_early_is_told(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heygem.pipeline.preview.ENOUGH", 2.0)  # of the frames that the header promises
    with pytest.raises(MediaError) as caught:
        studio.speech = Speech(write_speech(studio.output.with_name("long.wav"), 31), studio.speech.windows)
        monkeypatch.setattr("heygem.pipeline.preview.hardest_part", lambda *parts, **more: range(150, 200))
        studio.make(render_preview)
    assert caught.value.code == "damaged" and not studio.output.exists()
