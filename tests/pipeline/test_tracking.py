"""How far the clip is read ahead of its search."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
import torch
from waiting import wait_until

from heygem.batch_memory import BatchMemory
from heygem.faces.face import Face
from heygem.faces.track_cache import DetectionCache
from heygem.frame import Frame
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.media.video_source import VideoSource
from heygem.pipeline import tracking
from heygem.pipeline.progress import Silent
from heygem.pipeline.tracking import Searcher, find_in_first

FRAMES, BATCH = 60, 8


class CountedSource(VideoSource):
    """Counts the frames that were taken from it."""

    taken = 0

    def frames(self) -> Generator[Frame, None, None]:
        for frame in super().frames():
            self.taken += 1
            yield frame


class SlowDetector:
    """Takes no batch before the reader has stopped at `ahead` frames behind it, and sees nobody."""

    identity, batch, at_once = "slow", BATCH, 1

    def __init__(self, source: CountedSource, ahead: int) -> None:
        self.searched = 0
        self._source, self._ahead = source, ahead

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        self.searched += len(frames)
        # One more is in the reader's hand.
        wait_until(lambda: self._source.taken >= min(FRAMES, self.searched + self._ahead + 1), 20)
        assert self._source.taken <= self.searched + self._ahead + 1
        return [[] for _ in frames]


class Crowd:
    """Notes how many batches are in hand at the same time."""

    identity, batch, at_once = "crowd", BATCH, 3

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._guard = threading.Lock()
        self._three = threading.Event()

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        with self._guard:
            self._now += 1
            self.most = max(self.most, self._now)
            if self.most == self.at_once:
                self._three.set()
        self._three.wait(0.3)
        with self._guard:
            self._now -= 1
        return [[] for _ in frames]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames of 128 x 96, half of them grey and half white: a cut."""
    path = tmp_path_factory.mktemp("tracking") / "clip.mp4"
    grey, white = (f"color={name}:size=128x96:rate=25:duration=1.2" for name in ("gray", "white"))
    command = [ffmpeg_binary(), "-v", "error", "-f", "lavfi", "-i", grey, "-f", "lavfi", "-i", white]
    subprocess.run([*command, "-filter_complex", "concat=n=2", str(path)], check=True)
    return path


@pytest.mark.parametrize(("bytes_ahead", "ahead"), [(1 << 20, BATCH), (3 * 128 * 96 * 3 // 2, 3), (1, 1)])
def test_the_next_batch_is_read_during_a_search_if_there_is_room_for_it(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_ahead: int, ahead: int
) -> None:
    monkeypatch.setattr(tracking, "_AHEAD_BYTES", bytes_ahead)
    source = CountedSource(clip)
    searcher = Searcher(SlowDetector(source, ahead), BatchMemory(BATCH), torch.device("cpu"))
    found, _ = find_in_first(FRAMES, source, searcher, DetectionCache(tmp_path, 10**6), Silent())
    assert len(found) == FRAMES
    assert found.scenes() == [(0, 30), (30, 60)]


@pytest.mark.parametrize(("held", "most"), [(3 * BATCH + BATCH // 3, 3), (3 * BATCH + BATCH // 3 - 1, 1)])
def test_as_many_batches_are_searched_at_once_as_the_detector_likes_if_there_is_room(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int, most: int
) -> None:
    monkeypatch.setattr(tracking, "_HELD_BYTES", held * 128 * 96 * 3 // 2)
    detector = Crowd()
    searcher = Searcher(detector, BatchMemory(BATCH), torch.device("cpu"))
    found, _ = find_in_first(FRAMES, VideoSource(clip), searcher, DetectionCache(tmp_path, 10**6), Silent())
    assert (len(found), detector.most) == (FRAMES, most)
    assert found.scenes() == [(0, 30), (30, 60)]
