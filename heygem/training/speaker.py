"""THE TRAINING OF A LIP MODEL OF THE USER'S OWN SPEAKER, from one clip to a folder. Read this first.

Nothing is left of a training that fails or is stopped.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from heygem.batch_memory import BatchMemory
from heygem.demo.articulation import FPS
from heygem.device import Placement
from heygem.errors import Notice, Text
from heygem.faces.detect import FaceDetector
from heygem.lipsync.demo import ENGINE
from heygem.nets.blocks import Widths
from heygem.nets.warp_net import WarpNet
from heygem.pipeline.progress import Progress, Stage, counted
from heygem.training.export import export
from heygem.training.hardware import Hardware
from heygem.training.offset import Floats, Offset, measure_offset, refuse_unclear
from heygem.training.parallel import InThisProcess
from heygem.training.recipe import Recipe
from heygem.training.speaker_batches import Hearing
from heygem.training.speaker_clip import SpeakerClip, read_clip
from heygem.training.speaker_facts import SpeakerFacts, write_facts
from heygem.training.speaker_folder import free_folder, whole_or_nothing
from heygem.training.speaker_report import report, sheet
from heygem.training.speaker_score import HeldOutDrawings, HeldOutPart, SpeakerScore
from heygem.training.speaker_training import SPEAKER, Learnt, SpeakerNetJob, train_speaker_net
from heygem.weights.load import build, read_metadata, read_tensors
from heygem.weights.speakers import LIPS

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
        facts: The same in short, as it lies in the folder.
    """

    folder: Path
    offset: Offset
    scores: tuple[SpeakerScore, ...]
    as_used: tuple[float, float]
    facts: SpeakerFacts


OnMeasured = Callable[[HeldOutDrawings, SpeakerFacts], None]
"""Given what the new model draws, and what was measured, before the speaker appears; what it raises undoes it all."""


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
    clip_name: str = "",
    job: str = "",
    notices: tuple[Notice, ...] = (),
    on_measured: OnMeasured = lambda drawings, facts: None,
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
        clip_name: What the user calls the clip; empty: the file's name.
        job: Id of the job that this is; empty where it is none.
        notices: What is known of the clip, to be kept with the rest.
        on_measured: Looks at the drawings.

    Raises:
        OptionError: the name is none, or taken.
        MediaError: the clip cannot be read, has no sound, is too short, or its sound does not match its lips.
        NoFaceError: it shows no face, or not for long enough.
        JobCancelled: from `progress`.
    """
    folder, clip_name = free_folder(name, models_dir), clip_name or clip.name
    began = time.monotonic()
    assert ENGINE.bundled is not None
    widths = Widths.from_json(read_metadata(ENGINE.bundled)["widths"])
    recipe = replace(recipe, widths=widths)
    start = read_tensors(ENGINE.bundled)
    with whole_or_nothing(folder) as part:
        data = part / _DATA
        data.mkdir()
        rng = np.random.default_rng(recipe.seed)
        read = read_clip(clip, data, detector, detector_batch, hardware.device, rng, progress)
        offset = measure_offset(_codes(start, widths, read, progress), read.crops, read.frames)
        log.info("%s: sound %d frames after the lips, r %.2f, %s", clip_name, offset.frames, offset.r, offset)
        refuse_unclear(offset, clip.name)
        learnt = train_speaker_net(
            SpeakerNetJob(
                recipe=recipe,
                hardware=hardware,
                data=data,
                late=offset.frames,
                start=start,
                progress=InThisProcess(lambda done: progress.tick(Stage.DRAWING, done, recipe.samples)),
            )
        )
        progress.tick(Stage.FINISHING, 0)
        told = _told(clip_name, read, learnt, time.monotonic() - began)
        export(learnt.state, widths, _description(name, told), part / LIPS, _metadata(name, told, offset))
        held_out = HeldOutPart(read, offset.frames, on_step=counted(progress, Stage.FINISHING))
        net = _net(read_tensors(part / LIPS), widths)
        drawings, scores = held_out.compare(_net(start, widths), net)
        as_used = held_out.as_used(net)
        (part / REPORT).write_text(report(name, told, offset, scores, as_used), encoding="utf-8")
        sheet(drawings.truth, drawings.model, part / SHEET)
        facts = _facts(name, clip_name, job, offset, scores, learnt, notices)
        write_facts(facts, part)
        on_measured(drawings, facts)
        del read, held_out, drawings
        shutil.rmtree(data)
    return Speaker(folder, offset, scores, as_used, facts)


@torch.inference_mode()
def _codes(state: dict[str, Tensor], widths: Widths, clip: SpeakerClip, progress: Progress) -> Floats:
    """(N, C): what the embedded default's audio tower makes of the clip's sound at every frame."""
    tower = _net(state, widths).audio_encoder
    hearing = Hearing(clip.mels[:1], 0)
    frames = clip.mels.shape[2] * FPS // 80
    codes = []
    for first in range(0, frames, FPS):
        progress.tick(Stage.LISTENING, first, frames)
        codes.append(tower(hearing.at(range(first, min(first + FPS, frames)))).flatten(1))
    heard: Floats = torch.cat(codes).numpy()
    return heard


def _net(state: dict[str, Tensor], widths: Widths) -> WarpNet:
    return build(partial(WarpNet, widths), state, Placement(torch.device("cpu"), torch.float32))


def _facts(
    name: str,
    clip_name: str,
    job: str,
    offset: Offset,
    scores: tuple[SpeakerScore, ...],
    learnt: Learnt,
    notices: tuple[Notice, ...],
) -> SpeakerFacts:
    _, default, right, silence, shifted = scores
    return SpeakerFacts(
        name=name,
        clip=clip_name,
        made_s=time.time(),
        job=job,
        offset_ms=offset.milliseconds,
        r=round(right.r, 4),
        default_r=round(default.r, 4),
        psnr_db=round(right.psnr_db, 3),
        default_psnr_db=round(default.psnr_db, 3),
        silence_psnr_db=round(silence.psnr_db, 3),
        shifted_psnr_db=round(shifted.psnr_db, 3),
        samples=learnt.samples,
        notices=(*notices, *_notices(right, shifted)),
    )


def _notices(right: SpeakerScore, shifted: SpeakerScore) -> tuple[Notice, ...]:
    """Whether the model follows the sound."""
    if right.r >= _FOLLOWS_R and right.psnr_db >= shifted.psnr_db + _FOLLOWS_DB:
        return ()
    text = Text(
        f"这个模型几乎不跟随声音（相关系数 {right.r:.2f}）。",
        f"This model hardly follows the sound (r {right.r:.2f}).",
    )
    hint = Text("请用更长、更清晰的视频重新训练。", "Train again on a longer and clearer clip.")
    return (Notice("weak_lips", text, hint),)


def _told(clip_name: str, read: SpeakerClip, learnt: Learnt, seconds: float) -> dict[str, str]:
    """What the report says of clip and training."""
    return {
        "clip": f"{clip_name}, {len(read.frames) / FPS:.1f} s with a face, {len(read.learnt) / FPS:.1f} s learnt from",
        "training": f"best after {learnt.samples:,} samples of {learnt.shown:,}, {seconds:.0f} s in all",
    }


def _description(name: str, told: dict[str, str]) -> str:
    return f"The embedded default, taught speaker {name}. Clip: {told['clip']}. Training: {told['training']}."


def _metadata(name: str, told: dict[str, str], offset: Offset) -> dict[str, str]:
    return {
        "speaker": name,
        "clip": told["clip"],
        "clip_sound_late": str(offset.frames),
        "clip_sound_late_unit": "frames at 25 fps, corrected in training",
        "author": "The user of HeyGem",
        "licence": "",
    }
