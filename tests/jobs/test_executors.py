"""An executor with room for several jobs under the queue; nothing is rendered."""

import threading
from dataclasses import replace

import pytest
from queue_runners import DONE, leave_result, unwound
from waiting import wait_until

from heygem.errors import Text, WorkerLostError
from heygem.jobs.executors import Executor, LocalExecutor
from heygem.jobs.job import JobError, JobKind, JobStatus
from heygem.jobs.task_queue import TaskQueue


class Threads(Executor):
    """So many jobs at once, each on a thread of its own."""

    def __init__(self, run, room):
        self.run = run
        self.room = room
        self.reason = None
        self.begun = []
        self.given_up = {}
        self.is_closed = False
        self._busy = 0

    def has_room(self):
        return self._busy < self.room

    def reason_to_wait(self):
        return self.reason

    def carry_out(self, job_id, work):
        self._busy += 1
        self.begun.append(job_id)

        def do():
            work(self._one)
            self._busy -= 1

        threading.Thread(target=do, daemon=True).start()

    def _one(self, job, progress):
        return self.run(job, progress)

    def give_up(self, job_id, error):
        self.given_up[job_id] = error
        return True

    def close(self):
        self.is_closed = True


@pytest.fixture
def started(outputs):
    queues = []

    def start(executor, **more):
        queue = TaskQueue(executor, outputs_dir=outputs, **more)
        queues.append(queue)
        queue.start()
        return queue

    yield start
    for queue in queues:
        queue.close(0)


def test_jobs_run_side_by_side_and_begin_in_order(request_of, outputs, started):
    together = threading.Barrier(3)

    def run(job, progress):
        together.wait(10)  # breaks unless three run at once
        return leave_result(outputs, job)

    executor = Threads(run, room=3)
    queue = started(executor)
    jobs = queue.submit_batch([request_of(str(number)) for number in range(6)])
    assert [queue.wait(job.id, 10).status for job in jobs] == [JobStatus.DONE] * 6
    assert executor.begun == [job.id for job in jobs]


def test_no_more_run_than_there_is_room_for_and_each_tells_how_far_it_is(request_of, started):
    executor = Threads(lambda job, progress: unwound(progress), room=2)
    queue = started(executor)
    jobs = queue.submit_batch([request_of(str(number)) for number in range(3)])
    wait_until(lambda: sum(queue.get(job.id).progress is not None for job in jobs) == 2)
    assert [job.status for job in queue.jobs()] == [JobStatus.RUNNING, JobStatus.RUNNING, JobStatus.QUEUED]
    assert queue.pause_reason is None
    queue.cancel(jobs[1].id)
    assert queue.wait(jobs[1].id, 10).status is JobStatus.CANCELLED
    wait_until(lambda: queue.get(jobs[2].id).status is JobStatus.RUNNING)
    assert queue.get(jobs[0].id).status is JobStatus.RUNNING


def test_a_lost_worker_costs_its_own_job_an_attempt_and_no_other_anything(request_of, outputs, started):
    lost = []

    def run(job, progress):
        if job.request.video_name == "bad.mp4" or (job.request.video_name == "unlucky.mp4" and not lost):
            lost.append(job.id)
            raise WorkerLostError(Text("失联", "gone"))
        return leave_result(outputs, job)

    queue = started(Threads(run, room=2), max_attempts=2)
    good, bad, unlucky = queue.submit_batch([request_of(name) for name in ("good", "bad", "unlucky")])
    ended = [queue.wait(job.id, 10) for job in (good, unlucky, bad)]
    assert [(job.status, job.attempt) for job in ended[::2]] == [(JobStatus.DONE, 1), (JobStatus.INTERRUPTED, 2)]
    assert ended[1].status is JobStatus.DONE
    assert ended[2].error.code == "worker_lost"
    assert queue.complaints() == []


def test_stopping_puts_every_running_job_back(request_of, started):
    executor = Threads(lambda job, progress: unwound(progress), room=2)
    queue = started(executor)
    jobs = queue.submit_batch([request_of("a"), request_of("b")])
    wait_until(lambda: all(queue.get(job.id).progress is not None for job in jobs))
    queue.stop(0)
    wait_until(lambda: all(queue.get(job.id).status is JobStatus.QUEUED for job in jobs))
    assert [queue.get(job.id).attempt for job in jobs] == [0, 0]
    assert queue.close(5) and executor.is_closed


def test_jobs_wait_while_the_executor_has_a_reason(request_of, started):
    executor = Threads(lambda job, progress: DONE, room=1)
    executor.reason = Text("没有节点", "no nodes")
    queue = started(executor)
    job = queue.submit(request_of())
    wait_until(lambda: queue.pause_reason == executor.reason)
    assert queue.get(job.id).status is JobStatus.QUEUED
    executor.reason = None
    assert queue.wait(job.id, 10).status is JobStatus.DONE


def test_nothing_is_claimed_while_there_is_no_room(request_of, outputs):
    executor = Threads(lambda job, progress: DONE, room=0)
    queue = TaskQueue(executor, outputs_dir=outputs)
    job = queue.submit(request_of())
    assert queue.run_next() is None
    assert queue.get(job.id).status is JobStatus.QUEUED and executor.begun == []


def test_the_executor_gives_a_silent_job_up_and_the_process_lives_on(request_of, started):
    executor = Threads(lambda job, progress: unwound(progress), room=1)
    lost = []
    queue = started(executor, on_process_lost=lambda: lost.append(1))
    job = queue.submit(request_of())
    wait_until(lambda: queue.get(job.id).progress is not None)
    silent = JobError("stalled", Text("停", "still"), Text("", ""))
    queue.give_up(job.id, silent)
    queue.give_up("another", silent)
    assert executor.given_up == {job.id: silent} and lost == [] and queue.complaints() == []


def test_the_local_executor_works_on_the_thread_that_asks(request_of, outputs):
    threads = []

    def run(job, progress):
        threads.append(threading.current_thread())
        return DONE

    queue = TaskQueue(LocalExecutor(run), outputs_dir=outputs)
    queue.submit(request_of())
    queue.run_next()
    assert threads == [threading.current_thread()]


def test_the_death_of_the_queues_process_costs_jobs_elsewhere_no_attempt(request_of, outputs):
    first = TaskQueue(lambda job, progress: DONE, outputs_dir=outputs)
    job = first.submit(request_of())
    first.store.claims._owner = "another boot:1:1"  # as a process that is dead by now
    first.store.claims.take()
    executor = Threads(lambda job, progress: DONE, room=1)
    executor.is_apart = lambda job: job.request.kind is JobKind.VIDEO
    queue = TaskQueue(executor, outputs_dir=outputs)
    assert [(freed.id, freed.status, freed.attempt) for freed in queue.recover()] == [(job.id, JobStatus.QUEUED, 0)]
    first.store.claims.take()
    here = TaskQueue(LocalExecutor(lambda job, progress: DONE), outputs_dir=outputs)
    assert [freed.attempt for freed in here.recover()] == [1]
    first.submit(replace(request_of(), kind=JobKind.PREVIEW))  # which goes to the front
    first.store.claims.take()
    assert [freed.attempt for freed in queue.recover()] == [1]
