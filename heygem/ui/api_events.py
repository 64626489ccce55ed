"""A job's progress as server-sent events. Knows how they are written; asks the queue, which tells nobody by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from heygem.errors import JobNotFoundError
from heygem.jobs.task_queue import TaskQueue
from heygem.ui.api_errors import error_body
from heygem.ui.api_models import ErrorAnswer, JobAnswer

_LOOK_S = 0.5
_SIGN_OF_LIFE_S = 15.0
"""Proxies close what is silent for a minute."""


async def job_events(queue: TaskQueue, job_id: str, request: Request, *, look_s: float = _LOOK_S) -> AsyncIterator[str]:
    """``progress`` whenever the job has changed, then ``end`` once; each with the job, as JSON.

    Ends with the job, and when nobody listens any more. A job that is deleted meanwhile ends with ``gone``.

    Args:
        queue: Whose job it is.
        job_id: The job.
        request: Of whoever listens.
        look_s: Seconds between two looks.
    """
    last, silent_s = "", 0.0
    while not await request.is_disconnected():
        try:
            job = await run_in_threadpool(queue.get, job_id)
        except JobNotFoundError as error:
            yield _event("gone", ErrorAnswer.model_validate(error_body(error.code, error.text)).model_dump_json())
            return
        now = JobAnswer.of(job).model_dump_json()
        if job.status.is_final:
            yield _event("end", now)
            return
        if now != last:
            yield _event("progress", now)
            last, silent_s = now, 0.0
        elif silent_s >= _SIGN_OF_LIFE_S:
            yield ": waiting\n\n"
            silent_s = 0.0
        silent_s += look_s
        await anyio.sleep(look_s)


def _event(kind: str, data: str) -> str:
    return f"event: {kind}\ndata: {data}\n\n"
