"""Requests whose clips say what the stand-in runner is to do."""

import pytest
from cut_store import CutStore

from heygem.jobs.job import JobRequest


@pytest.fixture
def request_for(tmp_path):
    count = 0

    def make(words="3"):
        nonlocal count
        count += 1
        video, audio = tmp_path / f"{count}.mp4", tmp_path / f"{count}.wav"
        video.write_text(words)
        audio.write_text(f"speech {count}")
        return JobRequest(video, audio)

    return make


@pytest.fixture
def cut_url(tmp_path):
    """A store below `tmp_path` that `CutStore` cuts off."""
    CutStore.reset()
    yield f"cut://{tmp_path}/store"
    CutStore.reset()
