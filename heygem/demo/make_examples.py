"""Makes every file of `models/demo` but the weights: presenters that idle or talk, and speeches for them.

Run ``python -m heygem.demo.make_examples``; it needs espeak-ng. Nothing else of the project runs it.
"""

from __future__ import annotations

import argparse
import logging
import wave
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from heygem.arrays import Waveform
from heygem.demo.articulation import FPS, REST, Articulation
from heygem.demo.identity import Identity
from heygem.demo.motion import Motion
from heygem.demo.presenter import Presenter
from heygem.demo.visemes import articulate
from heygem.demo.voice import SAMPLE_RATE_HZ, Voice, say
from heygem.frame import ColourSpace, Frame
from heygem.media.colour_tags import ColourTags
from heygem.media.video_sink import VideoSink
from heygem.settings import PROJECT_DIR

log = logging.getLogger(__name__)

_FOLDER = PROJECT_DIR / "models" / "demo"
_WIDTH, _HEIGHT = 1280, 720
_DETAIL = 2.4
_GRAIN, _BLUR_PX = 0.005, 0.6
_CRF = 20


@dataclass(frozen=True)
class _Speech:
    """A speech: file name, words, who says them."""

    name: str
    text: str
    voice: Voice


@dataclass(frozen=True)
class _Clip:
    """A clip: file name, whose identity with which changes, length, what is said (silently; "" idles)."""

    name: str
    seed: int
    changes: dict[str, Any]
    seconds: float
    text: str


SPEECHES = (
    _Speech(
        "speech-zh",
        "da4jia1 hao3, huan1ying2 lai2 dao4 zhe4li5. qing3 shang4chuan2 yi2 duan4 lu4yin1, wo3 de5 zui3chun2 hui4 gen1zhe5"
        " ta1 shuo1hua4. zhe4 yi1qie4 dou1 zai4 ni3 de5 dian4nao3 shang4 wan2cheng2.",
        Voice("cmn-latn-pinyin", "f2", words_per_minute=150, pitch=55, pitch_range=55),
    ),
    _Speech(
        "speech-en",
        "Hello and welcome. Give me any recording of speech, and my lips will follow it, frame by frame."
        " Everything happens on your own computer.",
        Voice("en-us", "m3", words_per_minute=155, pitch=45, pitch_range=60),
    ),
    _Speech(
        "speech-en-2",
        "Good morning. Today's weather is sunny and warm, with a gentle breeze from the west."
        " Perfect for a walk by the river.",
        Voice("en-gb-x-rp", "f3", words_per_minute=150, pitch=55, pitch_range=60),
    ),
)
CLIPS = (
    _Clip("presenter-mei", 111, {}, 12.0, ""),
    _Clip("presenter-adam", 200, {}, 12.0, ""),
    _Clip("presenter-ruth", 116, {}, 12.0, "Thank you for watching. Please remember to bring an open mind, and enjoy."),
)


def make_speeches(folder: Path) -> None:
    """Write the speeches as 16 kHz WAV files into `folder`."""
    for speech in SPEECHES:
        sound, _ = say(speech.text, speech.voice)
        pause = np.zeros(SAMPLE_RATE_HZ // 4, np.float32)
        _write_wav(folder / f"{speech.name}.wav", np.concatenate([pause, 0.8 * sound / np.abs(sound).max(), pause]))
        log.info("%s: %.1f s", speech.name, len(sound) / SAMPLE_RATE_HZ)


def make_clip(clip: _Clip, folder: Path) -> None:
    """Render `clip` into `folder`."""
    cv2.setNumThreads(1)
    person = replace(Identity.of(clip.seed), **clip.changes)
    presenter = Presenter(person, detail=_DETAIL)
    frames = round(clip.seconds * FPS)
    rng = np.random.default_rng((clip.seed, 6))
    mouths = _mouths(clip, frames, rng)
    motion = Motion.of(rng, frames)
    tags = ColourTags(space="bt709", primaries="bt709", transfer="bt709", range="tv")
    path = folder / f"{clip.name}.mp4"
    with VideoSink(
        path, width=_WIDTH, height=_HEIGHT, fps=Fraction(FPS), tags=tags, audio=None, crf=_CRF
    ) as sink:
        for index in range(frames):
            gaze = (float(motion.gazes[index, 0]), float(motion.gazes[index, 1]))
            portrait = presenter.frame(
                mouths[index],
                motion.poses[index],
                float(motion.blinks[index]),
                gaze,
                size=(_HEIGHT, _WIDTH),
                grain=_GRAIN,
                blur_px=_BLUR_PX,
                grain_seed=index,
            )
            sink.write(as_frame(portrait.rgb))
    log.info("%s: %d frames", path.name, frames)
