"""A queue's folder, requests, and a store."""

import pytest

from heygem.jobs.job import JobRequest
from heygem.jobs.store import JobStore


@pytest.fixture
def request_of(tmp_path):
    """Makes requests whose files hold their own name."""

    def make(name="a"):
        video, audio = tmp_path / f"{name}.mp4", tmp_path / f"{name}.wav"
        video.write_text(f"video {name}")
        audio.write_text(f"audio {name}")
        return JobRequest(video, audio)

    return make


@pytest.fixture
def outputs(tmp_path):
    return tmp_path / "outputs"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "queue.sqlite3"


@pytest.fixture
def open_store(path):
    """Opens the store as a process of some name; its own name is alive, since the tests run."""
    stores = []

    def open_(owner=None, **more):
        stores.append(JobStore(path, owner=owner, **more))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store):
    return open_store()
