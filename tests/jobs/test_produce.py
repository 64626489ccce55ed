"""Models, pipeline and manifest together, on our own rendered presenter and the embedded default."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from formula_weights import write_retinaface, write_wav2lip
from heygem.device import Placement
from heygem.errors import (
    EncodeError,
    MediaError,
    NoFaceError,
    ShareDrawn,
    Text,
    UnknownEngineError,
    WeightsMissingError,
    WeightsRefusedError,
)
from heygem.jobs.choose_engines import choose_engines
from heygem.jobs.produce import Produced, Producer
from heygem.jobs.verify_result import verify_result
from heygem.media.aigc import parse_aigc, read_aigc
from heygem.media.video_source import VideoSource
from heygem.media.wav_file import write_wav
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent, Stage
from heygem.pipeline.shares import Share
from heygem.settings import Settings

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"
CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """0.61 s of noise: 16 frames at 25 fps."""
    path = tmp_path / "说话 speech.wav"
    write_wav(path, np.random.default_rng(0).standard_normal(9_760) * 0.12, 16_000)
    return path


class Workshop:
    """A producer with its own models and folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(models_dir=folder / "models", cache_dir=folder / "cache")
        self.settings.models_dir.mkdir()
        self.models = ModelManager(10**9)
        self.producer = Producer(self.models, self.settings, CPU)

    def produce(self, sound: Path, name: str = "out.mp4", clip: Path = PRESENTER, **options: object) -> Produced:
        chosen = RenderOptions(**options)  # type: ignore[arg-type]
        return self.producer.produce(clip, sound, self.folder / name, chosen, Silent(), clip_name="主播.mp4")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_the_embedded_default_speaks_and_says_what_it_is(workshop: Workshop, sound: Path) -> None:
    made = workshop.produce(sound)
    drawn, source = list(VideoSource(made.output).frames()), list(VideoSource(PRESENTER).frames())
    assert len(drawn) == made.report.frames == 16
    facts = json.loads(made.manifest.read_text(encoding="utf-8"))
    assert facts["clip"] == "主播.mp4" and facts["speech"] == "说话 speech.wav"
    assert facts["engines"]["lips"]["name"] == "demo" and len(facts["engines"]["lips"]["sha256"]) == 64
    assert facts["engines"]["detector"]["name"] == "haar"
    assert facts["options"]["mask"] == "lower-face" and facts["placement"] == "cpu/fp32"
    assert "embedded" in made.summary.en and "内置" in made.summary.zh and "Haar" in made.summary.en
    assert [notice.code for notice in made.notices] == ["lips_engine", "detector_engine"]
    box = made.report.track.boxes[8]
    left, top, right, bottom = (int(value) for value in box)
    moved = (drawn[8].y.float() - source[8].y.float()).abs()
    assert float(moved[(top + bottom) // 2 : bottom, left:right].mean()) > 4 * float(moved[:top, :left].mean())


def test_those_who_share_a_clip_look_and_listen_once(
    workshop: Workshop, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, groundwork = workshop.produce(sound, "alone.mp4"), workshop.folder / "groundwork"

    def share(number: int, of: int) -> Produced:
        producer = Producer(workshop.models, workshop.settings, CPU)  # of another process
        output, what = workshop.folder / "shared.mp4", Share(number, of)
        return producer.produce(PRESENTER, sound, output, RenderOptions(), Silent(), share=what, groundwork=groundwork)

    groundwork.mkdir()
    with pytest.raises(ShareDrawn):
        share(0, 0)
    assert len(list(groundwork.iterdir())) == 2
    monkeypatch.setattr("heygem.lipsync.demo.mel_spectrogram", lambda speech: pytest.fail("listened again"))
    monkeypatch.setattr("heygem.faces.haar.HaarDetector.detect", lambda self, frames: pytest.fail("looked again"))
    ours, theirs = (list(VideoSource(one.output).frames()) for one in (share(0, 1), alone))
    assert len(ours) == 16 and all(torch.equal(one.data, other.data) for one, other in zip(ours, theirs, strict=True))


def test_every_result_bears_its_marks_and_the_manifest_names_them(workshop: Workshop, sound: Path) -> None:
    made = workshop.produce(sound, label_position="bottom-left")
    checks = verify_result(made.output)
    assert [check.code for check in checks[:3]] == ["aigc_found", "label_visible", "hash_same"]
    assert "bottom-left" in checks[1].text.en
    facts = json.loads(made.manifest.read_text(encoding="utf-8"))
    assert facts["label"]["visible"] is True
    assert facts["label"]["aigc"] == parse_aigc(read_aigc(made.output) or "")
    content_id = facts["label"]["aigc"]["ProduceID"]
    assert len(content_id) == 32 and content_id in checks[0].text.en
    assert facts["file"]["name"] == "out.mp4" and facts["file"]["bytes"] == made.output.stat().st_size


def test_a_label_that_is_switched_off_is_logged_with_every_job_and_told(
    workshop: Workshop, sound: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workshop.producer = Producer(workshop.models, replace(workshop.settings, visible_label=False), CPU)
    output = workshop.folder / "out.mp4"
    made = workshop.producer.produce(PRESENTER, sound, output, RenderOptions(), Silent(), content_id="job-7")
    assert [check.code for check in verify_result(made.output)][:2] == ["aigc_found", "label_switched_off"]
    assert "label_off" in [notice.code for notice in made.notices]
    assert "The visible AI label is switched off by the operator." in caplog.text
    label = json.loads(made.manifest.read_text(encoding="utf-8"))["label"]
    assert label["visible"] is False and label["aigc"]["ProduceID"] == "job-7"


@pytest.mark.parametrize("step", ["heygem.jobs.marking.Marking.sign", "heygem.jobs.produce.write_manifest"])
def test_a_result_without_its_signature_or_manifest_is_none(
    workshop: Workshop, sound: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise EncodeError(Text("不行", "no"))

    monkeypatch.setattr(step, fail)
    with pytest.raises(EncodeError):
        workshop.produce(sound)
    assert not (workshop.folder / "out.mp4").exists()


def test_a_second_job_loads_nothing_and_hears_nothing_anew(
    workshop: Workshop, sound: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="heygem"):
        workshop.produce(sound)
        first = workshop.models.statistics()
        caplog.clear()
        workshop.produce(sound, "second.mp4")
    second = workshop.models.statistics()
    assert [model.loads for model in second.models] == [model.loads for model in first.models] == [1, 1]
    assert [model.hits for model in second.models] == [1, 1]
    lines = [record.getMessage() for record in caplog.records]
    assert sum("检测到已加载模型，跳过加载步骤" in line for line in lines) == 2
    assert not any("正在加载模型" in line for line in lines)
    assert len(workshop.producer._heard) == 1


def test_own_weights_are_taken_when_named_and_marked_as_such(workshop: Workshop, sound: Path, tmp_path: Path) -> None:
    own = tmp_path / "my wav2lip.pth"
    write_wav2lip(own)
    made = workshop.produce(sound, lips=str(own))
    lips = json.loads(made.manifest.read_text(encoding="utf-8"))["engines"]["lips"]
    assert lips["name"] == "wav2lip" and lips["official"] is False
    assert "not official" in made.summary.en
    by_setting = replace(workshop.settings, wav2lip_file=own)
    assert choose_engines(RenderOptions(), by_setting, CPU).lips.official is False


def test_a_file_of_another_network_is_refused_and_the_next_job_runs(workshop: Workshop, sound: Path) -> None:
    wrong = workshop.folder / "wrong.pth"
    write_retinaface(wrong, "mobile0.25")
    with pytest.raises(WeightsRefusedError):
        workshop.produce(sound, lips=str(wrong))
    write_wav2lip(wrong)
    assert workshop.produce(sound, lips=str(wrong)).report.frames == 16


def test_an_official_name_with_other_content_is_refused(workshop: Workshop) -> None:
    write_wav2lip(workshop.settings.models_dir / "wav2lip_gan.pth")
    with pytest.raises(WeightsRefusedError):
        choose_engines(RenderOptions(), workshop.settings, CPU)


@pytest.mark.parametrize("options", [{"lips": "wav2lip"}, {"enhancer": "gfpgan"}, {"detector": "accurate"}])
def test_weights_asked_for_by_name_and_absent_are_missed(workshop: Workshop, options: dict[str, str]) -> None:
    with pytest.raises(WeightsMissingError):
        choose_engines(RenderOptions(**options), workshop.settings, CPU)  # type: ignore[arg-type]


def test_unknown_engine_is_told(workshop: Workshop) -> None:
    with pytest.raises(UnknownEngineError, match="musetalk"):
        choose_engines(RenderOptions(lips="musetalk"), workshop.settings, CPU)


def test_no_enhancer_without_weights_or_strength(workshop: Workshop) -> None:
    assert choose_engines(RenderOptions(), workshop.settings, CPU).enhancer is None
    assert (
        choose_engines(RenderOptions(enhancer="gfpgan", enhancer_strength=0), workshop.settings, CPU).enhancer is None
    )


def test_a_clip_that_is_looked_at_for_long_does_not_stand_still(workshop: Workshop, sound: Path) -> None:
    told: list[int] = []

    class Watching(Silent):
        def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
            if stage is Stage.LOADING:
                told.append(done)

    workshop.producer.produce(PRESENTER, sound, workshop.folder / "out.mp4", RenderOptions(), Watching())
    assert told[0] == 0 and told[-1] == len(list(VideoSource(PRESENTER).frames()))


def test_failures_leave_nothing_beside_the_cache(workshop: Workshop, sound: Path) -> None:
    with pytest.raises(MediaError):
        workshop.produce(sound, clip=workshop.folder / "absent.mp4")
    with pytest.raises(NoFaceError):
        workshop.produce(sound, face="7")
    assert {path.name for path in workshop.folder.iterdir()} == {"models", "cache", sound.name}


def test_what_is_noticed_of_the_inputs_comes_with_the_result(workshop: Workshop, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.wav"
    write_wav(quiet, np.zeros(4_000), 8_000)
    made = workshop.produce(quiet)
    codes = [notice.code for notice in made.notices]
    assert codes[:2] == ["silent", "low_rate"]
    facts = json.loads(made.manifest.read_text(encoding="utf-8"))
    assert [notice["code"] for notice in facts["notices"]] == codes


def test_a_bad_file_is_refused_before_any_model_is_lent(workshop: Workshop, sound: Path) -> None:
    bad = workshop.folder / "bad.mp4"
    bad.write_bytes(PRESENTER.read_bytes()[:5000])
    with pytest.raises(MediaError):
        workshop.produce(sound, clip=bad)
    with pytest.raises(MediaError):
        workshop.produce(bad)
    assert workshop.models.statistics().models == ()
