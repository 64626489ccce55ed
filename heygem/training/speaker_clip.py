"""A clip of one speaker as training material: the crops that the product would cut, and how the clip sounds.

Lies on disk and is mapped, so that memory does not grow with the clip and all training processes share one copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from heygem.arrays import Waveform
from heygem.batch_memory import BatchMemory
from heygem.demo.articulation import CHANNELS, FPS
from heygem.errors import MediaError, NoFaceError, Text
from heygem.faces.crop import box_map, cut
from heygem.faces.detect import FaceDetector
from heygem.faces.detections import find_faces
from heygem.faces.face import Face, FaceTrack
from heygem.faces.track import build_track
from heygem.frame import Frame
from heygem.media.audio_file import AudioFile
from heygem.media.video_source import VideoSource
from heygem.pipeline.halving import in_halves
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.prefetch import prefetch
from heygem.pipeline.progress import Progress, Stage
from heygem.speech.mel import SAMPLE_RATE_HZ
from heygem.training.speeches import Speech, heard_in

SHORTEST_S = 6
"""Seconds with a face that are needed: four fifths to learn from, one to measure with."""

_LONGEST_S = 600
"""Seconds that are read: more would teach nothing new, and cost disk."""

_CROP_PX = 96
_VARIANTS = 6
"""How often the sound is stored, all but once through another room and microphone."""

_HELD_OUT = 0.2
_GAP_FRAMES = 12
"""Between what is learnt from and what is measured with: no window of sound, and hardly a pose, lies in both."""

_OPTIONS = RenderOptions()
"""Crops are cut as the product cuts them by default."""


@dataclass(frozen=True, slots=True)
class SpeakerClip:
    """P pictures of one face, in order of time.

    Attributes:
        crops: (P, 96, 96, 3) uint8 RGB.
        frames: (P,) int32: at which frame of 25 a second each was seen.
        mels: (V, 80, steps) float16: the clip's own sound as heard in V places, clean first.
    """

    crops: NDArray[np.uint8]
    frames: NDArray[np.int32]
    mels: NDArray[np.float16]

    @classmethod
    def open(cls, folder: Path) -> SpeakerClip:
        """What `read_clip` left in a folder, mapped."""
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("crops", "frames", "mels")))

    @property
    def learnt(self) -> range:
        """Numbers of the pictures to learn from: the beginning."""
        return range(0, self.held_out.start - _GAP_FRAMES)

    @property
    def held_out(self) -> range:
        """Numbers of the pictures that are only measured with: the last fifth."""
        count = len(self.frames)
        return range(count - round(_HELD_OUT * count), count)


def read_clip(
    clip: Path,
    folder: Path,
    detector: FaceDetector,
    batch: BatchMemory,
    device: torch.device,
    rng: np.random.Generator,
    progress: Progress,
) -> SpeakerClip:
    """Find the largest face of a clip, cut it out of every frame, and hear the clip's sound.

    Args:
        clip: With sound; its first ten minutes are read.
        folder: Gets the arrays; is there.
        detector: Finds the faces.
        batch: Frames that the detector takes at once.
        device: Where to detect and cut.
        rng: Chooses the rooms that the sound is also heard in.
        progress: Somebody who watches.

    Raises:
        MediaError: the clip cannot be read, has no sound, or is too short.
        NoFaceError: it shows no face, or not for long enough.
    """
    sound = AudioFile(clip)
    source = VideoSource(clip, fps=Fraction(FPS))
    _refuse_short(clip, min(source.info.estimated_frames / FPS, float(sound.duration)))
    total = min(source.info.estimated_frames, _LONGEST_S * FPS)

    def frames() -> Iterator[Frame]:
        with closing(source.frames()) as decoded:
            yield from (frame.to(device) for frame in islice(decoded, _LONGEST_S * FPS))

    def detect(shown: Sequence[Frame]) -> list[list[Face]]:
        parts = in_halves(len(shown), batch, lambda part: detector.detect(shown[part]))
        return [faces for part in parts for faces in part]

    progress.tick(Stage.TRACKING, 0, total)
    with closing(prefetch(frames(), detector.batch)) as ahead:
        found = find_faces(
            ahead, detector, detect=detect, on_batch=lambda done: progress.tick(Stage.TRACKING, done, total)
        )
    track = build_track(found, face=_OPTIONS.face, smooth=_OPTIONS.smooth, fps=Fraction(FPS))
    _refuse_short(clip, len(track) / FPS)
    _refuse_few_faces(clip, track)
    _cut_all(frames(), track, folder, progress)
    progress.tick(Stage.LISTENING, 0)
    np.save(folder / "mels.npy", _heard(sound, rng, lambda: progress.tick(Stage.LISTENING, 0)))
    return SpeakerClip.open(folder)


def _cut_all(frames: Iterable[Frame], track: FaceTrack, folder: Path, progress: Progress) -> None:
    """Write crops and their frame numbers, one frame in memory at a time. Raises OSError: the disk is full."""
    shown = np.flatnonzero(track.weight == 1).astype(np.int32)
    np.save(folder / "frames.npy", shown)
    crops = np.lib.format.open_memmap(
        folder / "crops.npy", mode="w+", dtype=np.uint8, shape=(len(shown), _CROP_PX, _CROP_PX, 3)
    )
    with (folder / "crops.npy").open("r+b") as file:
        # While it is mapped, a disk without room for it would end the process (SIGBUS).
        os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    row = 0
    for number, frame in enumerate(islice(frames, len(track))):
        if track.weight[number] == 1:
            crop = cut([frame], [box_map(track.boxes[number], _OPTIONS.pads, _CROP_PX)], _CROP_PX)[0]
            crops[row] = (crop.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
            row += 1
        progress.tick(Stage.TRACKING, number + 1, len(track))
    crops.flush()


def _heard(sound: AudioFile, rng: np.random.Generator, on_step: Callable[[], None]) -> NDArray[np.float16]:
    """(V, 80, steps) of at most ten minutes."""
    samples: list[Waveform] = []
    left = _LONGEST_S * SAMPLE_RATE_HZ
    with closing(sound.pieces(SAMPLE_RATE_HZ)) as pieces:
        for piece in pieces:
            samples.append(piece[:left])
            left -= len(piece)
            if left <= 0:
                break
    unknown = np.empty((0, len(CHANNELS)), dtype=np.float32)
    return heard_in(Speech(np.concatenate(samples), unknown), _VARIANTS, rng, clean_first=True, on_step=on_step)


def _refuse_short(clip: Path, seconds: float) -> None:
    if seconds < SHORTEST_S:
        raise MediaError(
            Text(
                f"“{clip.name}”的画面和声音只有 {seconds:.1f} 秒，至少需要 {SHORTEST_S} 秒。",
                f"{clip.name!r} has {seconds:.1f} s of picture and sound; at least {SHORTEST_S} s are needed.",
            ),
            hint=Text("一两分钟的清晰说话视频效果最好。", "One or two minutes of clear speech work best."),
            code="clip_too_short",
        )


def _refuse_few_faces(clip: Path, track: FaceTrack) -> None:
    seconds = float((track.found & (track.weight == 1)).sum()) / FPS
    if seconds < SHORTEST_S:
        raise NoFaceError(
            Text(
                f"“{clip.name}”中只有 {seconds:.1f} 秒能看到人脸，至少需要 {SHORTEST_S} 秒。",
                f"{clip.name!r} shows a face for {seconds:.1f} s; at least {SHORTEST_S} s are needed.",
            ),
            hint=Text("请使用一直能看清说话人正脸的视频。", "Use a clip that always shows the speaker's face."),
            code="few_faces",
        )
