"""The watchdog, with a clock of ours."""

from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest

from heygem.errors import JobCancelled
from heygem.jobs.job import Job, JobRequest, JobResult, JobStatus
from heygem.jobs.run_log import open_run_log
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.pipeline.progress import Silent, Stage

JOB = Job("abc123", JobRequest(Path("clip.mp4"), Path("speech.wav")), JobStatus.RUNNING, queued_s=0.0)
RESULT = JobResult(Path("result.mp4"), None, ("", ""))


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def stalls():
    return []


@pytest.fixture
def watchdog(clock, stalls):
    return Watchdog(stall_s=600, on_stall=lambda job_id, error: stalls.append((job_id, error)), clock=clock)


@pytest.fixture
def lines(tmp_path):
    run_log = open_run_log(tmp_path / "run.log", keep=1000)
    yield lambda: [(line.job_id, line.message) for line in run_log.tail()]
    run_log.close()


def run(watchdog, do):
    """Have `do`, which is given the progress, be the job."""

    def runner(job, progress):
        do(progress)
        return RESULT

    return watchdog.watched(runner)(JOB, Silent())


def test_the_log_tells_of_each_stage_and_then_every_30_s(watchdog, clock, lines):
    def job(progress):
        progress.tick(Stage.LOADING, 0)
        for second in range(70):
            clock.now_s += 1
            progress.tick(Stage.DRAWING, 10 * second, 1000)
            watchdog.look()

    assert run(watchdog, job) is RESULT
    watchdog.look()
    assert [message for _, message in lines()] == [
        "loading",
        "drawing: 0/1000 frames",
        "drawing for 30 s: 300/1000 frames, 10.0 frames/s, 70 s left",
        "drawing for 60 s: 600/1000 frames, 10.0 frames/s, 40 s left",
    ]


def test_what_is_counted_without_an_end_is_not_called_frames(watchdog, clock, lines):
    def job(progress):
        for piece in range(31):
            progress.tick(Stage.LOADING, piece)
            clock.now_s += 1
        watchdog.look()

    run(watchdog, job)
    assert [message for _, message in lines()] == ["loading", "loading for 31 s: 30 so far"]


def test_a_heartbeat_needs_no_tick_and_names_its_job(watchdog, clock, lines):
    def job(progress):
        progress.tick(Stage.LISTENING, 0)
        clock.now_s += 31
        watchdog.look()

    run(watchdog, job)
    assert lines()[-1] == ("abc123", "listening for 31 s")


@pytest.mark.parametrize("ticks", [0, 1])
def test_a_job_that_stands_still_is_told_once_with_every_threads_stack(watchdog, clock, stalls, lines, ticks):
    def standing_still(progress):
        for _ in range(ticks):
            progress.tick(Stage.TRACKING, 0, 100)
        clock.now_s += 599
        watchdog.look()
        assert not stalls
        clock.now_s += 1
        watchdog.look()
        watchdog.look()

    release, started = Event(), Event()

    def a_reader_that_hangs():
        started.set()
        release.wait()

    reader = Thread(target=a_reader_that_hangs, name="reader")
    reader.start()
    started.wait()
    run(watchdog, standing_still)
    release.set()
    reader.join()
    [(job_id, error)] = stalls
    assert job_id == "abc123" and error.code == "stalled"
    assert "600" in error.text.en and "600" in error.text.zh and ("tracking" if ticks else "start") in error.text.en
    stacks = [message for _, message in lines() if message.startswith("thread ")]
    assert any(line.startswith("thread reader: ") and "a_reader_that_hangs" in line for line in stacks)


def test_a_tick_without_progress_is_no_progress(watchdog, clock, stalls):
    def job(progress):
        for _ in range(10):
            progress.tick(Stage.DRAWING, 7, 100)
            clock.now_s += 100
            watchdog.look()

    run(watchdog, job)
    assert len(stalls) == 1


def test_slow_progress_is_progress(watchdog, clock, stalls):
    def job(progress):
        for stage in Stage:
            for done in range(2):
                progress.tick(stage, done, 2)
                clock.now_s += 599
                watchdog.look()

    run(watchdog, job)
    assert not stalls


def test_nobody_is_watched_between_jobs(watchdog, clock, stalls, lines):
    run(watchdog, lambda progress: progress.tick(Stage.LOADING, 0))
    clock.now_s += 10_000
    watchdog.look()
    assert not stalls and len(lines()) == 1


def test_a_cancel_passes_through_and_ends_the_watch(watchdog, clock, stalls):
    class Cancelling:
        def tick(self, stage, done, total=None):
            raise JobCancelled

    with pytest.raises(JobCancelled):
        watchdog.watched(lambda job, progress: progress.tick(Stage.LOADING, 0))(JOB, Cancelling())
    clock.now_s += 10_000
    watchdog.look()
    assert not stalls


def test_drawn_frames_are_counted_over_jobs_also_from_the_middle(watchdog, clock):
    def job(progress):
        for done in (1, 50):
            clock.now_s += 1
            progress.tick(Stage.TRACKING, done, 50)
        assert watchdog.frame_rate_hz == 0
        for done in (1, 2, 5):
            clock.now_s += 1
            progress.tick(Stage.DRAWING, done, 5)
        assert watchdog.frame_rate_hz == pytest.approx(2.0)

    def resumed(progress):
        for done in (101, 102):
            progress.tick(Stage.DRAWING, done, 200)

    run(watchdog, job)
    run(watchdog, resumed)
    assert watchdog.frames_drawn == 5 + 2
    assert watchdog.frame_rate_hz == 0


def test_jobs_side_by_side_are_watched_each_for_itself(watchdog, clock, stalls):
    def inner(job, progress):
        progress.tick(Stage.DRAWING, 1, 9)
        clock.now_s += 10
        progress.tick(Stage.DRAWING, 11, 99)
        assert watchdog.frame_rate_hz == pytest.approx(1.0)
        clock.now_s += 500
        watchdog.look()
        assert not stalls
        return RESULT

    def outer(progress):
        progress.tick(Stage.LOADING, 0)
        watchdog.watched(inner)(replace(JOB, id="other"), Silent())
        clock.now_s += 600
        watchdog.look()

    run(watchdog, outer)
    assert [job_id for job_id, _ in stalls] == [JOB.id]
    assert watchdog.frames_drawn == 11


def test_its_own_thread_looks():
    told = Event()
    watchdog = Watchdog(stall_s=0.02, on_stall=lambda job_id, error: told.set())
    watchdog.start()
    run(watchdog, lambda progress: told.wait(20))
    watchdog.close()
    assert told.is_set()


def test_a_job_that_stands_still_twice_is_interrupted_with_its_cause(tmp_path, clock):
    """With the real queue, as two processes would have it, one after the other."""
    (tmp_path / "clip").write_bytes(b"clip")
    hangs = []

    def process():
        """Begin whatever waits; the job in the state that the next process finds."""
        lost, release = [], Event()
        watchdog = Watchdog(stall_s=600, on_stall=lambda *cause: queue.give_up(*cause), clock=clock)

        def run(job, progress):
            progress.tick(Stage.LOADING, 0)
            hangs.append(job.id)
            release.wait(20)
            progress.tick(Stage.LOADING, 0)

        queue = TaskQueue(watchdog.watched(run), outputs_dir=tmp_path / "out", on_process_lost=lambda: lost.append(1))
        if not hangs:
            queue.submit(JobRequest(tmp_path / "clip", tmp_path / "clip"))
        begun = len(hangs)
        queue.start()
        while len(hangs) == begun:
            sleep(0.01)
        clock.now_s += 601
        watchdog.look()
        job = queue.jobs()[0]
        assert lost and queue.complaints()
        release.set()
        queue.close(0)
        return job

    first, second = process(), process()
    assert (first.status, first.attempt) == (JobStatus.QUEUED, 1)
    assert (second.status, second.attempt) == (JobStatus.INTERRUPTED, 2)
    assert second.error.code == "stalled" and "601 s (stage loading)" in second.error.text.en
    assert len(hangs) == 2
