"""The queue when the server stops, a job hangs, or the device is lost."""

import contextlib
import sqlite3
import threading

import pytest
from queue_runners import DONE, leave_result, unwound

from heygem.errors import (
    NOTHING,
    DeviceLostError,
    QueueError,
    Text,
)
from heygem.jobs.job import JobError, JobStatus
from heygem.jobs.store import STORE_NAME
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.progress import Stage


def test_what_runs_and_waits_when_the_queue_closes_waits_for_the_next_process(request_of, outputs):
    running = threading.Event()

    def run(job, progress):
        running.set()
        unwound(progress)

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.start()
    jobs = queue.submit_batch([request_of("a"), request_of("b")])
    running.wait(10)
    assert queue.close(grace_s=0)
    with pytest.raises(QueueError, match="closing") as caught:
        queue.submit(request_of())
    assert caught.value.code == "queue_closed"
    ran = []
    queue = TaskQueue(lambda job, progress: ran.append(job) or DONE, outputs_dir=outputs)
    assert [job.id for job in queue.jobs()] == [job.id for job in jobs]
    while queue.run_next():
        pass
    assert [(job.id, job.attempt, job.request.video.name) for job in ran] == [(job.id, 1, "clip") for job in jobs]
    assert [queue.get(job.id).status for job in jobs] == [JobStatus.DONE] * 2


def test_a_running_job_may_end_within_the_grace_time(request_of, outputs):
    running, go = threading.Event(), threading.Event()

    def run(job, progress):
        running.set()
        go.wait(10)
        progress.tick(Stage.FINISHING, 0)
        return leave_result(outputs, job)

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.start()
    job = queue.submit(request_of())
    running.wait(10)
    queue.stop(grace_s=60)
    go.set()
    assert queue.wait(job.id, timeout_s=10).status is JobStatus.DONE
    assert queue.close()


def test_a_second_stop_may_take_the_grace_back(request_of, outputs):
    running = threading.Event()

    def run(job, progress):
        running.set()
        unwound(progress)

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.start()
    job = queue.submit(request_of())
    running.wait(10)
    queue.stop(grace_s=3600)
    queue.stop(grace_s=0)
    queue.stop(grace_s=3600)
    queue._workers._thread.join(60)
    assert queue.get(job.id).status is JobStatus.QUEUED


def test_a_job_that_does_not_answer_is_put_back_and_cannot_end_any_more(request_of, outputs, caplog):
    running, go = threading.Event(), threading.Event()

    def run(job, progress):
        running.set()
        go.wait(10)
        return leave_result(outputs, job)

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.start()
    job = queue.submit(request_of())
    running.wait(10)
    assert not queue.close(grace_s=0)
    go.set()
    queue._workers._thread.join(60)
    assert (queue.get(job.id).status, queue.get(job.id).attempt) == (JobStatus.QUEUED, 0)
    assert queue.get(job.id).request.video.exists(), "it cannot be run again"
    assert "somebody else has the job" in caplog.text


def test_a_worker_whose_job_was_taken_over_stops_at_its_next_heartbeat(request_of, outputs):
    def run(job, progress):
        progress.tick(Stage.LOADING, 0)
        with contextlib.closing(sqlite3.connect(outputs / STORE_NAME)) as db:
            db.execute("UPDATE job SET fence = fence + 1, owner = 'somebody else'")
            db.commit()
        unwound(progress)

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.submit(request_of())
    assert queue.run_next().status is JobStatus.RUNNING  # there


def test_a_cancel_of_another_process_arrives(request_of, outputs):
    def run(job, progress):
        TaskQueue(run, outputs_dir=outputs).cancel(job.id)
        unwound(progress)

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.submit(request_of())
    assert queue.run_next().status is JobStatus.CANCELLED


@pytest.mark.parametrize(("attempts", "status"), [(1, JobStatus.INTERRUPTED), (2, JobStatus.QUEUED)])
def test_a_lost_device_ends_the_process_and_not_the_queue(request_of, outputs, attempts, status):
    lost = threading.Event()

    def run(job, progress):
        raise DeviceLostError(Text("显卡出错。", "The device failed."))

    queue = TaskQueue(run, outputs_dir=outputs, max_attempts=attempts, on_process_lost=lost.set)
    first, second = queue.submit_batch([request_of(), request_of()])
    queue.start()
    assert lost.wait(10)
    queue._workers._thread.join(60)
    job = queue.get(first.id)
    assert (job.status, job.attempt) == (status, 1)
    assert job.error is None if status is JobStatus.QUEUED else job.error.code == "device_lost"
    assert (queue.get(second.id).status, queue.get(second.id).attempt) == (JobStatus.QUEUED, 0)


def test_a_job_that_stands_still_can_be_given_up(request_of, outputs):
    running, go, lost = threading.Event(), threading.Event(), threading.Event()

    def run(job, progress):
        running.set()
        go.wait(10)
        return leave_result(outputs, job)

    queue = TaskQueue(run, outputs_dir=outputs, max_attempts=1, on_process_lost=lost.set)
    queue.start()
    job = queue.submit(request_of())
    running.wait(10)
    stalled = JobError("stalled", Text("停住了。", "It stood still."), NOTHING)
    queue.give_up("another", stalled)
    assert not lost.is_set()
    queue.give_up(job.id, stalled)
    assert lost.is_set()
    go.set()
    queue._workers._thread.join(60)
    assert (queue.get(job.id).status, queue.get(job.id).error) == (JobStatus.INTERRUPTED, stalled)


def test_a_job_that_stands_still_ends_the_process_even_if_that_cannot_be_written(request_of, outputs, monkeypatch):
    running, go, lost = threading.Event(), threading.Event(), threading.Event()

    def run(job, progress):
        running.set()
        go.wait(10)
        return DONE

    def full(*args):
        raise QueueError(Text("磁盘已满。", "The disk is full."))

    queue = TaskQueue(run, outputs_dir=outputs, on_process_lost=lost.set)
    queue.start()
    job = queue.submit(request_of())
    running.wait(10)
    monkeypatch.setattr(queue.store.claims, "crashed", full)
    queue.give_up(job.id, JobError("stalled", Text("停住了。", "It stood still."), NOTHING))
    go.set()
    assert lost.is_set()


def test_a_fault_in_the_worker_is_told_and_does_not_end_it(request_of, outputs, caplog, monkeypatch):
    queue = TaskQueue(lambda job, progress: leave_result(outputs, job), outputs_dir=outputs)
    faults, take = [OSError(24, "Too many open files")], queue.store.claims.take

    def take_or_fail():
        if faults:
            raise faults.pop()
        return take()

    monkeypatch.setattr(queue.store.claims, "take", take_or_fail)
    job = queue.submit(request_of())
    queue.start()
    assert queue.wait(job.id, 20).status is JobStatus.DONE
    queue.close()
    assert "Too many open files" in caplog.text and "Traceback" in caplog.text
