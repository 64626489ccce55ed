"""The queue over days: waiting for a reason, retries, deletion, submissions sent twice, times, history, leftovers."""

import errno
import os
import threading
import time

import pytest
from queue_runners import DONE, folders, leave_result

from heygem.errors import (
    InputError,
    JobNotFoundError,
    QueueError,
    Text,
)
from heygem.jobs import job_folder
from heygem.jobs.job import JobStatus
from heygem.jobs.job_database import JobDatabase
from heygem.jobs.job_folder import sweep_leftovers
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.progress import Stage


def test_no_job_begins_while_there_is_a_reason_to_wait(request_of, outputs):
    reasons = [Text("磁盘已满。", "The disk is full."), None]
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs, can_claim=lambda: reasons[0])
    job = queue.submit(request_of())
    assert queue.run_next() is None
    assert queue.pause_reason == reasons.pop(0)
    assert queue.get(job.id).attempt == 0
    assert queue.run_next().status is JobStatus.DONE
    assert queue.pause_reason is None


def test_a_store_that_cannot_be_written_holds_a_job_up_and_loses_nothing(request_of, outputs, caplog, monkeypatch):
    monkeypatch.setattr("heygem.jobs.running_job._BEAT_S", 0)
    running, go = threading.Event(), threading.Event()

    def run(job, progress):
        progress.tick(Stage.DRAWING, 0)
        running.set()
        go.wait(10)
        progress.tick(Stage.DRAWING, 1)
        return leave_result(outputs, job)

    queue = TaskQueue(run, outputs_dir=outputs)
    job = queue.submit(request_of())
    queue.start()
    running.wait(10)
    writing = JobDatabase.writing

    def refuse(database):
        raise QueueError(Text("磁盘已满。", "The disk is full."))

    monkeypatch.setattr(JobDatabase, "writing", refuse)
    assert queue.complaints() == ["The queue's file cannot be written."]
    go.set()
    while "the end of the job could not be written" not in caplog.text:
        time.sleep(0.01)
    assert "progress could not be kept" in caplog.text
    monkeypatch.setattr(JobDatabase, "writing", writing)
    assert queue.wait(job.id, timeout_s=10).status is JobStatus.DONE
    assert queue.complaints() == []
    assert queue.close()


def test_a_queue_without_a_worker_complains(outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    assert queue.complaints() == ["The queue's worker does not run."]


def test_a_failed_job_can_be_retried_with_its_inputs_until_they_are_gone(request_of, outputs):
    outcomes = iter([ValueError, ValueError, None])

    def run(job, progress):
        assert job.request.video.read_text() == "video a"
        if error := next(outcomes):
            raise error
        return leave_result(outputs, job)

    queue = TaskQueue(run, outputs_dir=outputs)
    request = request_of()
    job = queue.submit(request)
    request.video.unlink()
    assert queue.run_next().status is JobStatus.FAILED
    retried = queue.retry(job.id)
    assert (retried.status, retried.error, retried.position) == (JobStatus.QUEUED, None, 1)
    assert queue.run_next().status is JobStatus.FAILED
    speech = retried.request.audio
    speech.rename(outputs / "away")
    with pytest.raises(InputError) as caught:
        queue.retry(job.id)
    assert caught.value.code == "inputs_gone"
    (outputs / "away").rename(speech)
    queue.retry(job.id)
    assert queue.run_next().status is JobStatus.DONE
    with pytest.raises(QueueError) as caught:
        queue.retry(job.id)
    assert caught.value.code == "not_retryable"


def test_a_deleted_job_leaves_nothing_and_a_running_one_is_not_deleted(request_of, outputs):
    def run(job, progress):
        with pytest.raises(QueueError) as caught:
            queue.delete(job.id)
        assert caught.value.code == "job_unfinished"
        return leave_result(outputs, job)

    queue = TaskQueue(run, outputs_dir=outputs)
    done, waiting = queue.submit_batch([request_of(), request_of()])
    assert queue.run_next().status is JobStatus.DONE
    for job in (done, waiting):
        queue.delete(job.id)
        with pytest.raises(JobNotFoundError):
            queue.get(job.id)
    assert folders(outputs) == []
    assert queue.run_next() is None


def test_a_submission_that_is_sent_again_makes_no_second_job(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs, capacity=2)
    first = queue.submit_batch([request_of(), request_of()], submission="key")
    again = queue.submit_batch([request_of(), request_of()], submission="key")
    assert [job.id for job in again] == [job.id for job in first]
    assert sorted(folders(outputs)) == sorted(job.id for job in first)


def test_two_that_send_the_same_submission_at_once_get_the_same_job(request_of, outputs, monkeypatch):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    first = queue.submit(request_of(), submission="key")
    # As if the other had come in between the question and the answer.
    monkeypatch.setattr(queue.store, "check_submission", lambda *args: [])
    assert queue.submit(request_of(), submission="key").id == first.id
    assert folders(outputs) == [first.id]


def test_times_to_wait_come_from_lengths_and_from_what_was_done(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs, measure=lambda request: 10.0)
    queue.submit(request_of())
    assert queue.jobs()[0].eta_s is None
    queue.run_next()
    with queue.store._database.writing() as db:
        db.execute("UPDATE job SET ended_s = started_s + 20")
    jobs = queue.submit_batch([request_of(), request_of()])
    assert [job.eta_s for job in queue.jobs()] == [None, pytest.approx(20.0), pytest.approx(40.0)]
    assert [queue.get(job.id).eta_s for job in jobs] == [pytest.approx(20.0), pytest.approx(40.0)]


def test_a_job_moved_to_the_front_is_the_next(request_of, outputs):
    order = []
    queue = TaskQueue(lambda job, progress: order.append(job.request.video_name) or DONE, outputs_dir=outputs)
    _, last = queue.submit_batch([request_of("a"), request_of("b")])
    assert queue.move_to_front(last.id).position == 1
    while queue.run_next():
        pass
    assert order == ["b.mp4", "a.mp4"]


def test_old_jobs_leave_the_list_and_stay_in_the_history(request_of, outputs):
    queue = TaskQueue(lambda job, progress: leave_result(outputs, job), outputs_dir=outputs, keep=1)
    first, second = queue.submit_batch([request_of(), request_of()])
    while queue.run_next():
        pass
    assert [job.id for job in queue.jobs()] == [second.id]
    assert [job.id for job in queue.history(limit=1, offset=1).jobs] == [first.id]
    assert queue.history().total == 2
    assert queue.get(first.id).result.output.read_text() == "result"


def test_leftovers_of_a_killed_process_are_swept_and_nothing_else(request_of, outputs):
    queue = TaskQueue(lambda job, progress: leave_result(outputs, job), outputs_dir=outputs)
    done, waiting = queue.submit_batch([request_of(), request_of()])
    queue.run_next()
    (outputs / done.id / "clip").write_text("dropped half-way")
    for name, files in {
        "0" * 12: ["clip"],  # killed during submission
        "1" * 12: ["clip", "speech", "result.mp4"],  # of a queue whose file was moved away
        "2" * 12: ["clip", "speech"],  # a submission that is under way in another process
        "my folder": ["clip"],
    }.items():
        (outputs / name).mkdir()
        for file in files:
            (outputs / name / file).write_text("")
        if name != "2" * 12:
            os.utime(outputs / name, (0, 0))
    sweep_leftovers(outputs, queue.store.states())
    assert sorted(folders(outputs)) == sorted([done.id, waiting.id, "1" * 12, "2" * 12, "my folder"])
    assert [path.name for path in (outputs / done.id).iterdir()] == ["result.mp4"]
    assert sorted(path.name for path in (outputs / waiting.id).iterdir()) == ["clip", "speech"]


def test_a_job_whose_files_cannot_be_deleted_stays_and_says_so(request_of, outputs, monkeypatch):
    queue = TaskQueue(lambda job, progress: leave_result(outputs, job), outputs_dir=outputs)
    job = queue.submit(request_of())
    queue.run_next()

    def refuse(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(job_folder.shutil, "rmtree", refuse)
        with pytest.raises(QueueError, match="could not be deleted: Permission denied") as caught:
            queue.delete(job.id)
    assert caught.value.code == "not_deleted" and queue.get(job.id).status is JobStatus.DONE
    queue.delete(job.id)
    assert folders(outputs) == []
