"""The buttons in lists of jobs, over a real queue."""

from dataclasses import replace

import pytest

from heygem.errors import NoFaceError, Text
from heygem.jobs.job import JobRequest, JobResult, JobStatus
from heygem.jobs.task_queue import TaskQueue
from heygem.ui.job_actions import JobActions
from heygem.ui.panel import Chosen


class House:
    def __init__(self, folder):
        self.clip = folder / "clip.mp4"
        self.clip.write_bytes(b"clip")
        self.outputs = folder / "outputs"
        self.bad = {"bad"}
        self.queue = TaskQueue(self.run, outputs_dir=self.outputs, capacity=3)
        self.actions = JobActions(self.queue)

    def run(self, job, progress):
        if job.request.video_name in self.bad:
            raise NoFaceError(Text("没有人脸", "no face"))
        output = self.outputs / job.id / "result.mp4"
        output.write_bytes(b"video")
        return JobResult(output, None, Text("", ""))

    def batch(self, *names, runs=True):
        jobs = self.queue.submit_batch([JobRequest(self.clip, self.clip, video_name=name) for name in names])
        if runs:
            self.run_all()
        return jobs

    def run_all(self):
        while self.queue.run_next():
            pass

    def act(self, act, target="", chosen=None):
        return self.actions.act(chosen or Chosen(), act, target)

    def states(self, jobs):
        return [self.queue.store.states().get(job.id) for job in jobs]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.queue.close(0)


DONE, FAILED, QUEUED, CANCELLED = JobStatus.DONE, JobStatus.FAILED, JobStatus.QUEUED, JobStatus.CANCELLED


def test_a_button_pressed_twice_does_what_it_does_once(house):
    bad, good = jobs = house.batch("bad", "good")
    for _ in range(2):
        assert house.act("retry", bad.id) == Chosen()
    assert house.states(jobs) == [QUEUED, DONE]
    for _ in range(2):
        assert house.act("cancel", bad.id) == Chosen()
    assert house.states(jobs) == [CANCELLED, DONE]
    for _ in range(2):
        assert house.act("delete", good.id) == Chosen()
    assert house.states(jobs) == [CANCELLED, None]
    assert not (house.outputs / good.id).exists()


def test_a_waiting_job_is_moved_to_the_front(house):
    jobs = house.batch("one", "two", "three", runs=False)
    house.act("front", jobs[2].id)
    assert [house.queue.get(job.id).position for job in jobs] == [2, 3, 1]


def test_delete_does_not_stop_a_job_that_was_queued_again_meanwhile(house):
    [bad] = house.batch("bad")
    house.act("retry", bad.id)
    refusal = house.act("delete", bad.id).refusal
    assert refusal.target == bad.id and refusal.text.en == "The job has not ended yet; cancel it first."
    assert house.states([bad]) == [QUEUED]


def test_a_refusal_is_gone_with_the_next_button(house):
    [bad] = house.batch("bad")
    (house.outputs / bad.id / "clip").unlink()
    chosen = house.act("retry", bad.id)
    assert chosen.refusal.text.en == "The inputs of this job are gone." and chosen.refusal.hint.zh
    assert house.act("play", bad.id, chosen) == Chosen(playing=bad.id)


def test_retry_failed_queues_every_failed_clip_again_and_no_other(house):
    jobs = house.batch("stopped", "bad", "good", runs=False)
    house.act("cancel", jobs[0].id)
    house.run_all()
    house.act("retry-batch", jobs[0].batch_id)
    assert house.states(jobs) == [CANCELLED, QUEUED, DONE]
    house.bad.clear()
    house.run_all()
    assert house.states(jobs) == [CANCELLED, DONE, DONE]


def test_retry_failed_says_what_it_could_not_do_and_does_the_rest(house):
    jobs = house.batch("bad", "bad")
    (house.outputs / jobs[0].id / "clip").unlink()
    refusal = house.act("retry-batch", jobs[0].batch_id).refusal
    assert refusal.target == jobs[0].batch_id and refusal.text.en == "1 jobs: The inputs of this job are gone."
    assert house.states(jobs) == [FAILED, QUEUED]


def test_a_batch_is_cancelled_as_a_whole(house):
    jobs = house.batch("one", "two", runs=False)
    assert house.act("cancel-batch", jobs[0].batch_id) == Chosen()
    assert house.states(jobs) == [CANCELLED, CANCELLED]


def test_what_is_selected_is_deleted_and_what_cannot_be_stays_selected(house):
    jobs = house.batch("bad", "good", "good")
    chosen = house.act("select-page", " ".join(job.id for job in jobs[:2]))
    chosen = house.act("unselect", jobs[1].id, house.act("select", jobs[2].id, chosen))
    assert chosen.history.selected == {jobs[0].id, jobs[2].id}
    house.act("retry", jobs[0].id)
    chosen = house.act("delete-selected", "", chosen)
    assert house.states(jobs) == [QUEUED, DONE, None]
    assert chosen.history.selected == {jobs[0].id} and chosen.refusal.text.zh.startswith("1 个任务：")
    assert house.act("unselect-page", "", chosen).history.selected == frozenset()


def test_another_page_drops_what_was_selected(house):
    chosen = house.act("page", "3", house.act("select", "x"))
    assert chosen.history.page == 3 and not chosen.history.selected


@pytest.mark.parametrize(("act", "target"), [("page", "-1"), ("page", "9" * 30), ("page", "x"), ("explode", "x")])
def test_nonsense_changes_nothing(house, act, target):
    chosen = replace(Chosen(), playing="p")
    assert house.act(act, target, chosen) == chosen
    for name in ("cancel", "retry", "front", "delete", "retry-batch", "cancel-batch"):
        assert house.act(name, "no such job", chosen) == chosen
