"""The whole way from nothing to a lip model, in little: few people, a narrow net, seconds of training."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from heygem.allowance import processors
from heygem.demo.cast import CAST
from heygem.demo.voice import is_available
from heygem.device import FP32_ON_CPU, Placement
from heygem.errors import OptionError
from heygem.lipsync.demo import DemoModel, load_demo
from heygem.nets.blocks import Widths
from heygem.speech.mel import SILENCE
from heygem.training import dataset as dataset_module
from heygem.training.batches import windows
from heygem.training.dataset import Dataset
from heygem.training.default import LIPS, PLOT, REPORT, SHEET, Outcome, train_default
from heygem.training.evaluation import HeldOut, Score, draw
from heygem.training.hardware import Hardware
from heygem.training.meter import correlation, openings
from heygem.training.recipe import QUICK, DataRecipe, Recipe
from heygem.weights.load import read_metadata

pytestmark = pytest.mark.skipif(
    not is_available(), reason="espeak-ng is not installed; it is needed only to make training data"
)

TINY = Recipe(
    widths=Widths(
        face=(4, 6, 12, 16, 24, 32, 32), audio=(8, 12, 16, 24, 32), decoder=(32, 32, 32, 24, 16, 8, 4), head=4
    ),
    data=DataRecipe(people=3, takes=1, pairs=4, held_out_people=2, held_out_takes=1, held_out_frames=20, variants=2),
    pretraining_windows=8_000,
    expert_pictures=1_280,
    samples=160,
    batch=8,
)
HARDWARE = Hardware.choose(torch.device("cpu"), 2)


@dataclass(frozen=True)
class Told:
    """Keeps the lines of progress."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@dataclass(frozen=True)
class Trained:
    out: Path
    outcome: Outcome
    told: Told

    def score(self, name: str) -> Score:
        return next(score for score in self.outcome.scores if score.name == name)

    def heard(self) -> dict[str, float]:
        line = next(line for line in self.told.lines if line.startswith("heard on held-out voices"))
        return {name: float(r) for name, r in re.findall(r"'(\w+)': (-?[\d.]+)", line)}


def train(out: Path, recipe: Recipe) -> Trained:
    told = Told()
    return Trained(out, train_default(recipe, out, HARDWARE, resume=False, progress=told), told)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("training") / "out", TINY)


def test_the_lip_engine_takes_the_result(trained: Trained) -> None:
    assert trained.outcome.lips == trained.out / LIPS
    load_demo(trained.outcome.lips, Placement(torch.device("cpu"), torch.float32))
    assert "160 samples" in read_metadata(trained.outcome.lips)["training"]


def test_the_audio_tower_hears_voices_that_it_never_heard(trained: Trained) -> None:
    assert trained.heard()["jaw"] > 0.35


def test_the_meter_reads_the_truth_and_knows_right_sound_from_silence(trained: Trained) -> None:
    assert trained.score("the truth itself").opening_r > 0.8
    assert abs(trained.score("mouth left alone").opening_r) < 0.5
    right, silent = trained.score("bundled model, right sound"), trained.score("bundled model, silence")
    assert right.psnr_db > silent.psnr_db + 1
    assert right.opening_r > silent.opening_r + 0.3


def test_people_lie_there_as_training_and_measuring_need_them(trained: Trained) -> None:
    dataset = Dataset(trained.out / "data", TINY.data)
    assert len(dataset.open()) == (3 + len(CAST)) * 2 * 4
    people = dataset.open_held_out(dataset.held_out_people)
    assert [len(person.truth) for person in people] == [20, 20]
    for person in people:
        assert person.frames.tolist() == list(range(20))
        assert person.talker.mels.shape[:2] == (2, 80)
        apart = np.abs(person.wide.astype(int) - person.shut).mean((0, 3))
        assert apart[60:85, 35:60].mean() > 10 * apart[:30].mean()


def test_the_report_shows_table_pictures_and_curves(trained: Trained) -> None:
    report = (trained.out / REPORT).read_text(encoding="utf-8")
    assert len([line for line in report.splitlines() if line.startswith("| ")]) == 2 * (2 + 2 + 4 + 4)
    sheet = cv2.imread(str(trained.out / SHEET))
    assert sheet.shape == (5 * 3 * 96 + 4 * 6, 960, 3)
    assert cv2.imread(str(trained.out / PLOT)) is not None


def test_a_folder_with_a_training_is_not_overwritten_by_another(trained: Trained) -> None:
    with pytest.raises(OptionError, match="already holds a training"):
        train(trained.out, TINY)
    other = replace(TINY, data=replace(TINY.data, people=5))
    with pytest.raises(OptionError, match="another recipe"):
        train_default(other, trained.out, HARDWARE, resume=True, progress=Told())


def test_nobody_is_rendered_twice(trained: Trained) -> None:
    told = Told()
    Dataset(trained.out / "data", TINY.data).render(1, told)
    assert not told.lines


def test_a_disk_that_is_too_small_is_noticed_before_rendering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_module.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000_000))
    with pytest.raises(OptionError, match="disk is too small"):
        Dataset(tmp_path, TINY.data).render(1, Told())
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.json"]


def test_there_is_nothing_to_resume_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no training to resume"):
        train_default(TINY, tmp_path / "absent", HARDWARE, resume=True, progress=Told())


@pytest.mark.skipif("TRAIN_QUICK" not in os.environ, reason="takes minutes on every core; set TRAIN_QUICK=1 to run it")
def test_a_quick_training_listens(tmp_path: Path) -> None:
    # More processes would share the samples out, to so few steps for each that nothing is learned.
    hardware = Hardware.choose(torch.device("cpu"), min(4, processors()))
    outcome = train_default(QUICK, tmp_path / "out", hardware, resume=False, progress=Told())
    scores = {score.name: score for score in outcome.scores}
    assert scores["this training, right sound"].psnr_db > scores["this training, silence"].psnr_db
    dataset = Dataset(tmp_path / "out" / "data", QUICK.data)
    people = dataset.open_held_out(dataset.held_out_people)
    model = load_demo(outcome.lips, FP32_ON_CPU)
    right, late = (np.mean([heard_r(model, one, shift) for one in people]) for shift in (0, 25))
    assert right > 0.3
    assert right > late + 0.2


def heard_r(model: DemoModel, person: HeldOut, shift: int) -> float:
    """Correlation of what the sound changes in the mouth with the truth.

    Against silence, because a poor model keeps much of the reference's mouth, which has nothing to do with the truth.
    """
    speech = windows(person.talker, 0, np.roll(person.frames, -shift))
    spoken, silent = (
        openings(draw(model, person, heard), person.shut, person.wide)
        for heard in (speech, torch.full_like(speech, SILENCE))
    )
    return correlation(spoken - silent, person.opening)
