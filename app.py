"""Serve the page: the only place that builds things. Settings -> run log -> queue -> page -> server."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from heygem.errors import HeyGemError, SettingsError, Text
from heygem.jobs.job import Job, JobResult
from heygem.jobs.run_job import make_runner
from heygem.jobs.run_log import RunLog, open_run_log
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.progress import Progress
from heygem.settings import Settings
from heygem.ui.blocks import build_app
from heygem.ui.models_view import ModelRow

if TYPE_CHECKING:
    from heygem.model_manager import ModelManager

log = logging.getLogger("heygem.app")

EXIT_BAD_START = 2
"""Nothing that a restart would cure: a setting is wrong, or the port is taken."""


class Worker:
    """Does the queue's jobs. Torch and the models come with the first one: the page opens without waiting for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run = make_runner(settings)
        self._manager: ModelManager | None = None

    def run(self, job: Job, progress: Progress) -> JobResult:
        """Do one job; called on the queue's thread."""
        if self._manager is None:
            from heygem.model_manager import get_model_manager

            self._manager = get_model_manager(self._settings)
        return self._run(job, progress)

    def models(self) -> list[ModelRow]:
        """The models as the page shows them."""
        if self._manager is None:
            return []
        return [
            ModelRow(
                name=f"{model.key.kind}/{model.key.name}",
                place=model.key.placement,
                is_resident=model.sha256 is not None,
                size_mb=model.nbytes / 1e6,
                loads=model.loads,
                hits=model.hits,
            )
            for model in self._manager.statistics().models
        ]


def main() -> int:
    """Serve until SIGINT or SIGTERM; the exit status."""
    # The server puts these aside while it runs and raises the signal anew at its end: by then it has been obeyed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _already_stopping)
    try:
        settings = Settings.from_env(os.environ)
        run_log = _open_log(settings)
        listener = _listen(settings)
    except HeyGemError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n" if any(error.hint) else f"{error}\n")
        return EXIT_BAD_START
    worker = Worker(settings)
    queue = TaskQueue(worker.run, outputs_dir=settings.outputs_dir, capacity=settings.queue_capacity)
    queue.start()
    try:
        app = build_app(settings, queue, worker.models, run_log.tail)
        log.info("serving http://%s:%d", settings.host, listener.getsockname()[1])
        # An open page keeps a connection for events: without a limit the server would wait for it for ever.
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
        server.run(sockets=[listener])
    finally:
        log.info("stopping: running and waiting jobs are cancelled")
        if not queue.close():
            log.warning("the running job did not stop in time")
        log.info("stopped")
        run_log.close()
    return 0


def _open_log(settings: Settings) -> RunLog:
    try:
        return open_run_log(settings.log_file, max_bytes=settings.log_mb * 1_000_000, keep_files=settings.log_keep)
    except OSError as error:
        raise SettingsError(
            Text(
                f"无法写入日志文件 {settings.log_file}：{error.strerror}。",
                f"The run log {settings.log_file} cannot be written: {error.strerror}.",
            ),
            hint=Text("请设置 HEYGEM_LOG_FILE。", "Set HEYGEM_LOG_FILE to another path."),
        ) from error


def _listen(settings: Settings) -> socket.socket:
    """The socket to serve on, bound before anything slow happens, so that a taken port is told at once."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=128)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python adds the address, which the sentence has
        raise SettingsError(
            Text(
                f"无法监听 {settings.host}:{settings.port}：{reason}。",
                f"Cannot listen on {settings.host}:{settings.port}: {reason}.",
            ),
            hint=Text("端口可能已被占用，请设置 HEYGEM_PORT。", "The port may be taken; set HEYGEM_PORT to another."),
        ) from error


def _already_stopping(number: int, frame: FrameType | None) -> None:
    """Let the clean-up that is under way finish."""


if __name__ == "__main__":
    sys.exit(main())
