from pathlib import Path

import pytest

from heygem.jobs.job import Job, JobProgress, JobRequest, JobStatus
from heygem.jobs.waiting_time import with_times
from heygem.pipeline.progress import Stage

NOW = 1000.0
DONE = [(20.0, 10.0), (30.0, 10.0), (900.0, 10.0)]
"""Three seconds of work per second of speech, and one that waited for a model."""


def job(status, speech_s, **more):
    return Job(
        "id" + str(more.get("position", 0)), JobRequest(Path("c"), Path("s")), status, 0.0, speech_s=speech_s, **more
    )


def running(speech_s=10.0, progress=None):
    return job(JobStatus.RUNNING, speech_s, started_s=NOW - 12, progress=progress)


def waiting(position, speech_s):
    return job(JobStatus.QUEUED, speech_s, position=position)


def times(*jobs, done=DONE):
    return [job.eta_s for job in with_times(jobs, done, NOW)]


def test_a_waiting_job_waits_for_those_before_it_whatever_the_order_of_the_list():
    assert times(running(), waiting(2, 10.0), waiting(1, 5.0)) == pytest.approx([18.0, 63.0, 33.0])


def test_the_running_jobs_own_pace_counts_while_it_draws():
    drawing = JobProgress(Stage.DRAWING, 1, 10, 2.0, 4.5)
    tracking = JobProgress(Stage.TRACKING, 1, 10, 2.0, 4.5)
    assert times(running(progress=drawing), waiting(1, 10.0)) == pytest.approx([4.5, 34.5])
    assert times(running(progress=tracking)) == pytest.approx([18.0])
    # Late already: it will be done any moment.
    assert times(running(speech_s=1.0)) == [0.0]


def test_what_cannot_be_told_is_not_told():
    assert times(waiting(1, 10.0), done=[]) == [None]
    assert times(waiting(1, 10.0), waiting(2, None), waiting(3, 1.0)) == [30.0, None, None]
    assert times(running(speech_s=None), waiting(1, 10.0)) == [None, None]


def test_jobs_that_ended_have_no_time():
    assert times(job(JobStatus.DONE, 10.0)) == [None]


def test_work_that_took_less_than_no_time_tells_nothing():
    backwards = (-3599.0, 10.0)  # the clock was set back while the job ran
    assert times(waiting(1, 10.0), done=[backwards]) == [None]
    assert times(waiting(1, 10.0), done=[backwards, (20.0, 10.0)]) == [20.0]
