"""The product from files to file, held against the truth: lips follow a text and a voice that no training heard.

A presenter is rendered twice, as the clip has them and as they would look speaking the new text. The clip goes through
the whole product; what comes out is decoded and measured by a meter that nothing was trained with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import torch
from rendered_truth import SAMPLES_PER_FRAME, Scene, Script, stage, write_sound

from heygem.arrays import Waveform
from heygem.demo import voice
from heygem.demo.cast import CAST
from heygem.demo.voice import HELD_OUT_VARIANTS, Voice
from heygem.device import Placement
from heygem.jobs.produce import Producer
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.settings import Settings
from heygem.training.evaluation import Crops, Score, score
from heygem.training.meter import best_lag, correlation, openings

pytestmark = pytest.mark.skipif(
    not voice.is_available(), reason="espeak-ng is not installed: pip install espeakng-loader, or apt install espeak-ng"
)

ROLE = CAST[0]
"""Lin, the first example of the page: lips that rest, as those of two of the three do."""
SCRIPT = Script(
    "We hope that both of you will have a lovely time at the farm by the lake.", Voice("en-us", HELD_OUT_VARIANTS[1])
)
DELAY_FRAMES = 4


@dataclass
class Take:
    """A video that the product made, or the clip itself, seen by the meter."""

    scene: Scene
    name: str
    faces: Crops

    @cached_property
    def opening(self) -> np.ndarray:
        return openings(self.faces, self.scene.person.shut, self.scene.person.wide)

    @cached_property
    def score(self) -> Score:
        return score(self.name, [self.scene.person], [self.faces])

    @property
    def lag(self) -> int:
        """By how many frames the lips come late."""
        return best_lag(self.opening, self.scene.person.opening)


class Studio:
    """The product with nothing downloaded, and one scene."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings = Settings(models_dir=folder / "models", cache_dir=folder / "cache")
        placement = Placement(torch.device("cpu"), torch.float32)
        self._producer = Producer(ModelManager(10**9), settings, placement)
        self.scene = stage(ROLE, SCRIPT, folder)

    def untouched(self) -> Take:
        return Take(self.scene, "the clip", self.scene.faces_of(self.scene.clip))

    def take(self, name: str, sound: Waveform) -> Take:
        """Let the person of the scene speak `sound`."""
        audio, video = write_sound(self._folder / f"{name}.wav", sound), self._folder / f"{name}-out.mp4"
        made = self._producer.produce(self.scene.clip, audio, video, RenderOptions(), Silent())
        assert made.report.track.coverage == 1
        return Take(self.scene, name, self.scene.faces_of(video))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def spoken(studio: Studio) -> Take:
    return studio.take("speech", studio.scene.speech)


def test_the_meter_reads_the_truth_but_nothing_off_the_untouched_clip(studio: Studio) -> None:
    person = studio.scene.person
    assert correlation(openings(person.truth, person.shut, person.wide), person.opening) > 0.9
    assert abs(studio.untouched().score.opening_r) <= 0.3


def test_the_mouth_opens_as_the_truth_does_at_the_time_it_does(spoken: Take) -> None:
    assert spoken.score.opening_r >= 0.80
    assert abs(spoken.lag) <= 1


def test_speech_that_comes_later_is_spoken_later(studio: Studio, spoken: Take) -> None:
    speech = studio.scene.speech
    delayed = np.concatenate([np.zeros(DELAY_FRAMES * SAMPLES_PER_FRAME, np.float32), speech])[: len(speech)]
    assert studio.take("delayed", delayed).lag == spoken.lag + DELAY_FRAMES


def test_the_mouth_looks_more_like_the_truth_than_without_a_sound(studio: Studio, spoken: Take) -> None:
    silent = studio.take("silence", np.zeros_like(studio.scene.speech))
    assert spoken.score.psnr_db >= silent.score.psnr_db + 1
