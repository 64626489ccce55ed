"""The queue with runners that render nothing."""

import contextlib
import copy
import logging
import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from heygem.errors import (
    NOTHING,
    DeviceLostError,
    InputError,
    JobNotFoundError,
    NoFaceError,
    QueueError,
    QueueFullError,
    Text,
)
from heygem.jobs.job import JobError, JobRequest, JobResult, JobStatus
from heygem.jobs.job_database import JobDatabase
from heygem.jobs.job_folder import sweep_leftovers
from heygem.jobs.store import STORE_NAME
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.progress import Stage

DONE = JobResult(Path("result.mp4"), None, Text("", ""))


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


def folders(outputs):
    return [path.name for path in outputs.iterdir() if path.is_dir()]


def leave_result(outputs, job):
    output = outputs / job.id / "result.mp4"
    output.write_text("result")
    return JobResult(output, None, Text("好", "good"))


def test_jobs_run_in_order_one_at_a_time(request_of, outputs):
    order = []

    def run(job, progress):
        order.append(job.request.video.read_text())
        return DONE

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.submit(request_of("a"))
    queue.submit_batch([request_of("b"), request_of("c")])
    assert [job.position for job in queue.jobs()] == [1, 2, 3]
    while queue.run_next():
        pass
    assert order == ["video a", "video b", "video c"]
    assert [job.position for job in queue.jobs()] == [None] * 3


def test_a_batch_shares_an_id_and_a_single_job_has_none(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    single = queue.submit(request_of())
    first, second = queue.submit_batch([request_of(), request_of()])
    (third,) = queue.submit_batch([request_of()])
    assert single.batch_id is None
    assert first.batch_id == second.batch_id != third.batch_id


def test_submit_takes_all_or_none_when_they_would_not_fit(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs, capacity=2)
    with pytest.raises(QueueFullError):
        queue.submit_batch([request_of()] * 3)
    assert queue.jobs() == []
    assert folders(outputs) == []
    assert len(queue.submit_batch([request_of()] * 2)) == 2


def test_submit_takes_all_or_none_when_a_file_is_missing(request_of, outputs, tmp_path):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs, capacity=2)
    missing = JobRequest(tmp_path / "gone.mp4", tmp_path / "gone.wav", video_name="我的.mp4")
    with pytest.raises(InputError, match=r"我的\.mp4") as caught:
        queue.submit_batch([request_of(), missing])
    assert caught.value.code == "file_missing"
    assert queue.jobs() == []
    assert folders(outputs) == []
    assert len(queue.submit_batch([request_of()] * 2)) == 2


def test_inputs_survive_deletion_by_the_submitter_and_go_when_the_job_is_done(request_of, outputs):
    seen = {}

    def run(job, progress):
        seen["names"] = sorted(path.name for path in (outputs / job.id).iterdir())
        seen["content"] = job.request.video.read_text(), job.request.audio.read_text()
        return leave_result(outputs, job)

    queue = TaskQueue(run, outputs_dir=outputs)
    request = request_of("../../x & 'y'".replace("/", "_"))
    job = queue.submit(request)
    content = request.video.read_text(), request.audio.read_text()
    request.video.unlink()
    request.audio.unlink()
    queue.run_next()
    assert seen == {"names": ["clip", "speech"], "content": content}
    assert [path.name for path in (outputs / job.id).iterdir()] == ["result.mp4"]
    assert queue.get(job.id).request.video_name == request.video.name


def uploaded(request, outputs):
    """The same request for files where uploads lie."""
    folder = outputs / ".cache" / "uploads"
    folder.mkdir(parents=True)
    return JobRequest(request.video.rename(folder / "a.mp4"), request.audio.rename(folder / "a.wav"))


def test_uploads_are_linked_not_copied_on_the_same_disk(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    request = uploaded(request_of(), outputs)
    assert queue.submit(request).request.video.samefile(request.video)


def test_what_becomes_of_a_file_of_the_machine_is_nothing_to_a_job_that_waits(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    request = request_of()
    stored = queue.submit(request).request
    for path in (request.video, request.audio):
        path.write_text("the next one")
    assert (stored.video.read_text(), stored.audio.read_text()) == ("video a", "audio a")


def test_inputs_are_copied_where_links_are_refused(request_of, outputs, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    request = uploaded(request_of(), outputs)
    stored = queue.submit(request).request.video
    assert stored.read_text() == "video a" and not stored.samefile(request.video)


def test_a_full_disk_refuses_the_job_and_leaves_nothing(request_of, outputs, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.link", full)
    monkeypatch.setattr("shutil.copyfile", full)
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    with pytest.raises(QueueError, match="No space left"):
        queue.submit(request_of())
    assert folders(outputs) == []


def test_errors_of_ours_reach_the_user_and_bugs_do_not(request_of, outputs, caplog):
    ours = NoFaceError(Text("没有人脸。", "No face."), hint=Text("换一段。", "Use another."))
    errors = iter([ours, RuntimeError("cuDNN 0x7f"), SystemExit(3)])

    def run(job, progress):
        raise next(errors)

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.submit_batch([request_of()] * 3)
    caplog.set_level(logging.INFO, logger="heygem")
    known, unknown, exiting = queue.run_next(), queue.run_next(), queue.run_next()
    assert known.error.code == "no_face" and known.error.text == ours.text and known.error.hint == ours.hint
    assert unknown.status is exiting.status is JobStatus.FAILED
    assert unknown.error.text.en == "Internal error; the log has the details."
    assert "cuDNN 0x7f" in caplog.text and "Traceback" in caplog.text


def test_a_failed_job_does_not_stop_the_worker(request_of, outputs):
    def run(job, progress):
        if job.request.video_name == "bad.mp4":
            raise ValueError
        return DONE

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.start()
    jobs = queue.submit_batch([request_of("bad"), request_of("good")])
    ended = [queue.wait(job.id, timeout_s=10).status for job in jobs]
    assert queue.close(grace_s=10)
    assert ended == [JobStatus.FAILED, JobStatus.DONE]


def test_a_waiting_job_that_is_cancelled_never_runs(request_of, outputs):
    queue = TaskQueue(lambda job, progress: pytest.fail("ran"), outputs_dir=outputs)
    job = queue.submit(request_of())
    assert queue.cancel(job.id).status is JobStatus.CANCELLED
    assert queue.run_next() is None


def test_a_running_job_stops_at_its_next_tick_whatever_the_runner_catches(request_of, outputs):
    running, asked = threading.Event(), threading.Event()
    after = []

    def run(job, progress):
        progress.tick(Stage.DRAWING, 0, 10)
        running.set()
        asked.wait(10)
        with contextlib.suppress(Exception):
            progress.tick(Stage.DRAWING, 1, 10)
        after.append("went on")
        return DONE

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.start()
    job = queue.submit(request_of())
    running.wait(10)
    queue.cancel(job.id)
    asked.set()
    assert queue.wait(job.id, timeout_s=10).status is JobStatus.CANCELLED
    assert queue.close(grace_s=10)
    assert after == []


def test_cancelling_an_ended_job_changes_nothing(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    job = queue.submit(request_of())
    queue.run_next()
    assert queue.cancel(job.id).status is JobStatus.DONE


def test_ticks_become_progress(request_of, outputs):
    seen = []

    def run(job, progress):
        progress.tick(Stage.LOADING, 0)
        seen.append(queue.get(job.id).progress)
        progress.tick(Stage.DRAWING, 5, 20)
        seen.append(queue.get(job.id).progress)
        return DONE

    queue = TaskQueue(run, outputs_dir=outputs)
    queue.submit(request_of())
    queue.run_next()
    assert seen[0].stage is Stage.LOADING and seen[0].share is None
    assert (seen[1].stage, seen[1].done, seen[1].total, seen[1].share) == (Stage.DRAWING, 5, 20, 0.25)


def test_snapshots_can_be_kept_and_copied(request_of, outputs):
    queue = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    job = queue.submit(request_of())
    kept = copy.deepcopy(job)
    queue.run_next()
    assert kept == job and job.status is JobStatus.QUEUED


def unwound(progress):
    """A runner's part that ticks until it is told to end."""
    while True:
        progress.tick(Stage.DRAWING, 0)
        time.sleep(0.005)


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
    queue._thread.join(10)
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
    queue._thread.join(10)
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
    queue._thread.join(10)
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
    queue._thread.join(10)
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
