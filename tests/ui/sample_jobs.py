"""Jobs in every state, for what draws them."""

from pathlib import Path

from heygem.errors import Text
from heygem.jobs.job import Job, JobError, JobRequest, JobResult, JobStatus

HOSTILE = "<script>alert(1)</script> \"x\" 'y' & {{value}} ${1+1}.mp4"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt; &quot;x&quot; &#x27;y&#x27; &amp; {{value}} ${1+1}.mp4"
ID = "0123456789ab"


def job(status, job_id=ID, name="clip.mp4", **more):
    request = JobRequest(Path("/out/clip"), Path("/out/speech"), video_name=name, audio_name=name)
    return Job(job_id, request, status, **{"queued_s": 0.0, **more})


def failed(**more):
    error = JobError("no_face", Text("没有人脸 <b>", "No face <b>"), Text("换一段", "Use another"))
    return job(JobStatus.FAILED, error=error, started_s=1.0, ended_s=2.0, **more)


def done(poster=None, **more):
    result = JobResult(Path("/out/result.mp4"), poster, Text("引擎 <i>", "Engine <i>"))
    return job(JobStatus.DONE, result=result, started_s=10.0, ended_s=85.0, **more)


def running(progress=None, **more):
    return job(JobStatus.RUNNING, progress=progress, started_s=100.0, **more)


def waiting(position=1, **more):
    return job(JobStatus.QUEUED, position=position, **more)
