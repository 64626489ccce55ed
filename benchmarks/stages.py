"""Core-seconds and wall time per frame: of each stage on its own, and of a whole job in which they overlap.

Run: ``.venv/bin/python -m benchmarks.stages --clip CLIP --speech SPEECH``. With ``--against TREE``, another checkout of
the project, both are measured in turn, so that whatever else the machine does weighs on both alike. Core-seconds count
all threads of the process and its ffmpeg children; the least of all rounds is shown, because load only ever adds.

Cut, lips and paste are shown alone, one frame after another, and all three as the pipeline does them.

The whole job is the first one in its process: it loads the models, finds the faces and draws, and is counted per frame
of its result, as the time that starting Python and importing takes is not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from heygem.batch_memory import BatchMemory
from heygem.device import place
from heygem.faces.crop import Patch, box_map, cut, paste
from heygem.faces.detections import find_faces
from heygem.faces.haar import HaarDetector
from heygem.faces.mask import lip_masks
from heygem.faces.track import build_track
from heygem.jobs.produce import Producer
from heygem.lipsync import lip_engine
from heygem.media.audio_file import AudioFile
from heygem.media.video_sink import VideoSink
from heygem.media.video_source import VideoSource
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.pipeline.stages import speak, with_faces
from heygem.settings import PROJECT_DIR, Settings

FRAMES = 96
"""Frames that the stages are measured on; they are in memory at once."""

Costs = dict[str, tuple[float, float]]
"""Core-milliseconds and wall milliseconds per frame, by stage."""


class Meter:
    """Adds up what stages cost."""

    def __init__(self) -> None:
        self.costs: Costs = {}

    @contextmanager
    def of(self, stage: str, frames: int) -> Iterator[None]:
        """Count what the block costs, per frame."""
        cores, wall = _core_s(), time.monotonic()
        yield
        self.costs[stage] = ((_core_s() - cores) / frames * 1e3, (time.monotonic() - wall) / frames * 1e3)


def _core_s() -> float:
    """Core-seconds of this process and of the children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _measure_job(meter: Meter, clip: Path, speech: Path, folder: Path) -> None:
    """A whole job, as a user starts it."""
    frames = VideoSource(clip).info.fps * AudioFile(speech).duration
    options = RenderOptions(lips="demo", enhancer="none", detector="haar")
    producer = Producer(ModelManager(8 << 30), Settings(cache_dir=folder / "cache"), place("cpu"))
    with meter.of("whole job", round(frames)):
        producer.produce(clip, speech, folder / "job.mp4", options, Silent())


def _measure_stages(meter: Meter, clip: Path, speech: Path, folder: Path) -> None:
    """Each stage on its own, on the first frames of a clip."""
    source, audio = VideoSource(clip), AudioFile(speech)
    info = source.info
    with meter.of("decode", info.estimated_frames):
        for _ in source.frames():
            pass
    with closing(source.frames()) as decoded:
        frames = list(islice(decoded, FRAMES))
    detector = HaarDetector()
    detector.detect(frames[:1])
    with meter.of("detect", len(frames)):
        found = find_faces(frames, detector, on_batch=lambda done: None)
    track = build_track(found, face="largest", smooth="steady", fps=info.fps)
    shown = np.flatnonzero(track.weight > 0)

    engine, placement = lip_engine("demo"), place("cpu")
    assert engine.bundled is not None
    lips = engine.load(engine.bundled, placement)
    pictures = [frames[at] for at in shown]
    maps = [box_map(track.boxes[at], RenderOptions().pads, lips.crop_size) for at in shown]
    with meter.of("cut", len(shown)):
        crops = cut(pictures, maps, lips.crop_size)
    windows = lips.listen(audio.pieces(lips.sample_rate_hz), tail="silence")
    heard = windows.at([at / info.fps for at in shown.tolist()])
    batch = engine.default_batch[placement.kind]
    lips.draw(crops[:batch], heard[:batch])
    with meter.of("lips", len(shown)):
        drawn = [lips.draw(*part) for part in zip(torch.split(crops, batch), torch.split(heard, batch), strict=True)]
    with meter.of("paste", len(shown)):
        masks = lip_masks("lower-face", [track.landmarks[at] for at in shown], maps, lips.crop_size, crops.device)
        for number, (picture, affine, mask) in enumerate(zip(pictures, maps, masks, strict=True)):
            part, at = drawn[number // batch], number % batch
            assert part.opacity is not None and part.flow is not None
            paste(picture, affine, Patch(part.colour[at], part.opacity[at], part.flow[at]), mask)
    with meter.of("all three", len(shown)):
        shots = with_faces(enumerate(frames), track, lips.device)
        for _ in speak(shots, windows, lips, BatchMemory(batch), fps=info.fps, options=RenderOptions()):
            pass

    with meter.of("encode", len(frames)):
        sink = VideoSink(
            folder / "stage.mp4", width=info.width, height=info.height, fps=info.fps, tags=info.tags, audio=None
        )
        with sink:
            for frame in frames:
                sink.write(frame)


def _measure(clip: Path, speech: Path) -> None:
    """Measure in this process, and print the costs as JSON."""
    meter = Meter()
    with tempfile.TemporaryDirectory() as name:
        # First, so that it pays for all that happens once in a process.
        _measure_job(meter, clip, speech, Path(name))
        _measure_stages(meter, clip, speech, Path(name))
    print(json.dumps(meter.costs))


def _measured_in(tree: Path, clip: Path, speech: Path) -> Costs:
    """The same measurement by the code of another checkout, in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--clip", str(clip), "--speech", str(speech), "--here"]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=tree)
    costs: Costs = json.loads(done.stdout.splitlines()[-1])
    return costs


def _table(costs: Mapping[str, Sequence[Costs]]) -> str:
    """The least of all rounds, for each tree."""
    lines = [f"{'ms per frame':14s}" + "".join(f"{name:>30s}" for name in costs)]
    lines.append(" " * 14 + f"{'cores':>18s}{'wall':>12s}" * len(costs))
    stages = next(iter(costs.values()))[0]
    for stage in stages:
        columns = (
            "".join(f"{min(cost[stage][kind] for cost in rounds):{width}.1f}" for kind, width in ((0, 18), (1, 12)))
            for rounds in costs.values()
        )
        lines.append(f"{stage:14s}" + "".join(columns))
    return "\n".join(lines)


def main() -> None:
    """Measure this tree, and another one beside it, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    demo = PROJECT_DIR / "models" / "demo"
    parser.add_argument("--clip", type=Path, default=demo / "presenter-lin.mp4")
    parser.add_argument("--speech", type=Path, default=demo / "speech-en.wav")
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn with this one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--here", action="store_true", help="measure once, in this process")
    args = parser.parse_args()
    clip, speech = args.clip.resolve(), args.speech.resolve()
    if args.here:
        _measure(clip, speech)
        return
    trees = {"this tree": PROJECT_DIR} | ({str(args.against): args.against.resolve()} if args.against else {})
    costs: dict[str, list[Costs]] = {name: [] for name in trees}
    for _ in range(args.rounds):
        for name, tree in trees.items():
            costs[name].append(_measured_in(tree, clip, speech))
    print(f"{clip.name}, {speech.name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(_table(costs))


if __name__ == "__main__":
    main()
