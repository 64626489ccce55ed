"""The queue with runners that render nothing: order, inputs, errors, cancelling, progress."""

import contextlib
import copy
import logging
import threading

import pytest
from queue_runners import DONE, folders, leave_result

from heygem.errors import (
    InputError,
    NoFaceError,
    QueueError,
    QueueFullError,
    Text,
)
from heygem.jobs.job import JobRequest, JobStatus
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.progress import Stage


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
