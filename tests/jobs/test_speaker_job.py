"""A speaker from the queue, in little: the whole way from an upload to a model, its film and its figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from paper_clip import openings, write_clip
from PIL import ImageFont
from tiny_speaker import tiny_jobs

from heygem.device import Placement
from heygem.errors import EncodeError, OptionError, Text
from heygem.jobs import speaker_job
from heygem.jobs.choose_engines import choose_engines
from heygem.jobs.job import Job, JobKind, JobStatus
from heygem.jobs.result_manifest import manifest_of
from heygem.jobs.run_job import make_runner
from heygem.jobs.speaker_film import _FONT_FILE, CAPTIONS, HEADER
from heygem.jobs.speaker_request import speaker_request
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.verify_result import is_labelled, verify_result
from heygem.media.audio_file import AudioFile
from heygem.media.probe import probe_video
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Progress, Silent, Stage
from heygem.settings import Settings
from heygem.weights.speakers import LIPS, speaker_names

FRAMES, LATE = 175, 3
CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module", autouse=True)
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with tiny_jobs(tmp_path_factory.mktemp("default") / LIPS):
        yield


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven seconds; the sound comes three frames after the lips."""
    mouths = openings(FRAMES + LATE)
    return write_clip(tmp_path_factory.mktemp("clip") / "anna.mp4", mouths[LATE:], mouths[:-LATE])


class Place:
    """A queue with the real runner."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            outputs_dir=folder / "outputs", models_dir=folder / "models", cache_dir=folder / "cache", device="cpu"
        )
        self.models = ModelManager(10**9)
        run = make_runner(self.settings)
        self.before: Callable[[Job, Progress], Progress] = lambda job, progress: progress
        self.queue = TaskQueue(
            lambda job, progress: run(job, self.before(job, progress)), outputs_dir=self.settings.outputs_dir
        )

    def request(self, clip: Path, name: str):
        return speaker_request(
            clip, name, clip_name="安娜.mp4", models_dir=self.settings.models_dir, jobs=self.queue.jobs()
        )

    def run(self, clip: Path, name: str) -> Job:
        job = self.queue.submit(self.request(clip, name))
        self.queue.run_next()
        return self.queue.get(job.id)

    def files(self, job: Job) -> set[str]:
        return {path.name for path in (self.settings.outputs_dir / job.id).iterdir()}

    @property
    def speakers(self) -> list[str]:
        return [path.name for path in (self.settings.models_dir / "speakers").iterdir()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("place"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heygem.model_manager.get_model_manager", lambda settings: made.models)
        yield made
    made.queue.close()


def _weights(model: object) -> dict[str, torch.Tensor]:
    [net] = [value for value in vars(model).values() if isinstance(value, torch.nn.Module)]
    return net.state_dict()


@pytest.fixture(scope="module")
def done(place: Place, clip: Path) -> Job:
    lips = choose_engines(RenderOptions(), place.settings, CPU).lips
    with place.models.lease(lips.spec) as lease:
        before = {name: value.clone() for name, value in _weights(lease.model).items()}
    job = place.run(clip, " anna ")
    with place.models.lease(lips.spec) as lease:  # what was resident still is, and is the same
        after = _weights(lease.model)
        assert all(torch.equal(before[name], value) for name, value in after.items())
    [loads] = [model.loads for model in place.models.statistics().models if model.key.kind == "lips"]
    assert loads == 1
    return job


def test_a_job_leaves_a_speaker_that_can_be_chosen(place: Place, done: Job) -> None:
    assert done.status is JobStatus.DONE, done.error
    assert speaker_names(place.settings.models_dir) == ["anna"] == place.speakers
    assert choose_engines(RenderOptions(lips="anna"), place.settings, CPU).lips.spec.key.name == "anna"
    assert (done.request.kind, done.request.title, done.request.video_name) == (JobKind.SPEAKER, "anna", "安娜.mp4")
    assert place.files(done) == {"result.mp4", "result.json", "poster.jpg"}


def test_its_film_shows_the_end_of_the_clip_with_its_sound_and_bears_every_mark(done: Job) -> None:
    assert done.result is not None
    info = probe_video(done.result.output)
    assert (info.width, info.height, float(info.fps)) == (832, 432, 25.0)
    sound = AudioFile(done.result.output)
    assert abs(float(sound.duration) - 0.2 * FRAMES / 25) < 0.05
    assert sound.level.rms > 0.01, "silent"
    checks = verify_result(done.result.output)
    assert is_labelled(checks) and "label_visible" in {check.code for check in checks}


def test_its_figures_are_told_in_both_languages(done: Job) -> None:
    assert done.result is not None
    facts = json.loads(manifest_of(done.result.output).read_text(encoding="utf-8"))
    assert facts["speaker"]["offset_ms"] == 120 and facts["clip"] == "安娜.mp4"
    for words in done.result.summary:
        assert "+120" in words and f"{facts['speaker']['psnr_db']:.2f}" in words and "anna" in words
    assert {notice.code for notice in done.result.notices} >= {"weak_lips"}


def test_an_attempt_that_was_killed_after_it_was_done_is_not_done_again(
    place: Place, done: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(*of: object, **more: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(speaker_job, "make_speaker", again)
    folder = place.settings.outputs_dir / done.id
    made = speaker_job.SpeakerJob(done, folder, models=place.models, settings=place.settings, placement=CPU)
    assert made.run(Silent()) == done.result


def test_what_an_attempt_that_fails_at_its_end_wrote_goes(
    place: Place, done: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*of: object, **more: object) -> None:
        for name in ("result.mp4", "result.json", "poster.jpg"):
            (tmp_path / name).touch()
        raise EncodeError(Text("磁盘已满。", "The disk is full."))

    monkeypatch.setattr(speaker_job, "make_speaker", fails)
    job = replace(done, id="1" * 12)
    made = speaker_job.SpeakerJob(job, tmp_path, models=place.models, settings=place.settings, placement=CPU)
    with pytest.raises(EncodeError):
        made.run(Silent())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", [Stage.DRAWING, Stage.FINISHING])
def test_a_cancelled_job_leaves_nothing_but_its_input(
    place: Place, done: Job, clip: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cancels:
        """Cancels in a stage; in the last one, while the film is written."""

        def __init__(self, job: Job, progress: Progress) -> None:
            self.job, self.progress = job, progress

        def tick(self, at: Stage, done: int, total: int | None = None) -> None:
            if at is stage and done > 3:
                place.queue.cancel(self.job.id)
            self.progress.tick(at, done, total)

    monkeypatch.setattr(place, "before", Cancels)
    job = place.run(clip, "berta")
    assert job.status is JobStatus.CANCELLED
    assert place.files(job) == {"clip"} and place.speakers == ["anna"]


def test_a_clip_that_is_refused_is_called_what_its_user_calls_it(place: Place, done: Job, tmp_path: Path) -> None:
    job = place.run(write_clip(tmp_path / "short.mp4", openings(50), openings(50)), "cora")
    assert job.error is not None and job.error.code == "clip_too_short"
    assert "'安娜.mp4'" in job.error.text.en
    big = write_clip(tmp_path / "mute.mp4", openings(20), None)
    job = place.run(big, "cora")
    assert job.error is not None and job.error.code == "no_audio_stream"
    assert place.speakers == ["anna"]


def test_a_name_is_refused_before_it_is_queued(place: Place, done: Job, clip: Path) -> None:
    waiting = place.queue.submit(place.request(clip, "dora"))
    for name, code in (("anna", "name_taken"), ("dora", "name_taken"), ("demo", "name_taken"), ("a/b", "bad_name")):
        with pytest.raises(OptionError) as caught:
            place.request(clip, name)
        assert caught.value.code == code
    place.queue.cancel(waiting.id)
    assert place.request(clip, "dora").speaker == "dora"


def test_the_font_holds_every_character_of_the_captions() -> None:
    font = ImageFont.truetype(str(_FONT_FILE), 20)
    for char in {char for words in (HEADER, *CAPTIONS) for line in words for char in line} - {" "}:
        assert font.getmask(char).getbbox() is not None, char  # what it lacks has no outline
    assert font.getmask("鱼").getbbox() is None
