"""Rows of jobs: their order, what users change, history. Claims are in test_claims.py."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from stored_jobs import ERROR, add, claim_names, names, new_job

from heygem.errors import InputError, JobNotFoundError, QueueError, QueueFullError, Text
from heygem.jobs.job import JobKind, JobResult, JobStatus
from heygem.jobs.job_history import HistoryQuery
from heygem.jobs.store import JobStore


def test_jobs_survive_the_process(store, open_store):
    job = new_job("a", "batch", speech_s=1.5)
    store.add([job], capacity=1)
    store.close()
    assert open_store().get(job.id) == replace(job, position=1)


def test_commits_reach_the_disk(store):
    with store._database.reading() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_a_file_of_a_newer_version_is_refused_in_one_sentence(store, path, open_store):
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(QueueError, match="newer version") as caught:
        open_store()
    assert caught.value.code == "queue_too_new"


def test_a_file_that_is_something_else_is_refused_and_left_alone(path, open_store):
    path.write_text("my shopping list " * 100)
    with pytest.raises(QueueError, match="not a database"):
        open_store()
    assert path.read_text().startswith("my shopping list")


def test_a_full_disk_refuses_a_change_and_leaves_the_store_whole(store):
    store._database._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(QueueError, match="full") as caught:
        for _ in range(1000):
            add(store, "x" * 1000)
    assert caught.value.code == "queue_unavailable"
    store._database._connection.execute("PRAGMA max_page_count = 1000")
    before = len(store.jobs(0))
    add(store, "after")
    assert len(store.jobs(0)) == before + 1
    with store._database.reading() as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_jobs_are_claimed_in_order_and_the_one_moved_to_the_front_first(store):
    add(store, "a", "b")
    (c,) = add(store, "c")
    (d,) = add(store, "d")
    store.move_to_front(c)
    store.move_to_front(d)
    assert [(job.request.video_name, job.position) for job in store.jobs(0)] == [("a", 3), ("b", 4), ("c", 2), ("d", 1)]
    assert [store.get(job.id).position for job in store.jobs(0)] == [3, 4, 2, 1]
    assert claim_names(store) == ["d", "c", "a", "b"]


def test_all_or_none_are_added(store):
    with pytest.raises(QueueFullError):
        add(store, "a", "b", "c", capacity=2)
    twice = new_job()
    with pytest.raises(QueueError):
        store.add([new_job(), twice, twice], capacity=9)
    assert store.jobs(0) == []


def test_a_submission_that_is_sent_again_is_the_first_one(store):
    first = add(store, "a", "b", submission="key")
    assert add(store, "a", "b", submission="key") == first
    assert store.check_submission(2, 0, "key") == first  # whatever the room
    assert store.check_submission(2, 9, "other") == store.check_submission(2, 9, None) == []
    assert add(store, "c", submission="other") != first
    assert add(store, "d") != add(store, "d")
    assert len(store.jobs(0)) == 5


def test_what_is_in_the_folder_moves_with_it(store, tmp_path, path):
    (job_id,) = add(store, "a")
    store.claims.finish(
        store.claims.take(), JobStatus.DONE, result=JobResult(path.parent / "r.mp4", None, Text("", ""))
    )
    store.close()
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copy(path, moved)
    store = JobStore(moved / path.name)
    assert store.get(job_id).result.output == moved / "r.mp4"
    store.close()


def test_retried_jobs_queue_up_behind_all_others(store):
    failed, cancelled, done = add(store, "failed", "cancelled", "done")
    store.claims.finish(store.claims.take(), JobStatus.FAILED, error=ERROR)
    store.cancel(cancelled)
    store.claims.finish(store.claims.take(), JobStatus.DONE)
    (waiting,) = add(store, "waiting")
    for job_id in (cancelled, failed):
        store.retry(job_id, capacity=9, check=lambda request: None)
    job = store.get(failed)
    assert (job.position, job.error, job.attempt, job.started_s, job.ended_s) == (3, None, 0, None, None)
    for job_id in (done, waiting):
        with pytest.raises(QueueError) as caught:
            store.retry(job_id, capacity=9, check=lambda request: None)
        assert caught.value.code == "not_retryable"
    assert claim_names(store) == ["waiting", "cancelled", "failed"]


def test_a_retry_that_cannot_be_done_changes_nothing(store):
    (job_id,) = add(store, "a")
    store.cancel(job_id)

    def refuse(request):
        raise InputError(Text("", "gone"))

    with pytest.raises(InputError, match="gone"):
        store.retry(job_id, capacity=9, check=refuse)
    with pytest.raises(QueueFullError):
        store.retry(job_id, capacity=0, check=lambda request: None)
    assert store.get(job_id).status is JobStatus.CANCELLED


def test_deleted_jobs_are_forgotten_with_their_history_and_files(store):
    first, second = store.add([new_job("a", "batch"), new_job("b", "batch")], capacity=9, submission="key")
    with pytest.raises(QueueError) as caught:
        store.delete(first, lambda: pytest.fail("deleted the files of a job that waits"))
    assert caught.value.code == "job_unfinished"
    dropped = []
    for job_id in (first, second):
        store.cancel(job_id)
        store.delete(job_id, lambda: dropped.append("files"))
        with pytest.raises(JobNotFoundError):
            store.get(job_id)
    assert dropped == ["files"] * 2
    with store._database.reading() as db:
        assert [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("batch", "event")] == [0, 0]


def test_files_that_cannot_be_deleted_keep_their_job(store):
    (job_id,) = add(store, "a")
    store.cancel(job_id)

    def refuse():
        raise PermissionError

    with pytest.raises(PermissionError):
        store.delete(job_id, refuse)
    assert store.get(job_id).status is JobStatus.CANCELLED


def test_unknown_jobs_are_told(store):
    for ask in (store.get, store.cancel, store.move_to_front, store.events):
        with pytest.raises(JobNotFoundError, match="There is no job 0123"):
            ask("0123")


def test_old_jobs_are_left_out_of_the_list_and_stay_in_the_history(store):
    ids = add(store, "a", "b", "c", "d")
    for _ in range(3):
        store.claims.finish(store.claims.take(), JobStatus.DONE)
    assert [job.id for job in store.jobs(1)] == ids[2:]
    assert names(store.history(HistoryQuery(), limit=9).jobs) == ["d", "c", "b", "a"]
    assert store.get(ids[0]).status is JobStatus.DONE


def test_history_is_asked_by_words_states_and_time_and_in_pages(store):
    store.add(
        [
            new_job("Ärger 100%_x.mp4", "feed", queued_s=10.0),
            new_job("ärger.mov", queued_s=20.0),
            new_job("c", queued_s=30.0),
        ],
        capacity=9,
    )
    store.cancel(store.jobs(0)[2].id)

    def ask(limit=9, offset=0, **query):
        page = store.history(HistoryQuery(**query), limit=limit, offset=offset)
        return names(page.jobs), page.total

    assert ask(words="ÄRGER") == (["ärger.mov", "Ärger 100%_x.mp4"], 2)
    assert ask(words="ärger mp4 Speech") == (["Ärger 100%_x.mp4"], 1)
    assert ask(words="%_") == ask(words="feed") == (["Ärger 100%_x.mp4"], 1)
    assert ask(words="r%1") == ([], 0)
    assert ask(states=(JobStatus.CANCELLED, JobStatus.DONE)) == (["c"], 1)
    assert ask(since_s=20.0, until_s=30.0) == (["ärger.mov"], 1)
    assert ask(limit=1, offset=1) == (["ärger.mov"], 3)


def test_recent_work_is_of_jobs_that_are_done_and_measured(store):
    store.add(
        [new_job("a", speech_s=10.0), new_job("b", speech_s=20.0), new_job("c"), new_job("d", speech_s=1.0)], capacity=9
    )
    for _ in range(3):
        store.claims.finish(store.claims.take(), JobStatus.DONE)
    store.claims.finish(store.claims.take(), JobStatus.FAILED, error=ERROR)
    with store._database.writing() as db:
        db.execute("UPDATE job SET ended_s = started_s + 5 + place")
    assert sorted(store.recent_work()) == [(pytest.approx(6.0), 10.0), (pytest.approx(7.0), 20.0)]
    assert store.recent_work(limit=1) == [(pytest.approx(7.0), 20.0)]


def test_recent_work_leaves_previews_out_and_not_jobs_of_before_there_were_any(store):
    preview, video = new_job("a", speech_s=5.0), new_job("b", speech_s=20.0)
    store.add([replace(preview, request=replace(preview.request, kind=JobKind.PREVIEW)), video], capacity=9)
    for _ in range(2):
        store.claims.finish(store.claims.take(), JobStatus.DONE)
    assert [speech_s for _, speech_s in store.recent_work()] == [20.0]
    with store._database.writing() as db:
        db.execute("UPDATE job SET request = json_remove(request, '$.kind')")
    assert sorted(speech_s for _, speech_s in store.recent_work()) == [5.0, 20.0]


def test_a_batch_keeps_its_order_when_one_of_it_is_retried(store):
    store.add([new_job(name, "b") for name in ("one", "two")], capacity=9)
    store.add([new_job("other", "c"), new_job("alone")], capacity=9)
    first = store.batch("b")[0]
    store.cancel(first.id)
    store.retry(first.id, capacity=9, check=lambda request: None)
    assert names(store.batch("b")) == ["one", "two"] and store.batch("none") == []


def test_the_mark_differs_after_a_change_of_any_process_and_not_without_one(store, open_store):
    before = store.mark()
    store.history(HistoryQuery(), limit=9)
    assert store.claims.take() is None and store.mark() == before
    [job_id] = add(store, "one")
    assert (after := store.mark()) != before
    open_store("another").move_to_front(job_id)
    assert store.mark() not in (before, after)
