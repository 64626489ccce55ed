"""Makes every file of `models/demo` but the weights: presenters that idle or talk, and speeches for them.

Run ``python -m heygem.demo.make_examples``; it needs espeak-ng. Nothing else of the project runs it.
"""

from __future__ import annotations

import argparse
import logging
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from heygem.colour_space import ColourSpace
from heygem.demo.articulation import CHANNELS, FPS, REST, Articulation
from heygem.demo.backdrop import backdrop
from heygem.demo.cast import CAST, Role
from heygem.demo.fields import smooth_noise
from heygem.demo.motion import Motion
from heygem.demo.presenter import Presenter
from heygem.demo.visemes import articulate
from heygem.demo.voice import SAMPLE_RATE_HZ, Voice, say
from heygem.frame import Frame
from heygem.media.colour_tags import SDR
from heygem.media.video_sink import VideoSink
from heygem.media.wav_file import write_wav
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


SPEECHES = (
    _Speech(
        "speech-zh",
        "da4jia1 hao3, huan1ying2 guan1kan4. qing3 shang4chuan2 yi2 duan4 lu4yin1,"
        " wo3 de5 zui3chun2 hui4 gen1zhe5 ta1 shuo1hua4.",
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


def make_speeches(folder: Path) -> None:
    """Write the speeches as 16 kHz WAV files into `folder`."""
    for speech in SPEECHES:
        sound, _ = say(speech.text, speech.voice)
        pause = np.zeros(SAMPLE_RATE_HZ // 4, np.float32)
        padded = np.concatenate([pause, 0.8 * sound / np.abs(sound).max(), pause])
        write_wav(folder / f"{speech.name}.wav", padded, SAMPLE_RATE_HZ)
        log.info("%s: %.1f s", speech.name, len(sound) / SAMPLE_RATE_HZ)


def make_clip(role: Role, folder: Path) -> None:
    """Render the clip of `role` into `folder`."""
    cv2.setNumThreads(1)
    presenter = Presenter(role.person(), room=backdrop(role.room), detail=_DETAIL)
    frames = round(role.seconds * FPS)
    rng = np.random.default_rng((role.seed, 6))
    mouths = own_mouths(role, frames, rng)
    motion = Motion.of(rng, frames)
    path = folder / f"{role.name}.mp4"
    with VideoSink(path, width=_WIDTH, height=_HEIGHT, fps=Fraction(FPS), tags=SDR, audio=None, crf=_CRF) as sink:
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


def own_mouths(role: Role, frames: int, rng: np.random.Generator) -> Articulation:
    """What the mouth of `role` does in the clip: it speaks without a sound, or rests and hardly moves.

    Args:
        role: Who, and their words.
        frames: Length.
        rng: Moves resting lips.

    Returns:
        (frames, 8).

    Raises:
        EspeakMissingError: there are words, and espeak-ng is not installed.
    """
    rest = np.tile(REST, (frames, 1))
    rest[:, CHANNELS.index("wide")] = np.clip(0.12 + 0.10 * smooth_noise(rng, frames, 25), 0, 0.4)
    rest[:, CHANNELS.index("press")] = np.clip(0.12 + 0.12 * smooth_noise(rng, frames, 18), 0, 0.5)
    if not role.text:
        return rest
    sound, phonemes = say(role.text, Voice("en-us", "f2", words_per_minute=150))
    spoken = articulate(phonemes, len(sound) / SAMPLE_RATE_HZ)
    start = FPS // 2
    until = min(frames, start + len(spoken))
    rest[start:until] = spoken[: until - start]
    return rest


def as_frame(rgb: NDArray[np.uint8]) -> Frame:
    """A picture (H, W, 3) RGB with even sides, as the encoder takes it: BT.709, limited range."""
    height, width = rgb.shape[:2]
    matrix, offset = map(torch.from_numpy, ColourSpace().to_yuv())
    planes = torch.from_numpy(rgb).double().div(255).reshape(-1, 3) @ matrix.T + offset
    planar = planes.T.reshape(1, 3, height, width)
    # H.264 puts chroma on even columns, between rows.
    chroma = torch.nn.functional.avg_pool2d(planar[:, 1:, :, ::2], (2, 1))
    data = torch.cat([planar[0, 0].reshape(-1), chroma.reshape(-1)])
    return Frame(data.round().clamp(0, 255).to(torch.uint8), width, height, ColourSpace())


def main() -> None:
    """Make all examples; the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=_FOLDER, help="folder that gets the files")
    parser.add_argument("--processes", type=int, default=3, help="clips rendered at the same time")
    choices = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    choices.out.mkdir(parents=True, exist_ok=True)
    make_speeches(choices.out)
    # A forked process would inherit the locks of this one's threads.
    with ProcessPoolExecutor(choices.processes, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(make_clip, role, choices.out) for role in CAST]:
            done.result()


if __name__ == "__main__":
    main()
