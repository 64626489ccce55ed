"""Serve the page: the only place that builds things. Settings -> run log -> queue -> page -> server."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from heygem.errors import HeyGemError, JobCancelled, SettingsError, Text
from heygem.jobs.disk_guard import DiskGuard
from heygem.jobs.executors import Executor, LocalExecutor
from heygem.jobs.file_lock import hold_outputs
from heygem.jobs.first_look import FirstLook
from heygem.jobs.janitor import Janitor
from heygem.jobs.job import Job, JobResult
from heygem.jobs.marking import Marking
from heygem.jobs.run_job import make_runner, speech_seconds
from heygem.jobs.run_log import RunLog, open_run_log
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.pipeline.progress import Progress
from heygem.settings import Settings
from heygem.training.speaker_folder import sweep_unfinished
from heygem.ui.bind_rule import check_bind
from heygem.ui.blocks import build_app
from heygem.ui.connections import BACKLOG, PatientProtocol, allow_open_files
from heygem.ui.health import Health
from heygem.ui.models_view import ModelControls, ModelRow, Room
from heygem.ui.preflight_desk import PreflightDesk, Question
from heygem.ui.uploads import check_input_dir
from heygem.weights.download_desk import DownloadDesk

if TYPE_CHECKING:
    from heygem.jobs.known_clips import KnownClips
    from heygem.model_manager import ModelManager

log = logging.getLogger("heygem.app")

EXIT_BAD_START = 2
"""Nothing that a restart would cure: a setting is wrong, or the port is taken."""

EXIT_PROCESS_LOST = 75
"""Only a new process can go on: the device failed in this one. start_app.sh begins one."""

_SAME_STOP_S = 1.0
"""Signals within so many seconds are one: Ctrl-C comes from the terminal, and again from start_app.sh."""


class Worker:
    """Does the queue's jobs. Torch and the models come with the first one: the page opens without waiting for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run = make_runner(settings, clips=self.clips)
        self.first_look = FirstLook(settings, self.manager, self.clips)
        self._manager: ModelManager | None = None
        self._clips: KnownClips | None = None
        self._building = threading.Lock()
        self._is_at_work = False

    def run(self, job: Job, progress: Progress) -> JobResult:
        """Do one job; called on the queue's thread."""
        self._is_at_work = True
        try:
            self.manager()
            return self._run(job, progress)
        finally:
            self._is_at_work = False

    def search_ahead(self, question: Question, is_wanted: Callable[[], bool]) -> bool:
        """Find the faces for a job that may come, while there is none; False if it is to be tried again."""
        assert question.clip is not None and question.speech is not None
        if self._is_at_work:
            return False
        try:
            self.first_look.search_ahead(
                question.clip, question.speech, question.options, lambda: is_wanted() and not self._is_at_work
            )
        except JobCancelled:
            return False
        return True

    def clips(self) -> KnownClips:
        """What is known of clips; called on the threads that need it first."""
        from heygem.jobs.known_clips import KnownClips

        with self._building:
            self._clips = self._clips or KnownClips(self._settings)
        return self._clips

    def manager(self) -> ModelManager:
        """The process's models; called on the threads that need them first."""
        if self._manager is None:
            from heygem.model_manager import get_model_manager

            self._manager = get_model_manager(self._settings)
        return self._manager

    def models(self) -> list[ModelRow]:
        """The models as the page shows them."""
        if self._manager is None:
            return []
        now = time.monotonic()
        return [
            ModelRow(
                name=f"{model.key.kind}/{model.key.name}",
                place=model.key.placement,
                is_resident=model.sha256 is not None,
                size_mb=model.nbytes / 1e6,
                loads=model.loads,
                hits=model.hits,
                load_s=sum(model.seconds.values()),
                idle_s=None if model.leases_open else now - model.last_used,
            )
            for model in self._manager.statistics().models
        ]

    def vram(self) -> Room | None:
        """The device's memory; None where no device has any of its own in use."""
        cuda = self._manager.statistics().cuda if self._manager is not None else None
        return None if cuda is None else Room(cuda.total - cuda.free, cuda.total)

    def unload(self) -> None:
        """Free the models; those in use as soon as their job ends."""
        if self._manager is not None:
            self._manager.unload()

    def warm_up(self) -> None:
        """Load the default models on a thread of its own; what goes wrong is told by the run log."""
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            self.first_look.warm_up()
        except HeyGemError as error:
            log.warning("the models could not be loaded: %s %s", error, error.hint)


class Shutdown:
    """Ends the process: at a signal, or when only a new process can go on."""

    def __init__(self) -> None:
        self.status = 0
        self._is_wanted = False
        self._asked_at: float | None = None
        self._queue: TaskQueue | None = None
        self._server: uvicorn.Server | None = None
        self._grace_s = 0.0

    def attach(self, queue: TaskQueue, server: uvicorn.Server, grace_s: float) -> None:
        """Say what is to be ended, and how many seconds a running job may take; it may have been asked for already."""
        self._queue, self._server, self._grace_s = queue, server, grace_s
        server.should_exit = self._is_wanted

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop; the second time, without waiting for the running job."""
        now = time.monotonic()
        is_second = self._asked_at is not None and now - self._asked_at > _SAME_STOP_S
        self._asked_at = self._asked_at or now
        if self._queue is not None:
            self._queue.stop(0 if is_second else self._grace_s)
        self._end_server()

    def on_process_lost(self) -> None:
        """Stop, and ask for a new process."""
        self.status = EXIT_PROCESS_LOST
        self._end_server()

    def _end_server(self) -> None:
        self._is_wanted = True
        if self._server is not None:
            self._server.should_exit = True


class Server(uvicorn.Server):
    """uvicorn's, with our answer to signals: its own raises them anew at its end, where ours counts them.

    Args:
        config: uvicorn's own.
        shutdown: What signals are told to.
        on_open: Called once when requests are answered; may not take long.
    """

    def __init__(self, config: uvicorn.Config, shutdown: Shutdown, on_open: Callable[[], None]) -> None:
        super().__init__(config)
        self._shutdown = shutdown
        self._on_open = on_open

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once, before it serves."""
        await super().startup(sockets)
        if self.started:
            self._on_open()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called at SIGINT and SIGTERM while it serves."""
        self._shutdown.on_signal(sig, frame)


def main() -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; the exit status."""
    shutdown = Shutdown()
    allow_open_files()
    # The server puts the first two aside while it runs.
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signals.append(signal.SIGHUP)  # the terminal is closed: the running job still gets its time
    for number in signals:
        signal.signal(number, shutdown.on_signal)
    try:
        settings = Settings.from_env(os.environ)
        os.environ.pop("HEYGEM_AUTH", None)  # a password; ffmpeg, which inherits the rest, has no use for it
        run_log = _open_log(settings)
        check_bind(settings)
        check_input_dir(settings)
        for notice in Marking.of(settings).notices:
            log.warning("%s %s", notice.text, notice.hint)
        worker = Worker(settings)
        disk = DiskGuard(settings.outputs_dir, settings.min_free_mb * 1_000_000)
        watchdog = Watchdog(stall_s=settings.stall_s, on_stall=lambda job_id, cause: queue.give_up(job_id, cause))
        queue = TaskQueue(
            _executor(settings, worker, watchdog),
            outputs_dir=settings.outputs_dir,
            capacity=settings.queue_capacity,
            can_claim=disk.reason_to_wait,
            measure=speech_seconds,
            on_process_lost=shutdown.on_process_lost,
        )
        janitor = Janitor(queue.store, settings)
        held = hold_outputs(settings.outputs_dir)
        listener = _listen(settings)
    except HeyGemError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n" if any(error.hint) else f"{error}\n")
        return EXIT_BAD_START
    try:
        health = Health(queue, worker.models, disk, watchdog)
        ahead = None if settings.ray_address else worker.search_ahead  # a cluster keeps what it finds itself
        desk = PreflightDesk(worker.first_look.headers, worker.first_look.report, ahead)
        downloads = DownloadDesk(settings.models_dir)
        controls = ModelControls(worker.warm_up, worker.unload, worker.vram, downloads, queue.actors)
        app = build_app(settings, queue, worker.models, run_log.tail, health, desk, controls)
        # An open page keeps a connection for events: without a limit the server would wait for it for ever.
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=1, backlog=BACKLOG, http=PatientProtocol
        )
        server = Server(config, shutdown, worker.warm_up if _is_preloading(settings) else lambda: None)
        shutdown.attach(queue, server, settings.stop_grace_s)
        sweep_unfinished(settings.models_dir)
        queue.start()
        watchdog.start()
        janitor.start()
        log.info("serving http://%s:%d", settings.host, listener.getsockname()[1])
        server.run(sockets=[listener])
    finally:
        log.info("stopping: jobs that wait stay in the queue")
        janitor.close()
        is_closed = queue.close(settings.stop_grace_s)
        log.info("stopped" if is_closed else "stopped; the running job did not answer and will run again")
        run_log.close()
        if is_closed:  # else a job may still be writing: held to the end
            held.close()
    return shutdown.status


def _is_preloading(settings: Settings) -> bool:
    """Whether the models are loaded before the first job: not where a cluster does the jobs."""
    return settings.preload and not settings.ray_address


def _executor(settings: Settings, worker: Worker, watchdog: Watchdog) -> Executor:
    """Does the jobs here, or on the cluster that is named."""
    if not settings.ray_address:
        return LocalExecutor(watchdog.watched(worker.run))
    from heygem.cluster.ray_executor import RayExecutor  # what it needs is not installed everywhere

    return RayExecutor(settings, worker.run, watched=watchdog.watched)


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
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python adds the address, which the sentence has
        raise SettingsError(
            Text(
                f"无法监听 {settings.host}:{settings.port}：{reason}。",
                f"Cannot listen on {settings.host}:{settings.port}: {reason}.",
            ),
            hint=Text("端口可能已被占用，请设置 HEYGEM_PORT。", "The port may be taken; set HEYGEM_PORT to another."),
        ) from error


if __name__ == "__main__":
    status = main()
    with suppress(OSError):  # the terminal is gone
        sys.stderr.flush()
    # All is saved and closed. Libraries take seconds to be taken apart, and may not bear it around a job that hangs.
    os._exit(status)
