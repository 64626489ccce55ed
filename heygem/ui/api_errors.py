"""Errors over HTTP: one form for all, in both languages. Knows which status fits which error."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from heygem.errors import (
    NOTHING,
    HeyGemError,
    InputError,
    JobNotFoundError,
    QueueError,
    QueueFullError,
    Text,
)

log = logging.getLogger(__name__)

_QUEUE_FULL_RETRY_S = 30

_STATUS = {
    "too_big": 413,
    "too_much": 413,
    "inputs_gone": 409,
    "not_retryable": 409,
    "job_unfinished": 409,
    "not_done": 409,
    "result_gone": 404,
    "no_such_path": 404,
}
"""By code; what is not here goes by its class."""


def error_body(code: str, message: Text, hint: Text = NOTHING) -> dict[str, object]:
    """What every answer that is an error holds."""
    return {"code": code, "message": message._asdict(), "hint": hint._asdict()}


def status_of(error: HeyGemError) -> int:
    """The HTTP status that says what kind of error it is."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    kinds = {JobNotFoundError: 404, QueueFullError: 429, QueueError: 503, InputError: 400}
    return next((status for kind, status in kinds.items() if isinstance(error, kind)), 500)


def bear_broken_requests(app: FastAPI) -> None:
    """Take it as nothing special if whoever sends a request goes away before its end."""

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        log.info("%s %s: the sender went away", request.method, request.url.path)
        return Response(status_code=400)  # which nobody reads


def answer_errors(app: FastAPI) -> None:
    """Turn what the routes of `app` raise into answers."""
    bear_broken_requests(app)

    @app.exception_handler(HeyGemError)
    async def ours(request: Request, error: HeyGemError) -> JSONResponse:
        status = status_of(error)
        if status >= 500:
            log.warning("%s %s: %s", request.method, request.url.path, error)
        headers = {"retry-after": str(_QUEUE_FULL_RETRY_S)} if status == 429 else None
        return JSONResponse(error_body(error.code, error.text, error.hint), status, headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(error_body("bad_request", describe_validation(error)), 400)


def describe_validation(error: RequestValidationError) -> Text:
    """The first thing that is wrong with what was sent, without repeating it."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return Text(f"请求的 {place} 无效：{first['msg']}。", f"{place} of the request is not valid: {first['msg']}.")
