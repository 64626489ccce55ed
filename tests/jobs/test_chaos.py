"""The queue in processes that are killed. TEST_CHAOS=full runs the sizes that are promised, for some minutes."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from queue_server import CHUNK, CHUNKS
from waiting import wait_until

from heygem.jobs.job import JobRequest, JobStatus
from heygem.jobs.job_history import HistoryQuery
from heygem.jobs.store import STORE_NAME
from heygem.jobs.task_queue import TaskQueue

FULL = os.environ.get("TEST_CHAOS") == "full"
JOBS, KILLS = (300, 48) if FULL else (28, 12)
PROCESSES, JOBS_EACH = (8, 500) if FULL else (4, 15)
STEP_S = 0.006
HERE = Path(__file__).parent
ENV = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}


def serve(folder, *, step_s=STEP_S, grace_s=20.0, max_attempts=1000):
    command = [sys.executable, HERE / "queue_server.py", folder, step_s, grace_s, max_attempts]
    return subprocess.Popen([str(part) for part in command], env=ENV, stdout=subprocess.PIPE)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "outputs"


@pytest.fixture
def submit(folder, tmp_path):
    """Submits jobs in a process that is not a server, and returns their ids."""

    def submit(*names):
        queue = TaskQueue(lambda job, progress: pytest.fail("ran"), outputs_dir=folder, capacity=100_000)
        clip, speech = tmp_path / "clip", tmp_path / "speech"
        clip.write_text("clip")
        speech.write_text("speech")
        requests = [JobRequest(clip, speech, video_name=name, audio_name=name) for name in names]
        ids = [job.id for job in queue.submit_batch(requests)]
        queue.close()
        return ids

    return submit


@pytest.fixture
def ask(folder):
    """The queue of the folder, asked by a process that is not its server."""
    queue = TaskQueue(lambda job, progress: pytest.fail("ran"), outputs_dir=folder, capacity=100_000)
    yield queue
    queue.close()


class Observer:
    """Looks at every visible result all the time."""

    def __init__(self, folder):
        self.looks, self.partial = 0, []
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self):
        while not self._stop.is_set():
            for path in self._folder.glob("*/result.bin"):
                self.looks += 1
                if path.read_bytes() != CHUNK * CHUNKS:
                    self.partial.append(path)
            time.sleep(0.005)

    def close(self):
        self._stop.set()
        self._thread.join()


def test_killed_at_random_moments_the_queue_loses_nothing_and_keeps_its_order(folder, submit, ask):
    chance = random.Random(4)
    ids = submit(*(f"job {number}" for number in range(JOBS)))
    observer = Observer(folder)
    kills = 0
    while kills < KILLS:
        with serve(folder) as server:
            if kills % 4:  # the others are killed while they start
                server.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.25))
            server.send_signal(signal.SIGKILL)
        assert server.returncode == -signal.SIGKILL
        kills += 1
        ids += submit(f"after kill {kills}")
    server = serve(folder)
    wait_until(lambda: all(job.status.is_final for job in ask.history(limit=len(ids)).jobs), 300)
    server.terminate()
    assert server.wait(30) == 0
    observer.close()
    with closing(sqlite3.connect(folder / STORE_NAME)) as db:
        states = dict(db.execute("SELECT id, state FROM job"))
        in_order = [row[0] for row in db.execute("SELECT id FROM job ORDER BY ended_s")]
        attempts, most = db.execute("SELECT sum(attempt), max(attempt) FROM job").fetchone()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    sys.stderr.write(f"{kills} kills, {len(ids)} jobs, {attempts} attempts (most {most}), {observer.looks} looks\n")
    assert states == dict.fromkeys(ids, "done")
    assert in_order == ids
    assert attempts > len(ids), "no kill hit a running job"
    assert observer.looks and not observer.partial
    # Whatever was begun and cut short has been replaced, and no inputs are left.
    assert {path.name for path in folder.glob("*/*")} == {"result.bin"}


def test_each_job_is_claimed_once_whoever_submits_and_claims(folder):
    total = PROCESSES * JOBS_EACH
    command = [sys.executable, HERE / "queue_churn.py", folder, JOBS_EACH, total]
    began = time.monotonic()
    processes = [
        subprocess.Popen([str(part) for part in command], env=ENV, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    claimed = [process.communicate()[0].split() for process in processes]
    seconds = time.monotonic() - began
    sys.stderr.write(f"{total} jobs in {seconds:.1f} s, claimed by process: {[len(ids) for ids in claimed]}\n")
    assert [process.returncode for process in processes] == [0] * PROCESSES
    ids = [job_id for some in claimed for job_id in some]
    assert len(ids) == len(set(ids)) == total
    with closing(sqlite3.connect(folder / STORE_NAME)) as db:
        assert db.execute("SELECT min(attempt), max(attempt), count(*) FROM job").fetchone() == (1, 1, total)


def test_a_job_that_kills_the_server_is_interrupted_and_the_others_finish(folder, submit, ask):
    before, poison, after = submit("before", "poison", "after")
    for _ in range(2):
        server = serve(folder, max_attempts=2)
        assert server.wait(30) == -signal.SIGKILL
    server = serve(folder, max_attempts=2)
    wait_until(lambda: all(job.status.is_final for job in ask.jobs()))
    server.terminate()
    server.wait(30)
    assert [ask.get(job_id).status for job_id in (before, after)] == [JobStatus.DONE] * 2
    job = ask.get(poison)
    assert (job.status, job.attempt, job.error.code) == (JobStatus.INTERRUPTED, 2, "interrupted")
    assert job.request.video.read_text() == "clip", "it could not be retried"


@pytest.mark.parametrize(
    ("step_s", "grace_s", "ends"), [(0.3, 20.0, "done"), (60.0, 0.3, "queued"), (0.3, 0.1, "queued")]
)
def test_sigterm_lets_the_running_job_end_or_puts_it_back(folder, submit, ask, step_s, grace_s, ends):
    # In the second case the job does not tick in time and is put back without its leave.
    running, waiting = submit("running", "waiting")
    server = serve(folder, step_s=step_s, grace_s=grace_s)
    wait_until(lambda: ask.get(running).status is JobStatus.RUNNING and ask.get(running).progress)
    began = time.monotonic()
    server.terminate()
    assert server.wait(60) == 0
    sys.stderr.write(f"grace {grace_s} s: ended in {time.monotonic() - began:.2f} s\n")
    job = ask.get(running)
    assert job.status == ends
    assert job.attempt == (1 if ends == "done" else 0)
    assert ask.get(waiting).status is JobStatus.QUEUED and ask.get(waiting).attempt == 0
    assert ask.history(HistoryQuery(states=(JobStatus.QUEUED,))).total == (1 if ends == "done" else 2)


def test_killed_right_after_submission_the_job_and_its_inputs_are_there(folder, tmp_path, ask):
    code = """
import os, signal, sys
from pathlib import Path
from heygem.jobs.job import JobRequest
from heygem.jobs.task_queue import TaskQueue
queue = TaskQueue(None, outputs_dir=Path(sys.argv[1]))
clip = Path(sys.argv[2])
job = queue.submit(JobRequest(clip, clip))
os.write(1, job.id.encode())
os.kill(os.getpid(), signal.SIGKILL)
"""
    clip = tmp_path / "clip.mp4"
    clip.write_text("clip")
    done = subprocess.run([sys.executable, "-c", code, folder, clip], env=ENV, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    clip.unlink()
    job = ask.get(done.stdout)
    assert job.status is JobStatus.QUEUED
    assert job.request.video.read_text() == job.request.audio.read_text() == "clip"
