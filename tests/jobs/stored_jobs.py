"""Jobs for the tests of the store."""

import time
from pathlib import Path

from heygem.errors import Text
from heygem.jobs.job import Job, JobError, JobProgress, JobRequest, JobStatus
from heygem.jobs.job_folder import new_job_id
from heygem.pipeline.progress import Stage

PROGRESS = JobProgress(Stage.DRAWING, 1, 2)
ERROR = JobError("no_face", Text("没有人脸。", "No face."), Text("", ""))
DEAD = "00000000-0000-0000-0000-000000000000:1:1"
"""Owner of another boot."""


def new_job(name="clip.mp4", batch=None, **more):
    request = JobRequest(Path("clip").absolute(), Path("speech").absolute(), video_name=name, audio_name="speech.wav")
    return Job(new_job_id(), request, JobStatus.QUEUED, more.pop("queued_s", time.time()), batch, **more)


def add(store, *names, submission=None, capacity=100):
    return store.add([new_job(name) for name in names], capacity=capacity, submission=submission)


def names(jobs):
    return [job.request.video_name for job in jobs]


def claim_names(store):
    found = []
    while (claim := store.claims.take()) is not None:
        found.append(claim.job.request.video_name)
    return found
