"""What scripts may ask, under /api/v1. Knows the queue; what is sent and told is in `api_intake` and `api_models`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from heygem.errors import NOTHING, QueueError, Text
from heygem.jobs.job import Job, JobKind, JobStatus
from heygem.jobs.job_history import HistoryQuery
from heygem.jobs.result_manifest import manifest_of
from heygem.jobs.task_queue import TaskQueue
from heygem.settings import Settings
from heygem.ui.api_docs import serve_docs
from heygem.ui.api_errors import answer_errors, error_body
from heygem.ui.api_events import job_events
from heygem.ui.api_intake import Intake
from heygem.ui.api_models import BatchAnswer, ErrorAnswer, JobAnswer, Options, PageAnswer
from heygem.ui.results import download_name
from heygem.ui.sign_in import USER

_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", max_length=200, description="Sent again with the same key, it returns the same jobs."
    ),
]
_Kind = Annotated[
    Literal["video", "preview"],
    Query(description="What to make: the video, or a preview of its hardest five seconds, before all that waits."),
]
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer} for status in (400, 401, 404, 409, 413, 429, 503)
}


class Api:
    """The routes.

    Args:
        queue: Where jobs go.
        settings: What is taken.
        uploads_dir: Where uploads lie until the queue has linked them.
    """

    def __init__(self, queue: TaskQueue, settings: Settings, uploads_dir: Path) -> None:
        self._queue = queue
        self._intake = Intake(uploads_dir, settings)

    def serve(self, app: FastAPI) -> None:
        """Add the routes, their description and the form of their errors to `app`."""
        router = APIRouter(prefix="/api/v1", tags=["jobs"], responses=_ERRORS)
        add = router.add_api_route
        add("/jobs", self.submit, methods=["POST"], status_code=201, openapi_extra=_form("video"))
        add("/batches", self.submit_batch, methods=["POST"], status_code=201, openapi_extra=_form("videos"))
        add("/speakers", self.submit_speaker, methods=["POST"], status_code=201, openapi_extra=_clip_form())
        add("/jobs", self.find, methods=["GET"])
        add("/jobs/{job_id}", self.get, methods=["GET"])
        add("/jobs/{job_id}", self.delete, methods=["DELETE"], status_code=204)
        add("/jobs/{job_id}/cancel", self.cancel, methods=["POST"])
        add("/jobs/{job_id}/retry", self.retry, methods=["POST"])
        add("/jobs/{job_id}/front", self.move_to_front, methods=["POST"])
        add("/jobs/{job_id}/events", self.events, methods=["GET"], response_class=StreamingResponse)
        add("/jobs/{job_id}/result.mp4", self.result, methods=["GET"], response_class=FileResponse)
        add("/jobs/{job_id}/manifest.json", self.manifest, methods=["GET"], response_class=FileResponse)
        # Without it, what is mistyped would be answered by the page.
        add("/{rest:path}", _nothing_here, methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False)
        app.include_router(router)
        answer_errors(app)
        serve_docs(app, router)

    async def submit(
        self, request: Request, response: Response, idempotency_key: _Key = None, kind: _Kind = "video"
    ) -> JobAnswer:
        """Submit one job: a speech and a clip."""
        submission = _submission(request, "job" if kind == "video" else kind, idempotency_key)
        async with self._intake.job(request) as asked:
            wanted = replace(asked, kind=JobKind(kind))
            job = await run_in_threadpool(self._queue.submit, wanted, submission=submission)
        response.headers["location"] = f"/api/v1/jobs/{job.id}"
        return JobAnswer.of(job)

    async def submit_batch(self, request: Request, idempotency_key: _Key = None) -> BatchAnswer:
        """Submit a batch: one speech and many clips. All are queued, or none; one that fails later stops no other."""
        submission = _submission(request, "batch", idempotency_key)
        async with self._intake.batch(request) as asked:
            jobs = await run_in_threadpool(self._queue.submit_batch, asked, submission=submission)
        return BatchAnswer.of(jobs)

    async def submit_speaker(
        self,
        request: Request,
        response: Response,
        name: Annotated[str, Query(max_length=200, description="What `lips` of later jobs will take.")],
    ) -> JobAnswer:
        """Train a lip model of the person in one clip with its own sound. Sent again, its name is taken."""
        jobs = await run_in_threadpool(self._queue.jobs)
        async with self._intake.speaker(request, name, jobs) as asked:
            job = await run_in_threadpool(self._queue.submit, asked)
        response.headers["location"] = f"/api/v1/jobs/{job.id}"
        return JobAnswer.of(job)

    def find(
        self,
        state: Annotated[list[JobStatus] | None, Query(description="Only these; may be given more than once.")] = None,
        words: Annotated[str, Query(max_length=200, description="Each occurs in a name or an id.")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> PageAnswer:
        """List jobs of any age, the newest submission first."""
        page = self._queue.history(HistoryQuery(words=words, states=tuple(state or ())), limit=limit, offset=offset)
        fresh: dict[str, Job] = {}
        if not all(job.status.is_final for job in page.jobs):  # only the queue knows their positions and times
            fresh = {job.id: job for job in self._queue.jobs()}
        return PageAnswer(total=page.total, jobs=[JobAnswer.of(fresh.get(job.id, job)) for job in page.jobs])

    def get(self, job_id: str) -> JobAnswer:
        """Ask for one job."""
        return JobAnswer.of(self._queue.get(job_id))

    def delete(self, job_id: str) -> None:
        """Forget a job that does not run, and delete its result."""
        self._queue.delete(job_id)

    def cancel(self, job_id: str) -> JobAnswer:
        """Drop a waiting job, or ask a running one to stop; one that has ended is left as it is."""
        self._queue.cancel(job_id)
        return self.get(job_id)

    def retry(self, job_id: str) -> JobAnswer:
        """Queue a failed, interrupted or cancelled job anew, behind all others; a preview before them."""
        return JobAnswer.of(self._queue.retry(job_id))

    def move_to_front(self, job_id: str) -> JobAnswer:
        """Make a waiting job the next to run; any other is left as it is."""
        return JobAnswer.of(self._queue.move_to_front(job_id))

    async def events(self, job_id: str, request: Request) -> StreamingResponse:
        """Follow a job: server-sent events `progress` while it changes, then `end`; each with the job as JSON."""
        await run_in_threadpool(self._queue.get, job_id)  # one that is not there is told as a status
        return StreamingResponse(
            job_events(self._queue, job_id, request),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    def result(self, job_id: str) -> FileResponse:
        """Fetch the video of a job that is done; parts of it by `Range`."""
        job = self._queue.get(job_id)
        return FileResponse(_result_file(job), media_type="video/mp4", filename=download_name(job))

    def manifest(self, job_id: str) -> FileResponse:
        """Fetch what is known of how the video was made, with its sha256."""
        path = manifest_of(_result_file(self._queue.get(job_id)))
        if not path.is_file():
            raise _gone()
        return FileResponse(path, media_type="application/json")


def _result_file(job: Job) -> Path:
    """The video of a job.

    Raises:
        QueueError: it is not done, or its result is not there any more.
    """
    if job.result is None:
        raise QueueError(
            Text("任务没有结果。", "The job has no result."),
            hint=Text(f"它的状态是 {job.status}。", f"It is {job.status}."),
            code="not_done",
        )
    if not job.result.output.is_file():
        raise _gone()
    return job.result.output


def _gone() -> QueueError:
    return QueueError(Text("结果文件已不存在。", "The file is not there any more."), code="result_gone")


def _submission(request: Request, kind: str, key: str | None) -> str | None:
    """The queue's name for a submission: the same key of somebody else, or for something else, is another."""
    return f"api:{kind}:{request.scope.get(USER, '')}:{key}" if key else None


async def _nothing_here(rest: str) -> JSONResponse:
    return JSONResponse(error_body("no_such_route", Text("没有这个接口。", "There is nothing here."), NOTHING), 404)


def _form(video_field: str) -> dict[str, Any]:
    """The request's body for the description, which the framework cannot know: we read it ourselves."""

    def fields(one: dict[str, str], options: dict[str, Any]) -> dict[str, Any]:
        videos = {"type": "array", "items": one} if video_field == "videos" else one
        properties = {"audio": one, video_field: videos, "options": options}
        return {"schema": {"type": "object", "properties": properties, "required": ["audio", video_field]}}

    form = fields({"type": "string", "format": "binary"}, {"type": "string", "description": "The options as JSON."})
    path = {"type": "string", "description": "Path inside HEYGEM_INPUT_DIR."}
    content = {"multipart/form-data": form, "application/json": fields(path, Options.model_json_schema())}
    return {"requestBody": {"required": True, "content": content}}


def _clip_form() -> dict[str, Any]:
    """Likewise, of a clip alone."""

    def content(video: dict[str, str]) -> dict[str, Any]:
        return {"schema": {"type": "object", "properties": {"video": video}, "required": ["video"]}}

    form = content({"type": "string", "format": "binary"})
    path = content({"type": "string", "description": "Path inside HEYGEM_INPUT_DIR."})
    return {"requestBody": {"required": True, "content": {"multipart/form-data": form, "application/json": path}}}
