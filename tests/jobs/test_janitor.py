"""What the janitor deletes, and above all what it leaves. Real store, real files; only the clock is ours."""

import errno
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from heygem.errors import Text
from heygem.jobs import job_folder
from heygem.jobs.janitor import Janitor
from heygem.jobs.job import Job, JobRequest, JobResult, JobStatus
from heygem.jobs.store import STORE_NAME, JobStore
from heygem.settings import Settings

HOUR_S, DAY_S = 3600, 86400


class House:
    """An outputs folder with jobs in it, and a clock that can be set forward."""

    def __init__(self, folder):
        self.settings = Settings(outputs_dir=folder / "outputs", cache_dir=folder / "outputs" / ".cache")
        self.outputs, self.uploads = self.settings.outputs_dir, self.settings.cache_dir / "uploads"
        self.uploads.mkdir(parents=True)
        self.store = JobStore(self.outputs / STORE_NAME)
        self.later_s = 0.0

    def janitor(self, **settings):
        return Janitor(self.store, replace(self.settings, **settings), clock=lambda: time.time() + self.later_s)

    def sweep(self, *, dry_run=False, **settings):
        """Names of what was deleted, below the outputs."""
        removed = self.janitor(**settings).sweep(dry_run=dry_run)
        return {str(removal.path.relative_to(self.outputs)) for removal in removed}

    def job(self, number, status, size=1000):
        """A job with a folder, in that state; they are to be made in the order of their numbers."""
        job_id = f"{number:012x}"
        folder = self.outputs / job_id
        self.file(folder / "clip", 10)
        request = JobRequest(folder / "clip", folder / "clip")
        self.store.add([Job(job_id, request, JobStatus.QUEUED, queued_s=time.time())], capacity=100)
        if status is not JobStatus.QUEUED:
            claim = self.store.claims.take()
            assert claim.job.id == job_id
            if status is JobStatus.DONE:
                self.file(folder / "result.mp4", size - 10)
            if status is not JobStatus.RUNNING:
                result = JobResult(folder / "result.mp4", None, Text("", "")) if status is JobStatus.DONE else None
                self.store.claims.finish(claim, status, result=result)
        return job_id

    def file(self, path, size=1):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        return path

    def ids(self):
        return set(self.store.states())


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.store.close()


def one_job_of_each_state(house):
    return {status: house.job(number, status) for number, status in enumerate(reversed(JobStatus), start=1)}


def test_by_default_results_stay_for_ever(house):
    jobs = one_job_of_each_state(house)
    house.later_s = 1000 * DAY_S
    assert house.sweep() == set()
    assert house.ids() == set(jobs.values())


def test_old_results_go_but_never_a_job_that_waits_or_runs(house):
    jobs = one_job_of_each_state(house)
    live = {jobs[JobStatus.QUEUED], jobs[JobStatus.RUNNING]}
    house.file(house.outputs / jobs[JobStatus.RUNNING] / ".result.mp4.part")
    house.later_s = 7 * DAY_S - 60
    assert house.sweep(keep_days=7) == set()
    house.later_s = 7 * DAY_S + 60
    assert house.sweep(keep_days=7) == set(jobs.values()) - live
    assert house.ids() == live
    assert {path.name for path in house.outputs.iterdir() if len(path.name) == 12} == live
    assert (house.outputs / jobs[JobStatus.RUNNING] / ".result.mp4.part").exists()


def test_results_are_held_under_a_size_the_oldest_going_first(house):
    jobs = [house.job(number, JobStatus.DONE, size=1_000_000) for number in range(1, 6)]
    waiting = house.job(6, JobStatus.QUEUED)
    house.file(house.outputs / waiting / "clip", 9_000_000)
    assert house.sweep(keep_gb=0.0031, dry_run=True) == set(jobs[:2])
    assert house.sweep(keep_gb=0.0031) == set(jobs[:2])
    assert house.sweep(keep_gb=0.0031) == set()
    assert house.ids() == {*jobs[2:], waiting}


def test_a_folder_that_vanishes_meanwhile_does_not_end_the_sweep(house, monkeypatch):
    running, done = house.job(1, JobStatus.RUNNING), house.job(2, JobStatus.DONE)
    house.file(house.outputs / running / ".result.mp4.segments" / "000001.mp4")
    house.file(house.uploads / ".result.mp4.segments" / "clip.mp4")
    scandir = os.scandir

    def gone(path):
        if str(path).endswith(".segments"):
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", gone)
    house.later_s = 2 * DAY_S
    assert house.sweep(keep_days=1) == {done}


def test_a_dry_run_tells_the_same_and_deletes_nothing(house):
    jobs = [house.job(number, JobStatus.DONE, size=1_000_000) for number in range(1, 4)]
    house.file(house.outputs / f"{jobs[2]}/.result.mp4.part")
    house.file(house.uploads / "ab" / "clip.mp4")
    house.later_s = 2 * DAY_S
    before = {path for path in house.outputs.rglob("*") if STORE_NAME not in path.name}
    told = house.sweep(dry_run=True, keep_gb=0.0015)
    assert before == {path for path in house.outputs.rglob("*") if STORE_NAME not in path.name}
    assert (
        told == house.sweep(keep_gb=0.0015) == {*jobs[:2], f"{jobs[2]}/.result.mp4.part", ".cache/uploads/ab/clip.mp4"}
    )


def test_a_job_that_was_retried_meanwhile_is_left(house):
    job_id = house.job(1, JobStatus.FAILED)
    house.later_s = 2 * DAY_S
    janitor = house.janitor(keep_days=1)
    listed = house.store.history

    def retried_right_after(*args, **kwargs):
        page = listed(*args, **kwargs)
        house.store.retry(job_id, capacity=10, check=lambda request: None)
        return page

    house.store.history = retried_right_after
    assert janitor.sweep() == []
    assert house.ids() == {job_id} and (house.outputs / job_id / "clip").exists()


def test_what_crashes_left_goes_after_an_hour(house):
    done, running = house.job(1, JobStatus.DONE), house.job(2, JobStatus.RUNNING)
    gone = [
        house.file(house.outputs / done / ".result.mp4.part"),
        house.file(house.outputs / done / "poster.part.jpg"),
        house.file(house.outputs / ".speech.mp4.part"),
        house.file(house.outputs / "0000000000aa" / "clip").parent,
    ]
    kept = [
        house.outputs / done / "result.mp4",
        house.file(house.outputs / running / ".result.mp4.part"),
        house.file(house.outputs / "my videos" / "clip.mp4.part"),
        house.file(house.outputs / "my.part" / "clip.mp4"),
        house.file(house.outputs / "speech.mp4"),
        house.file(house.outputs / "0000000000ac" / "result.mp4"),
        house.outputs / STORE_NAME,
        house.file(house.settings.cache_dir / "tracks" / "a.npz"),
    ]
    house.later_s = HOUR_S - 60
    assert house.sweep() == set()
    house.later_s = HOUR_S + 60
    assert house.sweep() == {str(path.relative_to(house.outputs)) for path in gone}
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)


def test_a_folder_in_which_something_is_new_is_left(house):
    folder = house.outputs / "0000000000aa"
    house.file(folder / "clip")
    house.later_s = HOUR_S + 60
    janitor = house.janitor()
    age_s = janitor._age_s
    janitor._age_s = lambda path: 10.0 if path.name == "clip" else age_s(path)
    assert janitor.sweep() == []
    assert (folder / "clip").exists()


def test_segments_stay_while_their_job_may_go_on(house):
    ended = [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED]
    states = [*ended, JobStatus.INTERRUPTED, JobStatus.RUNNING, JobStatus.QUEUED]
    folders = {}
    for number, state in enumerate(states, start=1):
        folders[state] = house.outputs / house.job(number, state) / ".result.mp4.segments"
        house.file(folders[state] / "journal.jsonl")
    house.later_s = HOUR_S + 60
    assert house.sweep() == {str(folders[state].relative_to(house.outputs)) for state in ended}


def test_uploads_go_after_a_day_and_aborted_ones_after_an_hour(house):
    whole, aborted = house.file(house.uploads / "ab12" / "clip.mp4"), house.file(house.uploads / "tmpx1y2")
    house.later_s = HOUR_S + 60
    assert house.sweep() == {".cache/uploads/tmpx1y2"}
    assert whole.exists() and not aborted.exists()
    house.later_s = DAY_S + 60
    assert house.sweep() == {".cache/uploads/ab12/clip.mp4"}
    assert list(house.uploads.iterdir()) == []


def test_what_cannot_be_deleted_stops_nothing(house, monkeypatch):
    house.file(house.outputs / ".a.mp4.part")
    house.file(house.outputs / ".b.mp4.part")
    house.later_s = HOUR_S + 60
    unlink = Path.unlink

    def refuse(path, missing_ok=False):
        if path.name == ".a.mp4.part":
            raise PermissionError("no")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert house.sweep() == {".b.mp4.part"}


def test_it_sweeps_at_the_start_and_ends_when_told(house):
    left = house.file(house.outputs / ".a.mp4.part")
    house.later_s = HOUR_S + 60
    janitor = house.janitor()
    janitor.start()
    deadline = time.monotonic() + 20
    while left.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    janitor.close()
    assert not left.exists() and not janitor._thread.is_alive()


def test_a_job_whose_files_cannot_be_deleted_is_kept_with_them(house, monkeypatch, caplog):
    job_id = house.job(1, JobStatus.DONE)
    house.later_s = 2 * DAY_S

    def refuse(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(job_folder.shutil, "rmtree", refuse)
        assert house.sweep(keep_days=1) == set()
    assert house.ids() == {job_id} and "Permission denied" in caplog.text
    assert house.sweep(keep_days=1) == {job_id} and house.ids() == set()
