"""``--lips NAME`` of a speaker, and how one is made from the outside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from formula_weights import write_wav2lip
from heygem.device import Placement
from heygem.errors import MediaError, UnknownEngineError
from heygem.jobs.choose_engines import choose_engines
from heygem.jobs.make_speaker import make_speaker
from heygem.lipsync.demo import ENGINE
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.settings import Settings
from heygem.weights.speakers import LIPS

CPU = Placement(torch.device("cpu"), torch.float32)
PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "speakers" / "anna"
    folder.mkdir(parents=True)
    assert ENGINE.bundled is not None
    shutil.copyfile(ENGINE.bundled, folder / LIPS)
    return Settings(models_dir=tmp_path)


def test_a_named_speaker_is_taken_and_told(settings: Settings) -> None:
    lips = choose_engines(RenderOptions(lips="anna"), settings, CPU).lips
    assert lips.spec.key.name == "anna"
    assert "speaker 'anna'" in lips.label.en and "anna" in lips.note.zh
    assert not lips.official
    lips.spec.load()


def test_nobody_is_taken_unasked(settings: Settings) -> None:
    assert choose_engines(RenderOptions(), settings, CPU).lips.spec.key.name == "demo"
    own = settings.models_dir / "my wav2lip.pth"
    write_wav2lip(own)
    assert choose_engines(RenderOptions(lips=str(own)), settings, CPU).lips.spec.key.name == "wav2lip"


def test_who_is_not_there_is_told_with_who_is(settings: Settings) -> None:
    with pytest.raises(UnknownEngineError, match="'ann'") as caught:
        choose_engines(RenderOptions(lips="ann"), settings, CPU)
    assert "demo, wav2lip, anna" in caught.value.hint.en


def test_a_clip_that_no_job_would_take_is_refused_before_a_model_is_loaded(settings: Settings) -> None:
    models = ModelManager(10**9)
    with pytest.raises(MediaError, match="holds no sound") as caught:
        make_speaker(PRESENTER, "li", models=models, settings=settings, placement=CPU, progress=Silent())
    assert caught.value.code == "no_audio_stream"
    assert not models.statistics().models
    assert [path.name for path in (settings.models_dir / "speakers").iterdir()] == ["anna"]
