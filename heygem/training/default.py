"""THE TRAINING OF THE EMBEDDED DEFAULT FROM NOTHING TO A FILE. Read this first.

Every step leaves its result in the folder, so that a training that was stopped goes on where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from heygem.device import Placement
from heygem.errors import OptionError, Text
from heygem.lipsync.demo import ENGINE, load_demo
from heygem.training.audio_pretraining import AudioPretraining, hearing, pretrain_audio, tower_state
from heygem.training.batches import windows
from heygem.training.dataset import Dataset, everybody
from heygem.training.evaluation import HeldOut, Score, draw, evaluate, yardsticks
from heygem.training.expert import train_expert
from heygem.training.export import export
from heygem.training.hardware import Hardware
from heygem.training.recipe import Recipe
from heygem.training.report import contact_sheet, markdown_table, plot_losses
from heygem.training.trainer import CHECKPOINT, HISTORY, GeneratorJob, train_generator

log = logging.getLogger(__name__)

LIPS, REPORT, SHEET, PLOT = "lips.safetensors", "report.md", "contact_sheet.jpg", "losses.png"

_HEARING, _EXPERT = "hearing.pt", "expert.pt"
_PEOPLE_ON_SHEET, _TAKES_ON_SHEET = 5, 3
_PLACEMENT = Placement(torch.device("cpu"), torch.float32)
"""What is measured is computed the same way everywhere."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training came to.

    Attributes:
        lips: The model, as the lip engine reads it.
        scores: Of yardsticks, of this model, and of the one that came with the project.
    """

    lips: Path
    scores: list[Score]


def train_default(recipe: Recipe, out: Path, hardware: Hardware, *, resume: bool, progress: Progress) -> Outcome:
    """Render, teach to hear, train, measure.

    Args:
        recipe: How.
        out: Folder of everything; is made.
        hardware: What to run on.
        resume: Go on with the training in `out`.
        progress: Told a line every few seconds. Other processes get a copy: a function of a module is best.

    Raises:
        OptionError: `out` holds another training, or none to resume; the disk is too small.
        EspeakMissingError: espeak-ng is not installed.
        RuntimeError: a training process ended early.
    """
    _check_folder(out, resume)
    dataset = Dataset(out / "data", recipe.data)
    dataset.render(hardware.processes, progress)
    people = dataset.open_held_out(dataset.held_out_people)
    reader = _once(
        out / _HEARING,
        lambda: pretrain_audio(AudioPretraining(recipe, dataset.folder, dataset.seeds, hardware, progress)),
    )
    heard = hearing(reader, recipe.widths, everybody(people))
    progress(f"heard on held-out voices, r by channel: {heard}")
    expert = _once(
        out / _EXPERT,
        lambda: train_expert(
            dataset.open(),
            recipe.expert_pictures,
            hardware.device,
            recipe.seed,
            lambda pictures, loss: progress(f"reading mouths {pictures:,} pictures  loss {loss:.4f}"),
        ).state_dict(),
    )
    state = train_generator(
        GeneratorJob(
            recipe=recipe,
            hardware=hardware,
            data=dataset.folder,
            seeds=dataset.seeds,
            out=out,
            expert=expert,
            start={f"audio_encoder.{name}": value for name, value in tower_state(reader).items()},
            resume=(out / CHECKPOINT).exists(),
            progress=progress,
        )
    )
    export(state, recipe.widths, _description(recipe), out / LIPS)
    return Outcome(out / LIPS, write_report(out, dataset, heard))


def write_report(out: Path, dataset: Dataset, heard: dict[str, float]) -> list[Score]:
    """Measure the model in `out` and the one that comes with the project; write table, sheet and plot.

    Args:
        out: Folder of a training that has ended.
        dataset: Has the held-out people.
        heard: What the audio tower alone hears, for the report.

    Returns:
        Scores of the invented people.
    """
    people = dataset.open_held_out(dataset.held_out_people)
    takes = dataset.open_held_out(dataset.held_out_takes)
    scores = _measured(out / LIPS, people)
    hears = ", ".join(f"{channel} {r:.3f}" for channel, r in heard.items())
    text = (
        f"{len(people)} held-out people, voices and texts; reference: the same frame with another mouth.\n\n"
        f"{markdown_table(scores)}\nAudio tower alone, r by channel: {hears}.\n"
    )
    if takes:
        table = markdown_table(_measured(out / LIPS, takes))
        text += f"\n{len(takes)} held-out speeches of the bundled presenters, who were trained on.\n\n{table}"
    (out / REPORT).write_text(text, encoding="utf-8")
    model = load_demo(out / LIPS, _PLACEMENT)
    shown = [*people[:_PEOPLE_ON_SHEET], *takes[:_TAKES_ON_SHEET]]
    contact_sheet(shown, [draw(model, one, windows(one.talker, 0, one.frames)) for one in shown], out / SHEET)
    plot_losses(out / HISTORY, out / PLOT)
    return scores


def _measured(lips: Path, people: list[HeldOut]) -> list[Score]:
    scores = [*yardsticks(people), *evaluate(lips, people, _PLACEMENT, "this training")]
    if ENGINE.bundled is not None and ENGINE.bundled.exists():
        scores += evaluate(ENGINE.bundled, people, _PLACEMENT, "bundled model")
    return scores


def _check_folder(out: Path, resume: bool) -> None:
    begun = (out / _HEARING).exists() or (out / CHECKPOINT).exists()
    if begun and not resume:
        raise OptionError(
            Text(f"{out} 里已有一次训练。", f"{out} already holds a training."),
            hint=Text("请加 --resume 继续，或换一个文件夹。", "Go on with --resume, or name another folder."),
        )
    if resume and not out.exists():
        raise OptionError(Text(f"{out} 里没有可继续的训练。", f"{out} holds no training to resume."))
    out.mkdir(parents=True, exist_ok=True)


def _once(file: Path, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors in `file`, made first if it is not there."""
    if not file.exists():
        part = file.with_name(file.name + ".part")
        torch.save(make(), part)
        part.replace(file)
    tensors: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return tensors


def _description(recipe: Recipe) -> str:
    return (
        f"Trained from nothing on {recipe.samples:,} samples of rendered faces ({recipe.data.people:,} invented "
        "people) that speak synthetic speech by rule; no photograph, film or recording of a person was used. Losses: "
        "L1 and gradients weighted on the mouth, mouth opening, a light PatchGAN at the end. "
        "Rebuilt by: python -m heygem train default."
    )
