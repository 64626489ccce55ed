"""The API over a real queue without a worker."""

from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

from heygem.errors import Notice, Text
from heygem.jobs.job import JobRequest, JobResult
from heygem.jobs.result_manifest import write_manifest
from heygem.jobs.task_queue import TaskQueue
from heygem.settings import Settings
from heygem.ui.api import Api
from heygem.ui.sign_in import USER

DATA = Path(__file__).resolve().parents[1] / "data"
CLIP, SPEECH = DATA / "presenter.mp4", DATA / "golden" / "speechlike_16k_4s.wav"


class Place:
    """A queue, and the API before it. `do` is what its jobs do."""

    def __init__(self, folder, **settings):
        self.uploads, self.outputs = folder / "uploads", folder / "outputs"
        self.user = None
        self.queue = TaskQueue(self.run, outputs_dir=self.outputs, capacity=3)
        self.do = lambda job, progress: None
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        Api(self.queue, Settings(outputs_dir=self.outputs, **settings), self.uploads).serve(app)
        self.app = app
        self.http = TestClient(self.as_user)

    async def as_user(self, scope, receive, send):
        await self.app({**scope, USER: self.user} if self.user else scope, receive, send)

    def run(self, job, progress):
        self.do(job, progress)
        output = self.outputs / job.id / "result.mp4"
        output.write_bytes(b"0123456789")
        write_manifest(output, {"made": "by a test"})
        return JobResult(output, None, Text("引擎", "Engine"), (Notice("note", Text("注意", "Mind")),))

    def queued(self, name="clip.mp4"):
        return self.queue.submit(JobRequest(CLIP, SPEECH, video_name=name))

    def leftovers(self):
        return list(self.uploads.rglob("*")) if self.uploads.exists() else []
