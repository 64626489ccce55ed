"""The run log as a file."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response


def serve_log(app: FastAPI, log_file: Path) -> None:
    """Add the route of the run log to `app`.

    Args:
        app: Whoever may see the page may see what it serves.
        log_file: Its size is bounded by the settings; it may grow while it is read.
    """

    @app.get("/log")
    def log() -> Response:
        try:
            # Whole: a file that grows while it is sent does not have the length that was announced.
            content = log_file.read_bytes()
        except OSError as error:
            raise HTTPException(404) from error
        headers = {"Content-Disposition": 'attachment; filename="heygem.log"', "Cache-Control": "no-store"}
        return Response(content, media_type="text/plain; charset=utf-8", headers=headers)
