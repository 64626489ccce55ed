"""A rendered clip of a bundled presenter, and what it ought to become when it is made to speak another text."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem.arrays import Waveform
from heygem.demo.articulation import FPS, REST, WIDE_OPEN, Articulation
from heygem.demo.backdrop import backdrop
from heygem.demo.cast import Role
from heygem.demo.make_examples import as_frame, own_mouths
from heygem.demo.motion import Motion
from heygem.demo.presenter import Portrait, Presenter
from heygem.demo.visemes import articulate
from heygem.demo.voice import SAMPLE_RATE_HZ, Voice, say
from heygem.faces.crop import box_map, cut
from heygem.frame import Frame
from heygem.media.colour_tags import SDR
from heygem.media.video_sink import VideoSink
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.training.evaluation import Crops, HeldOut
from heygem.training.shards import Talker

WIDTH, HEIGHT = 256, 360
"""Faces of 137 pixels: more than the 96 that lips are drawn with."""
FRAMES = 75
SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // FPS

_DETAIL = 1.0
_GRAIN, _BLUR_PX = 0.005, 0.4
_THREADS = 4
_PAUSE_FRAMES = 4
"""Before the first word."""


@dataclass(frozen=True)
class Script:
    """What somebody says.

    Attributes:
        text: As the voice reads it.
        voice: Who says it.
    """

    text: str
    voice: Voice

    def spoken(self) -> tuple[Waveform, Articulation]:
        """`FRAMES` frames of sound and of what the mouth does meanwhile."""
        sound, phonemes = say(self.text, self.voice)
        pause_s = _PAUSE_FRAMES / FPS
        before, length = _PAUSE_FRAMES * SAMPLES_PER_FRAME, FRAMES * SAMPLES_PER_FRAME
        heard = np.concatenate([np.zeros(before, np.float32), sound, np.zeros(length, np.float32)])[:length]
        later = [(begin + pause_s, end + pause_s, sign) for begin, end, sign in phonemes]
        return heard, articulate(later, max(FRAMES / FPS, later[-1][1]))[:FRAMES]


@dataclass(frozen=True)
class Scene:
    """A clip and its truth, F frames.

    Attributes:
        clip: Video without sound of somebody who says something else, or nothing.
        speech: At 16 kHz: what they are to say.
        person: The clip's faces, and the same as they ought to become, shut and wide.
        boxes: (F, 4): where the faces are.
    """

    clip: Path
    speech: Waveform
    person: HeldOut
    boxes: NDArray[np.float32]

    def faces_of(self, video: Path) -> Crops:
        """(F, 96, 96, 3): the faces in a video that was made from the clip."""
        return _cut(VideoSource(video).frames(), self.boxes)


def stage(role: Role, script: Script, folder: Path) -> Scene:
    """Render a scene. It moves otherwise than the bundled clip of the role, but its mouth does what it does there.

    Args:
        role: Who.
        script: What they are to say.
        folder: Gets the clip.

    Raises:
        EspeakMissingError: espeak-ng is not installed.
    """
    speech, wanted = script.spoken()
    own = own_mouths(role, FRAMES, np.random.default_rng(role.seed))
    with ThreadPoolExecutor(_THREADS) as threads:
        parts = [
            threads.submit(_portraits, role, own, wanted, range(first, FRAMES, _THREADS)) for first in range(_THREADS)
        ]
        portraits = dict(pair for part in parts for pair in part.result())
    in_order = [portraits[index] for index in range(FRAMES)]
    boxes = np.stack([one[0].box for one in in_order])
    pictures = [[as_frame(portrait.rgb) for portrait in which] for which in zip(*in_order, strict=True)]
    clip = folder / f"{role.name}.mp4"
    with VideoSink(clip, width=WIDTH, height=HEIGHT, fps=Fraction(FPS), tags=SDR, audio=None, crf=18) as sink:
        for frame in pictures[0]:
            sink.write(frame)
    reference, truth, shut, wide = (_cut(which, boxes) for which in pictures)
    moments = np.arange(FRAMES, dtype=np.int32)
    talker = Talker(
        crops=np.stack([truth, reference], axis=1).reshape(-1, *truth.shape[1:]),
        frames=np.stack([moments, moments + FRAMES], axis=1).reshape(-1),
        articulation=np.concatenate([wanted, own]),
        mels=np.zeros((0, 80, 0), np.float16),
    )
    return Scene(clip, speech, HeldOut(talker, shut, wide), boxes)


def write_sound(path: Path, sound: Waveform) -> Path:
    """Write `sound` as a 16 kHz WAV file."""
    write_wav(path, sound, SAMPLE_RATE_HZ)
    return path


def _portraits(
    role: Role, own: Articulation, wanted: Articulation, moments: Iterable[int]
) -> list[tuple[int, tuple[Portrait, ...]]]:
    """Some frames, each with its own mouth, with the one that is wanted, shut and wide."""
    presenter = Presenter(role.person(), room=backdrop(role.room), detail=_DETAIL)
    motion = Motion.of(np.random.default_rng(role.seed), FRAMES)
    return [
        (
            index,
            tuple(
                presenter.frame(
                    mouth,
                    motion.poses[index],
                    float(motion.blinks[index]),
                    (float(motion.gazes[index, 0]), float(motion.gazes[index, 1])),
                    size=(HEIGHT, WIDTH),
                    grain=_GRAIN,
                    blur_px=_BLUR_PX,
                    grain_seed=index,
                )
                for mouth in (own[index], wanted[index], REST, WIDE_OPEN)
            ),
        )
        for index in moments
    ]


def _cut(frames: Iterable[Frame], boxes: NDArray[np.float32]) -> Crops:
    crops = [cut([frame], [box_map(box, (0, 0, 0, 0), 96)], 96)[0] for frame, box in zip(frames, boxes, strict=True)]
    return np.stack([(crop.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy() for crop in crops])
