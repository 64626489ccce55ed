"""Real measurements, tiny ones: what is counted, what it is put down to, and its way through JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import stages
from benchmarks.likeness import face_psnr_db
from benchmarks.plan import Cost, Figures, JobPlan, Plan
from benchmarks.worker import carried_out
from heygem.batch_memory import BatchMemory
from heygem.colour_space import ColourSpace
from heygem.device import FP32_ON_CPU
from heygem.faces.haar import HaarDetector
from heygem.frame import Frame
from heygem.lipsync import lip_engine
from heygem.lipsync.base import Drawn
from heygem.media.wav_file import write_wav
from heygem.pipeline.drawing import Engines
from heygem.pipeline.options import RenderOptions
from heygem.weights.manifest import CHECKPOINTS

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """0.4 s of noise: 10 frames at 25 fps."""
    path = tmp_path / "speech.wav"
    write_wav(path, np.random.default_rng(0).standard_normal(6_400) * 0.12, 16_000)
    return path


def test_jobs_of_one_process_are_told_apart(tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "parsing_parsenet.pth").write_bytes(b"never read")
    monkeypatch.setenv("HEYGEM_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("HEYGEM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HEYGEM_DEVICE", "cpu")
    monkeypatch.setitem(CHECKPOINTS, "parsenet", CHECKPOINTS["parsenet"])  # put back when the test ends
    options = {"lips": "demo", "enhancer": "none", "detector": "haar"}
    jobs = [
        JobPlan(str(PRESENTER), str(sound), str(tmp_path / f"{number}.mp4"), options, only_first_frame=not number)
        for number in range(2)
    ]
    plan = Plan({}, "0" * 64, jobs)
    assert Plan.of(json.loads(json.dumps(asdict(plan)))) == plan

    figures = carried_out(plan, asked_s=0.0)
    assert Figures.of(json.loads(json.dumps(asdict(figures)))).jobs == figures.jobs
    first, second = figures.jobs
    assert (first.frames, second.frames) == (0, 10)
    assert first.engines == "" and "embedded lip model" in second.engines
    assert (first.loads, first.hits) == (2, 0) and (second.loads, second.hits) == (0, 2)
    assert second.was_tracked_before
    assert first.load_s > 0 and second.load_s == 0
    assert 0 < first.until_models_s < first.first_frame_s <= first.cost.wall_s
    assert not (tmp_path / "0.mp4").exists() and (tmp_path / "1.mp4").exists()
    left, top, right, bottom = second.box
    assert 0 <= left < right <= 640 and 0 <= top < bottom <= 360
    assert figures.peak_rss_mb > 100 and figures.yardstick == [] and figures.stages == {}


class Clock:
    """A time that passes only where the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("benchmarks.meter.now", self.read)
        monkeypatch.setattr(stages, "now", self.read)

    def read(self) -> Cost:
        return Cost(self.now, self.now)


def test_a_network_s_time_is_its_own_and_the_rest_is_cut_and_paste(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = lip_engine("demo")
    assert engine.bundled is not None
    lips, detector = engine.load(engine.bundled, FP32_ON_CPU), HaarDetector()
    clock = Clock(monkeypatch)
    draw, cut = lips.draw, stages.speak

    def slow_draw(faces: torch.Tensor, heard: torch.Tensor) -> Drawn:
        clock.now += 10
        return draw(faces, heard)

    def slow_speak(*args: object, **kwargs: object) -> object:
        clock.now += 6
        return cut(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(lips, "draw", slow_draw)
    monkeypatch.setattr(stages, "speak", slow_speak)
    monkeypatch.setattr(stages, "FRAMES", 8)
    engines = Engines(detector, BatchMemory(8), lips, BatchMemory(4))
    costs = stages.stage_costs(PRESENTER, sound, tmp_path, engines, RenderOptions())
    assert list(costs) == ["decode", "detect", "mel", "lips", "cut and paste", "encode"]
    assert costs["lips"] == (30 / 8, 30 / 8)  # batches of one, four and three
    assert costs["cut and paste"] == (6 / 8, 6 / 8)
    assert costs["decode"] == costs["encode"] == (0, 0)


def test_likeness_looks_at_the_face_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Frame(torch.full((96,), 100, dtype=torch.uint8), 8, 8, ColourSpace())
    inside = Frame(frame.data.clone(), 8, 8, ColourSpace())
    inside.y[2:4, 2:6] = 110
    videos = {"reference": [frame], "changed": [inside], "longer": [frame, frame]}

    class Source:
        def __init__(self, path: Path) -> None:
            self.fps = Fraction(25)
            self._frames = videos[str(path)]

        def frames(self) -> list[Frame]:
            return self._frames

    monkeypatch.setattr("benchmarks.likeness.VideoSource", Source)
    reference, changed = Path("reference"), Path("changed")
    assert face_psnr_db(changed, reference, (4, 4, 8, 8)) == math.inf
    # 8 of the 8 luma samples in the box are off by 10, none of its 4 chroma samples.
    assert face_psnr_db(changed, reference, (2, 2, 6, 4)) == pytest.approx(10 * math.log10(255**2 * 12 / 800))
    with pytest.raises(ValueError, match=r"shorter|longer"):
        face_psnr_db(Path("longer"), reference, (0, 0, 8, 8))
