"""Jobs whose networks OpenVINO computes: the same flow, told as such."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from formula_weights import write_retinaface, write_wav2lip
from heygem.device import Placement
from heygem.errors import WeightsRefusedError
from heygem.jobs.produce import Produced, Producer
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.settings import Settings

pytest.importorskip("openvino", reason="OPENVINO IS NOT INSTALLED: pip install -r requirements-cpu.txt")

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """0.2 s of noise: 5 frames at 25 fps."""
    path = tmp_path / "speech.wav"
    write_wav(path, np.random.default_rng(0).standard_normal(3_200) * 4000 / 32_767, 16_000)
    return path


def test_a_job_gives_what_it_gives_by_torch_and_its_manifest_says_what_computed(
    tmp_path: Path, sound: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = tmp_path / "own.pth"
    write_retinaface(own, "mobile0.25")
    settings = Settings(models_dir=tmp_path, cache_dir=tmp_path / "cache")

    def produce(name: str, converted_dir: Path | None, models: ModelManager) -> Produced:
        placement = Placement(torch.device("cpu"), torch.float32, converted_dir)
        producer = Producer(models, settings, placement)
        return producer.produce(PRESENTER, sound, tmp_path / name, RenderOptions(lips=str(own)), Silent())

    networks, by_openvino = tmp_path / "networks", ModelManager(10**9)
    with pytest.raises(WeightsRefusedError):
        produce("refused.mp4", networks, by_openvino)
    write_wav2lip(own)
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="heygem"):
        made = produce("openvino.mp4", networks, by_openvino)
        produce("again.mp4", networks, by_openvino)
        produce("other process.mp4", networks, ModelManager(10**9))
    lines = [record.getMessage() for record in caplog.records]
    assert sum("转换完成" in line for line in lines) == 1
    assert sum("正在加载模型 lips" in line for line in lines) == 2
    facts = json.loads(made.manifest.read_text(encoding="utf-8"))
    assert facts["placement"] == facts["engines"]["lips"]["placement"] == "cpu+openvino/fp32"
    assert facts["engines"]["detector"]["placement"] == "cpu"
    by_torch = produce("torch.mp4", None, ModelManager(10**9))
    pairs = list(zip(VideoSource(made.output).frames(), VideoSource(by_torch.output).frames(), strict=True))
    assert len(pairs) == 5
    assert max(int((one.y.int() - other.y.int()).abs().max()) for one, other in pairs) <= 2


def test_the_embedded_lips_are_converted_once_for_all_processes(
    tmp_path: Path, sound: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(models_dir=tmp_path, cache_dir=tmp_path / "cache")
    placement = Placement(torch.device("cpu"), torch.float32, tmp_path / "networks")
    with caplog.at_level(logging.INFO, logger="heygem"):
        for name in ("one.mp4", "other.mp4"):
            producer = Producer(ModelManager(10**9), settings, placement)
            made = producer.produce(PRESENTER, sound, tmp_path / name, RenderOptions(lips="demo"), Silent())
            facts = json.loads(made.manifest.read_text(encoding="utf-8"))
            assert facts["engines"]["lips"]["placement"] == "cpu+openvino/fp32"
    assert sum("转换完成" in record.getMessage() for record in caplog.records) == 1
