"""Training on paper faces: a patch of colour with a dark mouth, whose sound is as loud as the mouth is open."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.errors import WeightsRefusedError
from heygem.nets.blocks import Widths
from heygem.nets.warp_net import WarpNet
from heygem.training import trainer
from heygem.training.checkpoint import Checkpoint
from heygem.training.expert import MouthExpert
from heygem.training.hardware import Hardware
from heygem.training.recipe import LossWeights, Recipe
from heygem.training.shards import Talker, person_folder
from heygem.training.trainer import CHECKPOINT, HISTORY, GeneratorJob, train_generator

CPU = torch.device("cpu")
SEEDS = (1, 2, 3, 4)
TINY = Recipe(
    widths=Widths(
        face=(4, 6, 12, 16, 24, 32, 32), audio=(8, 12, 16, 24, 32), decoder=(32, 32, 32, 24, 16, 8, 4), head=4
    ),
    loss=LossWeights(opening=0),
    samples=320,
    batch=8,
    warm_up_steps=5,
)


@dataclass(frozen=True)
class Told:
    """Keeps the lines of progress."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)


def paper_face(colour: np.ndarray, opening: float) -> np.ndarray:
    """(96, 96, 3) uint8."""
    rows, columns = np.mgrid[:96, :96]
    face = np.broadcast_to(colour, (96, 96, 3)).astype(np.uint8).copy()
    face[((rows - 70) / (1 + 16 * opening)) ** 2 + ((columns - 48) / 18) ** 2 < 1] = (40, 5, 5)
    return face


def paper_talker(seed: int, openings: np.ndarray, own: np.ndarray, other: np.ndarray) -> Talker:
    """A talker whose mouth is open as `openings` say, at 25 fps."""
    colour = np.random.default_rng(seed).integers(120, 240, 3)
    articulation = np.zeros((len(openings), 8), np.float32)
    articulation[:, 0] = openings
    steps = np.interp(np.arange(len(openings) * 16 // 5) / 3.2, np.arange(len(openings)), openings)
    mels = np.broadcast_to(8 * steps - 4, (2, 80, len(steps))).astype(np.float16)
    frames = np.stack([own, other], axis=1).reshape(-1).astype(np.int32)
    return Talker(np.stack([paper_face(colour, openings[frame]) for frame in frames]), frames, articulation, mels)


def speech(seed: int, frames: int) -> np.ndarray:
    """(frames,) openings that come and go slowly."""
    rng = np.random.default_rng(seed)
    return 0.5 + 0.5 * np.sin(np.cumsum(rng.uniform(0.1, 0.5, frames)) + rng.uniform(0, 6))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper")
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        own, other = rng.integers(0, 60, (2, 20))
        paper_talker(seed, speech(seed, 60), own, other).save(person_folder(folder, seed))
    return folder


def job(
    data: Path, out: Path, told: Told, *, recipe: Recipe = TINY, processes: int = 1, resume: bool = False
) -> GeneratorJob:
    out.mkdir(exist_ok=True)
    torch.manual_seed(0)
    return GeneratorJob(
        recipe=recipe,
        hardware=Hardware(CPU, processes, short=False),
        data=data,
        seeds=SEEDS,
        out=out,
        expert=MouthExpert().state_dict(),
        start={},
        resume=resume,
        progress=told,
    )


def history(out: Path) -> list[dict[str, float]]:
    with (out / HISTORY).open(newline="") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def test_a_training_learns_in_two_processes_and_writes_down_how(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "_REPORT_EVERY_S", 0.0)
    told = Told()
    state = train_generator(job(data, tmp_path, told, processes=2))
    rows = history(tmp_path)
    assert [row["samples"] for row in rows] == [16.0 * (step + 1) for step in range(20)]
    assert np.mean([row["gradient"] for row in rows[-4:]]) < np.mean([row["gradient"] for row in rows[:4]]) / 2
    watched = [row["discriminator"] > 0 for row in rows]
    assert watched == [False] * 15 + [True] * 5
    assert len(told.lines) == len(rows)
    assert "320 of 320 samples" in told.lines[-1]
    saved = Checkpoint.load(tmp_path / CHECKPOINT)
    assert saved.samples == 320
    assert all(torch.equal(saved.net[name], value) for name, value in state.items())
    assert {int(state["step"]) for state in saved.discriminator_optimizer["state"].values()} == {5}


def test_a_training_goes_on_where_it_stopped(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "_REPORT_EVERY_S", float("inf"))  # however slow the machine: a line for each end
    train_generator(job(data, tmp_path, Told(), recipe=replace(TINY, samples=80)))
    train_generator(job(data, tmp_path, Told(), recipe=replace(TINY, samples=160), resume=True))
    assert [row["samples"] for row in history(tmp_path)] == [80, 160]
    resumed = Checkpoint.load(tmp_path / CHECKPOINT)
    assert resumed.samples == 160
    assert {int(state["step"]) for state in resumed.optimizer["state"].values()} == {20}


def test_it_begins_with_the_tensors_that_it_is_given(data: Path, tmp_path: Path) -> None:
    tower = {
        name: torch.full_like(value, 0.123)
        for name, value in WarpNet(TINY.widths).state_dict().items()
        if name.startswith("audio_encoder.") and name.endswith("conv_block.0.bias")
    }
    state = train_generator(replace(job(data, tmp_path, Told(), recipe=replace(TINY, samples=1, rate=0)), start=tower))
    assert len(tower) > 5
    assert all(torch.equal(state[name], value) for name, value in tower.items())


def test_what_is_no_checkpoint_is_refused(data: Path, tmp_path: Path) -> None:
    torch.save({"net": {}}, tmp_path / CHECKPOINT)
    with pytest.raises(WeightsRefusedError, match="no checkpoint"):
        train_generator(job(data, tmp_path, Told(), resume=True))
