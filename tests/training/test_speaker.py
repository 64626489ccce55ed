"""From a clip to a lip model of its speaker, in little: a paper face that hums, seconds of training."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from paper_clip import PaperDetector, openings, paper_face, write_clip
from tiny_speaker import TINY, narrow_default

from heygem.batch_memory import BatchMemory
from heygem.device import Placement
from heygem.errors import HeyGemError, JobCancelled
from heygem.faces.detect import FaceDetector
from heygem.lipsync.demo import load_demo
from heygem.pipeline.progress import Progress, Silent, Stage
from heygem.training.hardware import Hardware
from heygem.training.parallel import InThisProcess
from heygem.training.speaker import REPORT, SHEET, Speaker, train_speaker
from heygem.training.speaker_batches import Hearing, Poses, speaker_batches
from heygem.training.speaker_clip import SpeakerClip
from heygem.training.speaker_facts import FACTS, read_facts
from heygem.training.speeches import Speech, heard_in
from heygem.weights.load import read_metadata
from heygem.weights.speakers import LIPS, speaker_names

CPU = torch.device("cpu")
FRAMES, LATE = 175, 3


@dataclass
class Watched:
    """Notes the stages, and stops the job in one of them."""

    stop_in: Stage | None = None
    seen: list[Stage] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        self.seen.append(stage)
        if stage is Stage.FINISHING:
            self.finished.append(done)
        if stage is self.stop_in and done > 0:
            raise JobCancelled


def train(
    clip: Path, models: Path, name: str = "anna", detector: FaceDetector | None = None, progress: Progress | None = None
) -> Speaker:
    return train_speaker(
        clip,
        name,
        models_dir=models,
        detector=detector or PaperDetector(),
        detector_batch=BatchMemory(16),
        hardware=Hardware(CPU, 1, short=False),
        progress=progress or Silent(),
        recipe=TINY,
    )


@pytest.fixture(scope="module", autouse=True)
def default(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with narrow_default(tmp_path_factory.mktemp("default") / LIPS):
        yield


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven seconds; the sound comes three frames after the lips."""
    mouths = openings(FRAMES + LATE)
    return write_clip(tmp_path_factory.mktemp("clip") / "anna.mp4", mouths[LATE:], mouths[:-LATE])


@pytest.fixture(scope="module")
def watched() -> Watched:
    return Watched()


@pytest.fixture(scope="module")
def trained(clip: Path, watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Speaker:
    return train(clip, tmp_path_factory.mktemp("models"), progress=watched)


def test_the_result_is_a_lip_engine_that_says_whose_it_is(trained: Speaker) -> None:
    assert sorted(path.name for path in trained.folder.iterdir()) == [LIPS, REPORT, SHEET, FACTS]
    load_demo(trained.folder / LIPS, Placement(CPU, torch.float32))
    facts = read_metadata(trained.folder / LIPS)
    assert facts["speaker"] == "anna"
    assert facts["clip_sound_late"] == str(LATE)
    assert "anna.mp4, 7.0 s with a face" in facts["clip"] and "of 240" in facts["training"]
    models = trained.folder.parents[1]
    assert speaker_names(models) == ["anna"]
    assert [path.name for path in (models / "speakers").iterdir()] == ["anna"]


def test_the_offset_of_the_sound_is_found_and_told(trained: Speaker) -> None:
    assert trained.offset.frames == LATE
    assert "sound after lips: 3 frames (120 ms), corrected" in (trained.folder / REPORT).read_text(encoding="utf-8")


def test_a_little_training_is_better_than_none_and_is_measured_on_the_end_of_the_clip(trained: Speaker) -> None:
    scores = {score.name: score for score in trained.scores}
    assert scores["this model, right sound"].psnr_db > scores["embedded default, right sound"].psnr_db + 0.1
    text = (trained.folder / REPORT).read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == 2 + 5
    assert cv2.imread(str(trained.folder / SHEET)).shape == (4 * 96, 960, 3)


def test_the_facts_that_lists_are_drawn_from_are_those_of_the_report(trained: Speaker) -> None:
    facts = read_facts(trained.folder)
    assert facts is not None and facts == trained.facts
    scores = {score.name: score for score in trained.scores}
    assert (facts.name, facts.clip, facts.job, facts.offset_ms) == ("anna", "anna.mp4", "", 120)
    assert facts.psnr_db == pytest.approx(scores["this model, right sound"].psnr_db, abs=0.001)
    assert facts.default_psnr_db == pytest.approx(scores["embedded default, right sound"].psnr_db, abs=0.001)
    assert facts.shifted_psnr_db == pytest.approx(scores["this model, sound 25 frames off"].psnr_db, abs=0.001)
    assert "+120" in facts.summary.en and f"r {facts.r:.2f}" in facts.summary.zh
    (trained.folder / FACTS).write_text("{}", encoding="utf-8")
    assert read_facts(trained.folder) is None


def test_whoever_watches_sees_every_stage(trained: Speaker, watched: Watched) -> None:
    in_order = list(dict.fromkeys(watched.seen))
    assert in_order == [Stage.TRACKING, Stage.LISTENING, Stage.DRAWING, Stage.FINISHING]
    assert watched.finished == list(range(11)), "it takes minutes for a long clip, and must not seem to stand still"


@pytest.mark.parametrize("stage", [Stage.TRACKING, Stage.LISTENING, Stage.DRAWING])
def test_a_cancelled_training_leaves_nothing(clip: Path, tmp_path: Path, stage: Stage) -> None:
    with pytest.raises(JobCancelled):
        train(clip, tmp_path, progress=Watched(stage))
    assert list((tmp_path / "speakers").iterdir()) == []


def test_room_for_the_pictures_is_taken_before_they_are_mapped(clip: Path, tmp_path: Path) -> None:
    class Looks(Watched):
        def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
            for file in tmp_path.rglob("crops.npy"):
                taken, size = file.stat().st_blocks * 512, file.stat().st_size
                assert taken >= size > FRAMES * 96 * 96 * 3, "the disk may be full by the time it is needed"
                raise JobCancelled

    with pytest.raises(JobCancelled):
        train(clip, tmp_path, progress=Looks())


def test_sound_of_other_moments_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = write_clip(tmp_path / "dubbed.mp4", openings(FRAMES), openings(FRAMES, seed=99))
    with pytest.raises(HeyGemError, match="does not match its lips") as caught:
        train(wrong, tmp_path / "models")
    assert caught.value.code == "no_sync"
    assert list((tmp_path / "models" / "speakers").iterdir()) == []


def test_what_cannot_be_learnt_from_is_refused_with_a_code(clip: Path, tmp_path: Path) -> None:
    short = write_clip(tmp_path / "short.mp4", openings(120), openings(120))
    mute = write_clip(tmp_path / "mute.mp4", openings(30), None)
    for file, detector, code in (
        (short, None, "clip_too_short"),
        (mute, None, "no_audio_stream"),
        (clip, PaperDetector(seen=100), "few_faces"),
        (clip, PaperDetector(seen=0), "no_face"),
    ):
        with pytest.raises(HeyGemError) as caught:
            train(file, tmp_path, detector=detector)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "code"),
    [("anna", "name_taken"), ("demo", "name_taken"), ("auto", "name_taken"), ("../anna", "bad_name"), ("", "bad_name")],
)
def test_a_name_is_looked_at_before_the_clip(trained: Speaker, name: str, code: str) -> None:
    with pytest.raises(HeyGemError) as caught:
        train(Path("absent.mp4"), trained.folder.parents[1], name)
    assert caught.value.code == code


def test_who_cancels_does_not_wait_until_the_sound_was_heard_everywhere() -> None:
    def cancels() -> None:
        raise JobCancelled

    heard: list[int] = []
    speech = Speech(np.zeros(4000, np.float32), np.zeros((0, 8), np.float32))
    heard_in(speech, 3, np.random.default_rng(0), clean_first=True, on_step=lambda: heard.append(1))
    assert len(heard) == 3
    with pytest.raises(JobCancelled):
        heard_in(speech, 3, np.random.default_rng(0), clean_first=True, on_step=cancels)


def test_progress_stays_in_its_process() -> None:
    told: list[object] = []
    progress = InThisProcess(lambda value: told.append(value))
    pickle.loads(pickle.dumps(progress))(1)
    progress(2)
    assert told == [2]


@pytest.fixture
def moments() -> SpeakerClip:
    """150 pictures whose corner tells the frame and whose eyes tell one of five poses; the sound tells the step."""
    crops = np.stack([paper_face(0.5, lean=number % 5 * 4) for number in range(150)])
    crops[:, 95, 0, 0] = np.arange(150)
    steps = np.tile(np.linspace(-4, 4, 480, dtype=np.float16), (2, 80, 1))
    return SpeakerClip(crops, np.arange(150, dtype=np.int32), steps)


def test_what_is_measured_with_is_apart_from_what_is_learnt_from(moments: SpeakerClip) -> None:
    assert moments.learnt == range(0, 108)
    assert moments.held_out == range(120, 150)


def test_a_reference_shows_another_moment_mostly_in_the_same_pose(
    moments: SpeakerClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem.training.speaker_batches.augmented", lambda batch, rng: batch)
    batch = next(speaker_batches(moments, 0, 300, np.random.default_rng(0)))
    own, other = ((picture[:, 0, 95, 0] * 255).round().int() for picture in (batch.truth, batch.reference))
    assert own.max() < 108 and other.max() < 108
    # Among two candidates both can be near.
    assert ((own - other).abs() >= 8).float().mean() > 0.97
    assert ((own - other) % 5 == 0).float().mean() > 0.55
    assert torch.equal(batch.upper, batch.truth)


def test_a_sample_hears_the_sound_that_belongs_to_its_mouth(
    moments: SpeakerClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem.training.speaker_batches.augmented", lambda batch, rng: batch)
    batch = next(speaker_batches(moments, 3, 20, np.random.default_rng(0)))
    own = (batch.truth[:, 0, 95, 0] * 255).round()
    # A window starts two frames early; a frame is 3.2 steps.
    wanted = torch.floor((own + 3 - 2) * 3.2).clamp(0) / 479 * 8 - 4
    inside = own >= 2
    assert torch.allclose(batch.mel[inside, 0, 0, 0], wanted[inside], atol=0.01)
    assert Hearing(moments.mels, 0).variants == 2


def test_without_anything_far_enough_the_farthest_is_taken(moments: SpeakerClip) -> None:
    assert Poses(moments.crops).most_alike(10, np.array([9, 15, 12])) == 15
