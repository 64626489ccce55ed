"""Results over HTTP, straight from the jobs' folders.

Not through gradio: a file that gradio serves is hashed and copied into its cache first (5 s and twice the disk for
1 GB), or else its whole folder is open, with everything in it that a user may have put there. Here only what a job made
can be had, by the job's id.
"""

from __future__ import annotations

import time
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, Response, StreamingResponse

from heygem.errors import JobNotFoundError
from heygem.jobs.batch_archive import stream_archive
from heygem.jobs.job import Job, JobKind
from heygem.jobs.task_queue import TaskQueue


def serve_results(app: FastAPI, queue: TaskQueue) -> None:
    """Add the routes of results to `app`."""

    @app.get("/results/{job_id}/result.mp4")
    def video(job_id: str, download: bool = False) -> FileResponse:
        job = _job(queue, job_id)
        return _file(job.result.output if job.result else None, "video/mp4", download_name(job) if download else None)

    @app.get("/results/{job_id}/poster.jpg")
    def poster(job_id: str) -> FileResponse:
        job = _job(queue, job_id)
        return _file(job.result.poster if job.result else None, "image/jpeg", None)

    @app.get("/results/{job_id}/newest.jpg")
    def newest(job_id: str) -> Response:
        picture = queue.newest_picture(job_id)
        if picture is None:  # a page that heard of it a moment ago asks for it when the job has ended: no fault of its
            return Response(status_code=204)
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @app.get("/batches/{batch_id}/results.zip")
    def archive(batch_id: str) -> StreamingResponse:
        jobs = queue.store.batch(batch_id)
        done = sum(job.result is not None for job in jobs)
        if not done:
            raise HTTPException(404)
        when = time.strftime("%Y%m%d-%H%M%S", time.localtime(jobs[0].queued_s))
        name = f"heygem-{when}-{done}of{len(jobs)}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingResponse(stream_archive(jobs), media_type="application/zip", headers=headers)


def download_name(job: Job) -> str:
    """What a result is called where it is saved."""
    made = "preview" if job.request.kind is JobKind.PREVIEW else "heygem"
    return f"{Path(job.request.title).stem}_{made}.mp4"


def _job(queue: TaskQueue, job_id: str) -> Job:
    try:
        return queue.get(job_id)
    except JobNotFoundError as error:
        raise HTTPException(404) from error


def _file(path: Path | None, media_type: str, download_name: str | None) -> FileResponse:
    if path is None or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=media_type, filename=download_name)
