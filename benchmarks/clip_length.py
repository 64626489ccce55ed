"""One job over a clip of any length, without networks: neither memory nor time per frame may grow with the length.

Run in a process of its own, because a peak never falls. The enhancer is off and the lip engine is a stub that paints,
so that ten minutes take minutes; decoding, Haar, tracking, cutting, pasting and encoding are the real ones.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import torch

from benchmarks.meter import MemoryWatch, now, peak_rss_mb, since
from heygem.arrays import Crops, Heard, Waveform
from heygem.batch_memory import BatchMemory
from heygem.faces.haar import HaarDetector
from heygem.faces.track_cache import DetectionCache
from heygem.lipsync.base import AudioWindows, Drawn
from heygem.media.audio_file import AudioFile
from heygem.pipeline.drawing import Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.pipeline.render import render
from heygem.speech import Tail
from heygem.speech.mel import mel_spectrogram
from heygem.speech.windows import MelWindows


class _Painter:
    """Paints every mouth grey, without a network."""

    device = torch.device("cpu")
    crop_size = 96
    sample_rate_hz = 16_000

    def listen(self, speech: Iterable[Waveform], *, tail: Tail) -> AudioWindows:
        return MelWindows(mel_spectrogram(speech), lead_s=Fraction(0), tail=tail)

    def draw(self, faces: Crops, heard: Heard) -> Drawn:
        return Drawn(torch.full_like(faces, 0.5))


def measure(clip: Path, speech: Path, folder: Path) -> dict[str, float]:
    """Run one job in this process.

    Args:
        clip, speech: What it is made of.
        folder: For the result.

    Returns:
        Frames, core-seconds and wall seconds of the job, and MB resident at most in this process and in its children.
    """
    watch, before = MemoryWatch(), now()
    lips, audio = _Painter(), AudioFile(speech)
    heard = Speech(audio, lips.listen(audio.pieces(lips.sample_rate_hz), tail="silence"))
    detector = HaarDetector()
    report = render(
        clip,
        heard,
        folder / "result.mp4",
        engines=Engines(detector, BatchMemory(detector.batch), lips, BatchMemory(16)),
        options=RenderOptions(enhancer="none"),
        cache=DetectionCache(folder / "tracks", 10**8),
        progress=Silent(),
    )
    cost = since(before)
    watch.end()
    return {
        "frames": report.frames,
        "core_s": cost.core_s,
        "wall_s": cost.wall_s,
        "peak_rss_mb": peak_rss_mb(),
        "peak_children_mb": watch.peak_children_mb,
    }


def main() -> None:
    """Measure one job and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("speech", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(args.clip, args.speech, Path(folder))))


if __name__ == "__main__":
    main()
