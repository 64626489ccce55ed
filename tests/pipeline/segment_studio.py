"""A studio that renders 66 frames in segments of 15: for what is cut short, and for what several draw."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from heygem.batch_memory import BatchMemory
from heygem.errors import JobRequeued
from heygem.faces.track_cache import DetectionCache
from heygem.media.audio_file import AudioFile
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.pipeline.drawing import Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent, Stage
from heygem.pipeline.render import render
from heygem.pipeline.shares import WHOLE
from stand_ins import Parrot, Spotter

FRAMES = 66
SEGMENT = 15
HALF = 35
"""In the third segment of four, and after the clip's end."""


class Brush:
    """An enhancer that changes a face, and a parser whose mask depends on the face that it is asked about."""

    device = torch.device("cpu")
    crop_size = 32

    def enhance(self, faces: Tensor) -> Tensor:
        return faces * 0.5 + 0.3

    def parse(self, faces: Tensor) -> Tensor:
        return faces.mean((1, 2, 3), keepdim=True)[:, 0:1].expand(-1, 1, 32, 32).contiguous()


@dataclass
class Studio:
    """Renders 66 frames in segments of 15 into a folder of its own."""

    folder: Path
    clip: Path
    sound: Path

    @property
    def tracks(self) -> Path:
        """Shared by all: what is not tested here need not be done again."""
        return self.folder.parent / "tracks"

    @property
    def output(self) -> Path:
        return self.folder / "job" / "out.mp4"

    @property
    def segments(self) -> Path:
        return self.folder / "job" / ".out.mp4.segments"

    def render(self, on_tick: Callable[[Stage, int], None] = lambda stage, done: None, **changes) -> int:
        """Do the job; how many frames were drawn for it."""
        self.output.parent.mkdir(exist_ok=True)
        lips, audio = changes.pop("lips", Parrot()), AudioFile(self.sound)
        brush, identity, share = Brush(), changes.pop("identity", "weights 1"), changes.pop("share", WHOLE)
        engines = Engines(
            Spotter(), BatchMemory(3), lips, BatchMemory(4), brush, BatchMemory(3), brush, identity=identity
        )

        class Watcher(Silent):
            def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
                on_tick(stage, done)

        render(
            self.clip,
            Speech(audio, lips.listen(audio.pieces(16_000), tail="silence")),
            self.output,
            engines=engines,
            options=RenderOptions(**{"crf": 10, **changes}),
            cache=DetectionCache(self.tracks, 10**7),
            progress=Watcher(),
            segment_s=Fraction(SEGMENT, 25),
            share=share,
        )
        return sum(lips.batches)

    def cut_short(self, error: BaseException | None = None, at: int = HALF, stage: Stage = Stage.DRAWING) -> None:
        error = error or JobRequeued()

        def stop(now: Stage, done: int) -> None:
            if now is stage and done == at:
                raise error

        with pytest.raises(type(error)):
            self.render(stop)

    def begins_at(self, **changes) -> int:
        """The frame that is drawn first; the job is cut short there."""
        begun: list[int] = []

        def stop(stage: Stage, done: int) -> None:
            if stage is Stage.DRAWING:
                begun.append(done)
                raise JobRequeued

        with pytest.raises(JobRequeued):
            self.render(stop, **changes)
        return begun[0]

    def left(self) -> list[str]:
        return sorted(path.name for path in self.output.parent.iterdir())


def made(path: Path) -> tuple[list[bytes], bytes, list[tuple]]:
    """Pictures, sound and times of a result."""
    pictures = [frame.data.numpy().tobytes() for frame in VideoSource(path).frames()]
    sound = subprocess.run(
        [ffmpeg_binary(), "-v", "error", "-i", path, "-map", "0:a", "-f", "s16le", "-"], check=True, capture_output=True
    ).stdout
    with av.open(str(path)) as container:
        times = [(packet.stream.type, packet.pts, packet.dts, packet.duration) for packet in container.demux()]
    return pictures, sound, times


def numbers(path: Path) -> list[int]:
    return [int(entry.stem) for entry in sorted(path.glob("*.mp4"))]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """31 frames of 128 x 96 at 25 fps, and 2.61 s of sound."""
    folder = tmp_path_factory.mktemp("inputs")
    picture = "testsrc2=size=128x96:rate=25:duration=1.24,noise=alls=9:allf=t"
    subprocess.run([ffmpeg_binary(), "-v", "error", "-f", "lavfi", "-i", picture, folder / "clip.mp4"], check=True)
    write_wav(folder / "speech.wav", np.sin(np.arange(41_760) ** 1.3 / 90) * 0.27, 16_000)
    return folder / "clip.mp4", folder / "speech.wav"


@pytest.fixture(scope="module")
def whole(inputs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A job that nobody disturbed."""
    undisturbed = Studio(tmp_path_factory.mktemp("whole"), *inputs)
    assert undisturbed.render() == FRAMES
    return undisturbed
