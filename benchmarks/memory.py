"""Peak memory of a whole job, for a 10 s and a 10 min clip of 720p: it may not grow with the length.

Run: ``.venv/bin/python -m benchmarks.memory``. The enhancer is off and the lip engine is a stub that paints, so that
ten minutes take minutes; decoding, tracking, cutting, pasting and encoding are the real ones. Each length runs in a
process of its own, because a peak never falls.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from heygem.arrays import Crops, Heard, Waveform
from heygem.batch_memory import BatchMemory
from heygem.faces.face import Face
from heygem.faces.track_cache import DetectionCache
from heygem.frame import Frame
from heygem.lipsync.base import AudioWindows, Drawn
from heygem.media.audio_file import AudioFile
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.pipeline.drawing import Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.pipeline.render import render
from heygem.speech import Tail
from heygem.speech.mel import mel_spectrogram
from heygem.speech.windows import MelWindows

LENGTHS_S = (10, 600)


class _OneFace:
    """Sees the same face in the middle of every frame."""

    identity = "stub"
    batch = 8

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        box = np.array([560, 200, 720, 400], np.float32)
        points = np.array([[600, 280], [680, 280], [640, 320], [610, 350], [670, 350]], np.float32)
        return [[Face(box, points, 1.0)] for _ in frames]


class _Painter:
    """Paints every mouth grey, without a network."""

    device = torch.device("cpu")
    crop_size = 96
    sample_rate_hz = 16_000

    def listen(self, speech: Iterable[Waveform], *, tail: Tail) -> AudioWindows:
        return MelWindows(mel_spectrogram(speech), lead_s=Fraction(0), tail=tail)

    def draw(self, faces: Crops, heard: Heard) -> Drawn:
        return Drawn(torch.full_like(faces, 0.5))


def _measure(seconds: int) -> None:
    """Run one job and print its figures as JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, sound = folder / "clip.mp4", folder / "speech.wav"
        ffmpeg = [ffmpeg_binary(), "-v", "error", "-nostdin", "-f", "lavfi"]
        picture = f"testsrc2=size=1280x720:rate=25:duration={seconds}"
        subprocess.run([*ffmpeg, "-i", picture, "-preset", "ultrafast", str(clip)], check=True)
        subprocess.run([*ffmpeg, "-i", f"sine=frequency=200:duration={seconds}", str(sound)], check=True)
        lips = _Painter()
        audio = AudioFile(sound)
        speech = Speech(audio, lips.listen(audio.pieces(lips.sample_rate_hz), tail="silence"))
        report = render(
            clip,
            speech,
            folder / "out.mp4",
            engines=Engines(_OneFace(), BatchMemory(8), lips, BatchMemory(16)),
            options=RenderOptions(enhancer="none"),
            cache=DetectionCache(folder / "tracks", 10**8),
            progress=Silent(),
        )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "frames": report.frames, "peak_rss_mb": round(peak_mb, 1)}))


def main() -> None:
    """Measure every length and print the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, help="measure this length in this process")
    args = parser.parse_args()
    if args.seconds:
        _measure(args.seconds)
        return
    peaks = []
    for seconds in LENGTHS_S:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", "--seconds", str(seconds)],
            check=True,
            capture_output=True,
            text=True,
        )
        facts = json.loads(done.stdout)
        print(f"{seconds:4d} s, {facts['frames']:6d} frames: peak RSS {facts['peak_rss_mb']:.1f} MB")
        peaks.append(facts["peak_rss_mb"])
    print(f"growth: {peaks[-1] - peaks[0]:+.1f} MB")


if __name__ == "__main__":
    main()
