"""Who runs which job, and what becomes of it. Processes that are killed are in test_chaos.py."""

import pytest
from stored_jobs import DEAD, ERROR, PROGRESS, add, claim_names

from heygem.errors import JobRequeued, Text
from heygem.jobs.job import JobResult, JobStatus


def test_a_claim_counts_the_attempt_and_the_end_is_kept(store, path):
    (job_id,) = add(store, "a")
    claim = store.claims.take()
    assert (claim.job.id, claim.job.status, claim.job.attempt) == (job_id, JobStatus.RUNNING, 1)
    assert store.claims.heartbeat(claim, PROGRESS) is False
    assert store.get(job_id).progress == PROGRESS
    result = JobResult(path.parent / job_id / "result.mp4", None, Text("好", "good"))
    store.claims.finish(claim, JobStatus.DONE, result=result)
    job = store.get(job_id)
    assert (job.status, job.result, job.progress, job.error) == (JobStatus.DONE, result, PROGRESS, None)
    assert job.queued_s <= job.started_s <= job.ended_s
    assert [event.what for event in store.events(job_id)] == ["submitted", "claimed", "done"]


def test_who_lost_a_job_can_do_nothing_to_it(open_store):
    paused = open_store(lease_s=0)
    add(paused, "a")
    stale = paused.claims.take()
    other = open_store("me")
    assert other.claims.recover(9) == [stale.job.id]
    fresh = other.claims.take()
    assert fresh.fence > stale.fence
    for attempt in (
        lambda: paused.claims.heartbeat(stale, PROGRESS),
        lambda: paused.claims.finish(stale, JobStatus.DONE),
        lambda: paused.claims.put_back(stale),
        lambda: paused.claims.crashed(stale, ERROR, 9),
    ):
        with pytest.raises(JobRequeued):
            attempt()
    job = paused.get(stale.job.id)
    assert (job.status, job.attempt, job.progress) == (JobStatus.RUNNING, 2, None)
    other.claims.finish(fresh, JobStatus.FAILED, error=ERROR)
    with pytest.raises(JobRequeued):
        other.claims.finish(fresh, JobStatus.DONE)
    assert other.get(fresh.job.id).error == ERROR


def test_jobs_of_living_processes_are_left_to_them(open_store, store):
    add(store, "a", "b")
    store.claims.take()
    assert open_store("other").claims.recover(9) == []  # alive, and within its lease
    open_store(DEAD).claims.take()
    assert len(store.claims.recover(9)) == 1


def test_a_process_does_not_take_its_own_job_over(open_store):
    store = open_store(lease_s=0)
    add(store, "a")
    store.claims.take()
    assert store.claims.recover(9) == []


def test_recovered_jobs_keep_their_place(open_store, store):
    dead = open_store(DEAD)
    add(store, "a", "b", "c", "d")
    store.move_to_front(store.jobs(0)[2].id)
    assert [dead.claims.take().job.request.video_name for _ in range(2)] == ["c", "a"]
    store.claims.recover(9)
    assert claim_names(store) == ["c", "a", "b", "d"]


def test_a_job_that_took_the_process_down_too_often_is_interrupted(open_store, store):
    dead = open_store(DEAD)
    (job_id,) = add(store, "a")
    for status in (JobStatus.QUEUED, JobStatus.INTERRUPTED):
        dead.claims.take()
        store.claims.recover(2)
        assert store.get(job_id).status is status
    assert store.get(job_id).error.code == "interrupted"
    assert store.claims.take() is None
    # Its user may try again, with all attempts.
    store.retry(job_id, capacity=9, check=lambda request: None)
    dead.claims.take()
    store.claims.recover(2)
    assert store.get(job_id).status is JobStatus.QUEUED


def test_a_job_that_was_to_be_cancelled_is_not_begun_again(open_store, store):
    (job_id,) = add(store, "a")
    claim = open_store(DEAD).claims.take()
    store.cancel(job_id)
    assert store.claims.recover(9) == [claim.job.id]
    assert store.get(job_id).status is JobStatus.CANCELLED


def test_a_job_that_was_to_be_cancelled_does_not_wait_again_when_the_server_stops_or_loses_it(store):
    for leave in (store.claims.put_back, lambda claim: store.claims.crashed(claim, ERROR, 1)):
        (job_id,) = add(store, "a")
        claim = store.claims.take()
        store.cancel(job_id)
        leave(claim)
        assert (store.get(job_id).status, store.get(job_id).error) == (JobStatus.CANCELLED, None)


def test_a_job_put_back_has_not_been_begun(store):
    (job_id, _) = add(store, "a", "b")
    claim = store.claims.take()
    store.claims.heartbeat(claim, PROGRESS)
    store.claims.put_back(claim)
    job = store.get(job_id)
    assert (job.status, job.attempt, job.position, job.progress, job.started_s) == (JobStatus.QUEUED, 0, 1, None, None)
    assert claim_names(store) == ["a", "b"]


def test_a_job_that_lost_its_device_waits_for_a_new_process_until_it_had_all_attempts(store):
    (job_id,) = add(store, "a")
    for attempt, status in ((1, JobStatus.QUEUED), (2, JobStatus.INTERRUPTED)):
        store.claims.crashed(store.claims.take(), ERROR, 2)
        assert (store.get(job_id).status, store.get(job_id).attempt) == (status, attempt)
    assert store.get(job_id).error == ERROR


def test_a_wish_to_cancel_comes_in_by_the_heartbeat(store):
    waiting_id, running_id = reversed(add(store, "a", "b"))
    claim = store.claims.take()
    assert store.cancel(waiting_id).status is JobStatus.CANCELLED
    assert store.cancel(running_id).status is JobStatus.RUNNING
    assert store.claims.heartbeat(claim, PROGRESS) is True
    store.claims.finish(claim, JobStatus.CANCELLED)
    assert store.cancel(running_id).status is JobStatus.CANCELLED
    # It does not outlive the attempt.
    store.retry(running_id, capacity=9, check=lambda request: None)
    assert store.claims.heartbeat(store.claims.take(), PROGRESS) is False
