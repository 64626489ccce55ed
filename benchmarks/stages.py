"""The cost of each stage on its own, one after the other, on frames that are in memory.

Knows the pipeline's stages; knows nothing of processes or reports. In a job the stages overlap, so their wall times add
up to more than the job takes; their core-seconds add up to about what it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

import torch

from benchmarks.meter import Meter, now, since
from benchmarks.plan import Cost
from heygem.arrays import Crops, Heard, Mask, Waveform
from heygem.batch_memory import BatchMemory
from heygem.enhance.base import FaceEnhancer
from heygem.faces.detections import find_faces
from heygem.faces.parsing import FaceParser
from heygem.faces.track import build_track
from heygem.lipsync.base import AudioWindows, Drawn, LipSyncModel
from heygem.media.audio_file import AudioFile
from heygem.media.video_sink import VideoSink
from heygem.media.video_source import VideoSource
from heygem.pipeline.drawing import Engines
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.stages import PARSE_EVERY, Shot, sharpen, speak, with_faces
from heygem.speech import Tail

P = ParamSpec("P")
R = TypeVar("R")

FRAMES = 96
"""Frames that the stages are measured on; they are in memory at once."""


class _Counted:
    """A network's work apart from what the pipeline does around it."""

    def __init__(self) -> None:
        self.cost = Cost(0.0, 0.0)

    def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `work` returns; its cost is added up."""
        before = now()
        result = work(*args, **kwargs)
        self.cost = _sum(self.cost, since(before))
        return result


class _CountedLips(_Counted):
    def __init__(self, lips: LipSyncModel) -> None:
        super().__init__()
        self._lips = lips
        self.device, self.crop_size, self.sample_rate_hz = lips.device, lips.crop_size, lips.sample_rate_hz

    def listen(self, speech: Iterable[Waveform], *, tail: Tail) -> AudioWindows:
        return self._lips.listen(speech, tail=tail)

    def draw(self, faces: Crops, heard: Heard) -> Drawn:
        return self.run(self._lips.draw, faces, heard)


class _CountedEnhancer(_Counted):
    def __init__(self, enhancer: FaceEnhancer) -> None:
        super().__init__()
        self._enhancer = enhancer
        self.device, self.crop_size = enhancer.device, enhancer.crop_size

    def enhance(self, faces: Crops) -> Crops:
        return self.run(self._enhancer.enhance, faces)


class _CountedParser(_Counted):
    def __init__(self, parser: FaceParser) -> None:
        super().__init__()
        self._parser = parser

    def parse(self, crops: Crops) -> Mask:
        return self.run(self._parser.parse, crops)


def stage_costs(clip: Path, speech: Path, folder: Path, engines: Engines, options: RenderOptions) -> dict[str, Cost]:
    """Core-seconds and wall seconds per frame of the result, by stage.

    Args:
        clip: Of one scene, with a face in each of its frames.
        speech: At least as long as `FRAMES`.
        folder: For the file that is encoded.
        engines: The loaded models.
        options: The user's choices.
    """
    meter = Meter()
    source, audio = VideoSource(clip), AudioFile(speech)
    info = source.info
    with meter.of("decode", info.estimated_frames):
        for _ in source.frames():
            pass
    with closing(source.frames()) as decoded:
        frames = list(islice(decoded, FRAMES))
    engines.detector.detect(frames[:1])
    with meter.of("detect", len(frames)):
        found = find_faces(frames, engines.detector, on_batch=lambda done: None)
    track = build_track(found, face=options.face, smooth=options.smooth, fps=info.fps)
    with meter.of("mel", round(audio.duration * info.fps)):
        windows = engines.lips.listen(audio.pieces(engines.lips.sample_rate_hz), tail=options.tail)

    shots = list(with_faces(enumerate(frames), track, engines.lips.device))
    batch = BatchMemory(engines.lips_batch.size)

    def spoken(lips: LipSyncModel, some: Sequence[Shot]) -> None:
        for _ in speak(some, windows, lips, batch, fps=info.fps, options=options):
            pass

    spoken(engines.lips, shots[: batch.size])
    counted = _CountedLips(engines.lips)
    before = now()
    spoken(counted, shots)
    around = _per(_less(since(before), counted.cost), len(shots))
    meter.add("lips", counted.cost, len(shots))
    if engines.enhancer is not None and engines.enhancer_batch is not None:
        around = _sum(around, _sharpened(meter, shots, engines, engines.enhancer, options))
    meter.add("cut and paste", around, 1)

    with meter.of("encode", len(shots)):
        sink = VideoSink(
            folder / "stage.mp4", width=info.width, height=info.height, fps=info.fps, tags=info.tags, audio=None
        )
        with sink:
            for shot in shots:
                sink.write(shot.frame)
    return meter.costs


def _sharpened(
    meter: Meter, shots: Sequence[Shot], engines: Engines, net: FaceEnhancer, options: RenderOptions
) -> Cost:
    """Measure enhancer and parser; the cost per frame of what the pipeline does around them."""
    enhancer = _CountedEnhancer(net)
    parser = _CountedParser(engines.parser) if engines.parser is not None else None
    assert engines.enhancer_batch is not None
    batch = BatchMemory(engines.enhancer_batch.size)
    some = shots[:PARSE_EVERY]  # so many share a mask: each has its part of what that costs
    crop = torch.zeros(1, 3, net.crop_size, net.crop_size, device=net.device)
    net.enhance(crop)
    if engines.parser is not None:
        engines.parser.parse(crop)
    before = now()
    for _ in sharpen(some, enhancer, parser, batch, strength=options.enhancer_strength):  # type: ignore[arg-type]
        pass
    around = _less(since(before), enhancer.cost)
    meter.add("enhance", enhancer.cost, len(some))
    if parser is not None:
        around = _less(around, parser.cost)
        meter.add("mask", parser.cost, len(some))
    return _per(around, len(some))


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(one.core_s + other.core_s, one.wall_s + other.wall_s)


def _less(whole: Cost, part: Cost) -> Cost:
    return Cost(whole.core_s - part.core_s, whole.wall_s - part.wall_s)


def _per(cost: Cost, frames: int) -> Cost:
    return Cost(cost.core_s / frames, cost.wall_s / frames)
