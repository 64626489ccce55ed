"""THE TRAINING OF A LIP MODEL OF THE USER'S OWN SPEAKER, from one clip to a folder. Read this first.

Nothing is left of a training that fails or is stopped.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from heygem.batch_memory import BatchMemory
from heygem.demo.articulation import FPS
from heygem.device import Placement
from heygem.errors import Notice, OptionError, Text
from heygem.faces.detect import FaceDetector
from heygem.lipsync import lip_engines
from heygem.lipsync.demo import ENGINE
from heygem.nets.blocks import Widths
from heygem.nets.warp_net import WarpNet
from heygem.pipeline.progress import Progress, Stage
from heygem.training.export import export
from heygem.training.hardware import Hardware
from heygem.training.offset import Floats, Offset, measure_offset, refuse_unclear
from heygem.training.parallel import InThisProcess
from heygem.training.recipe import Recipe
from heygem.training.speaker_batches import Hearing
from heygem.training.speaker_clip import SpeakerClip, read_clip
from heygem.training.speaker_report import report, sheet
from heygem.training.speaker_score import HeldOutPart, Sound, SpeakerScore
from heygem.training.speaker_training import SPEAKER, Learnt, SpeakerJob, train_speaker_net
from heygem.weights.load import build, read_metadata, read_tensors
from heygem.weights.speakers import LIPS, speaker_folder

log = logging.getLogger(__name__)

REPORT, SHEET = "report.md", "sheet.jpg"

_DATA = "data"
_FOLLOWS_R, _FOLLOWS_DB = 0.3, 0.3
"""Below these a model hardly hears: correlation of its mouths, and what the right sound is worth against another."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A lip model of one person.

    Attributes:
        folder: Holds the model, a report and a picture.
        offset: Of the clip's sound, which was corrected.
        scores: Of the part of the clip that was not learnt from.
        as_used: r of drawn mouths with the moment that is heard, and with the frame that is shown.
        notices: What to know of the model.
    """

    folder: Path
    offset: Offset
    scores: tuple[SpeakerScore, ...]
    as_used: tuple[float, float]
    notices: tuple[Notice, ...]


def train_speaker(
    clip: Path,
    name: str,
    *,
    models_dir: Path,
    detector: FaceDetector,
    detector_batch: BatchMemory,
    hardware: Hardware,
    progress: Progress,
    recipe: Recipe = SPEAKER,
) -> Speaker:
    """Learn how the person in a clip moves the mouth to the sound of the same clip.

    Args:
        clip: A video with its own sound; the largest face in it is the speaker's.
        name: What to call the speaker: letters, digits, - and _.
        models_dir: Gets ``speakers/NAME``, whole or not at all.
        detector: Finds faces.
        detector_batch: Frames that it takes at once.
        hardware: What to train on.
        progress: Somebody who watches; DRAWING counts samples.
        recipe: How to train.

    Raises:
        OptionError: the name is none, or taken.
        MediaError: the clip cannot be read, has no sound, is too short, or its sound does not match its lips.
        NoFaceError: it shows no face, or not for long enough.
        JobCancelled: from `progress`.
    """
    folder = _free_folder(name, models_dir)
    began = time.monotonic()
    assert ENGINE.bundled is not None
    widths = Widths.from_json(read_metadata(ENGINE.bundled)["widths"])
    recipe = replace(recipe, widths=widths)
    start = read_tensors(ENGINE.bundled)
    with _whole_or_nothing(folder) as part:
        data = part / _DATA
        data.mkdir()
        rng = np.random.default_rng(recipe.seed)
        read = read_clip(clip, data, detector, detector_batch, hardware.device, rng, progress)
        offset = measure_offset(_codes(start, widths, read, progress), read.crops, read.frames)
        log.info("%s: sound %d frames after the lips, r %.2f, %s", clip.name, offset.frames, offset.r, offset)
        refuse_unclear(offset, clip.name)
        learnt = train_speaker_net(
            SpeakerJob(
                recipe=recipe,
                hardware=hardware,
                data=data,
                late=offset.frames,
                start=start,
                progress=InThisProcess(lambda done: progress.tick(Stage.DRAWING, done, recipe.samples)),
            )
        )
        progress.tick(Stage.FINISHING, 0)
        facts = _facts(clip, read, learnt, time.monotonic() - began)
        export(learnt.state, widths, _description(name, facts), part / LIPS, _metadata(name, facts, offset))
        held_out = HeldOutPart(read, offset.frames)
        net = _net(read_tensors(part / LIPS), widths)
        scores = _scores(held_out, net, _net(start, widths))
        as_used = held_out.as_used(net)
        (part / REPORT).write_text(report(name, facts, offset, scores, as_used), encoding="utf-8")
        sheet(held_out.truth, held_out.drawn(net, Sound.RIGHT), part / SHEET)
        del read, held_out
        shutil.rmtree(data)
    return Speaker(folder, offset, tuple(scores), as_used, _notices(scores))


def _free_folder(name: str, models_dir: Path) -> Path:
    folder = speaker_folder(name, models_dir)
    if name == "auto" or name in lip_engines() or folder.exists():
        raise OptionError(
            Text(f"名称 {name!r} 已被占用。", f"The name {name!r} is taken."),
            hint=Text(f"请换一个名称，或先删除 {folder}。", f"Choose another, or delete {folder} first."),
            code="name_taken",
        )
    return folder


@contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `folder` at the end, or is gone."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@torch.inference_mode()
def _codes(state: dict[str, Tensor], widths: Widths, clip: SpeakerClip, progress: Progress) -> Floats:
    """(N, C): what the embedded default's audio tower makes of the clip's sound at every frame."""
    tower = _net(state, widths).audio_encoder
    hearing = Hearing(clip.mels[:1], 0)
    count = clip.mels.shape[2] * FPS // 80
    codes = []
    for first in range(0, count, FPS):
        progress.tick(Stage.LISTENING, first, count)
        codes.append(tower(hearing.at(range(first, min(first + FPS, count)))).flatten(1))
    heard: Floats = torch.cat(codes).numpy()
    return heard


def _net(state: dict[str, Tensor], widths: Widths) -> WarpNet:
    return build(partial(WarpNet, widths), state, Placement(torch.device("cpu"), torch.float32))


def _scores(held_out: HeldOutPart, net: WarpNet, default: WarpNet) -> list[SpeakerScore]:
    return [
        held_out.score("mouth left alone", held_out.reference),
        held_out.score(f"embedded default, {Sound.RIGHT}", held_out.drawn(default, Sound.RIGHT)),
        *(held_out.score(f"this model, {sound}", held_out.drawn(net, sound)) for sound in Sound),
    ]


def _notices(scores: list[SpeakerScore]) -> tuple[Notice, ...]:
    """Whether the model follows the sound."""
    *_, right, _, shifted = scores
    if right.r >= _FOLLOWS_R and right.psnr_db >= shifted.psnr_db + _FOLLOWS_DB:
        return ()
    text = Text(
        f"这个模型几乎不跟随声音（相关系数 {right.r:.2f}）。",
        f"This model hardly follows the sound (r {right.r:.2f}).",
    )
    hint = Text("请用更长、更清晰的视频重新训练。", "Train again on a longer and clearer clip.")
    return (Notice("weak_lips", text, hint),)


def _facts(clip: Path, read: SpeakerClip, learnt: Learnt, seconds: float) -> dict[str, str]:
    return {
        "clip": f"{clip.name}, {len(read.frames) / FPS:.1f} s with a face, {len(read.learnt) / FPS:.1f} s learnt from",
        "training": f"best after {learnt.samples:,} samples of {learnt.shown:,}, {seconds:.0f} s in all",
    }


def _description(name: str, facts: dict[str, str]) -> str:
    return f"The embedded default, taught speaker {name}. Clip: {facts['clip']}. Training: {facts['training']}."


def _metadata(name: str, facts: dict[str, str], offset: Offset) -> dict[str, str]:
    return {
        "speaker": name,
        "clip": facts["clip"],
        "clip_sound_late": str(offset.frames),
        "clip_sound_late_unit": "frames at 25 fps, corrected in training",
        "author": "The user of HeyGem",
        "licence": "",
    }
