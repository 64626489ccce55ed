"""Clip and recording are judged side by side: what is told does not depend on which of them takes longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from heygem.device import Placement
from heygem.errors import HeyGemError, JobCancelled, MediaError
from heygem.jobs.produce import Producer
from heygem.media.intake import ClipIntake, take_speech
from heygem.media.limits import Limits
from heygem.media.wav_file import write_wav
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Progress, Silent, Stage
from heygem.settings import Settings

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"
PATIENCE_S = 20


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., object]:
    """Make a video of a clip and a recording."""
    settings = Settings(models_dir=tmp_path / "models", cache_dir=tmp_path / "cache")
    producer = Producer(ModelManager(10**9), settings, Placement(torch.device("cpu"), torch.float32))

    def make(sound: Path, clip: Path = PRESENTER, progress: Progress | None = None) -> object:
        return producer.produce(clip, sound, tmp_path / "out.mp4", RenderOptions(), progress or Silent())

    return make


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    write_wav(path, np.random.default_rng(0).standard_normal(6_400, np.float32) * 0.12, 16_000)
    return path


@pytest.fixture
def bad_sound(tmp_path: Path) -> Path:
    path = tmp_path / "bad.wav"
    path.write_bytes(b"no sound")
    return path


def judges() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("judge")]


def test_neither_waits_for_the_other(make: Callable[..., object], sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    take_clip = ClipIntake.take

    def met(take: Callable[..., Any]) -> Callable[..., Any]:
        def taken(*args: Any) -> Any:
            both.wait(PATIENCE_S)
            return take(*args)

        return taken

    monkeypatch.setattr("heygem.jobs.produce.take_speech", met(take_speech))
    monkeypatch.setattr(ClipIntake, "take", met(take_clip))
    make(sound)
    assert not both.broken


@pytest.mark.parametrize("first", ["clip", "speech"])
def test_of_two_bad_files_the_recording_is_told(
    make: Callable[..., object], bad_sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    clip_was_judged, speech_was_judged = threading.Event(), threading.Event()
    take_clip = ClipIntake.take

    def speech(*args: Any) -> object:
        if first == "clip":
            assert clip_was_judged.wait(PATIENCE_S)
        speech_was_judged.set()
        return take_speech(*args)

    def clip(*args: Any) -> object:
        if first == "speech":
            assert speech_was_judged.wait(PATIENCE_S)
        try:
            return take_clip(*args)
        finally:
            clip_was_judged.set()

    monkeypatch.setattr("heygem.jobs.produce.take_speech", speech)
    monkeypatch.setattr(ClipIntake, "take", clip)
    with pytest.raises(MediaError, match=r"bad\.wav"):
        make(bad_sound, clip=tmp_path / "absent.mp4")
    assert not judges()


def test_a_bad_recording_ends_the_judging_of_a_clip_that_goes_on_for_ever(
    make: Callable[..., object], bad_sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()
    waiting = threading.Event()

    def endless(intake: ClipIntake, path: Path, on_step: Callable[[int], None]) -> None:
        try:
            for decoded in range(PATIENCE_S * 100):
                on_step(decoded)
                begun.set()
                waiting.wait(0.01)
        except JobCancelled:
            ended.set()
            raise

    def speech(*args: Any) -> object:
        assert begun.wait(PATIENCE_S)
        return take_speech(*args)

    monkeypatch.setattr("heygem.jobs.produce.take_speech", speech)
    monkeypatch.setattr(ClipIntake, "take", endless)
    with pytest.raises(MediaError, match=r"bad\.wav"):
        make(bad_sound)
    assert ended.is_set() and not judges()


@pytest.mark.parametrize("at", [0, 3])
def test_cancelling_ends_both(make: Callable[..., object], sound: Path, at: int) -> None:
    """At 0 the recording may be told first, from 1 on it is the clip."""

    class Cancelling(Silent):
        def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
            assert stage is Stage.LOADING
            if done >= at:
                raise JobCancelled

    with pytest.raises(JobCancelled):
        make(sound, progress=Cancelling())
    assert not judges()


def test_progress_is_told_by_one_thread_at_a_time_and_never_goes_back(
    make: Callable[..., object], sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    both, busy, take_clip = threading.Barrier(2), threading.Lock(), ClipIntake.take

    def speech(path: Path, limits: Limits, on_step: Callable[[], None]) -> object:
        for _ in range(3):
            both.wait(PATIENCE_S)
            on_step()
        return take_speech(path, limits)

    def clip(intake: ClipIntake, path: Path, on_step: Callable[[int], None]) -> object:
        for decoded in (1, 2, 3):
            both.wait(PATIENCE_S)
            on_step(decoded)
        return take_clip(intake, path)

    class Watching(Silent):
        def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
            if stage is Stage.LOADING:
                assert busy.acquire(blocking=False)
                time.sleep(0.02)  # long enough for the other to meet it
                told.append(done)
                busy.release()

    monkeypatch.setattr("heygem.jobs.produce.take_speech", speech)
    monkeypatch.setattr(ClipIntake, "take", clip)
    make(sound, progress=Watching())
    assert told == sorted(told) and told[-1] == 3 and len(told) == 7


def test_a_clip_that_is_refused_is_told_when_the_recording_is_good(
    make: Callable[..., object], sound: Path, tmp_path: Path
) -> None:
    with pytest.raises(HeyGemError, match=r"absent\.mp4"):
        make(sound, clip=tmp_path / "absent.mp4")
    assert not judges()
