"""Jobs of the queue on actors of Ray: hands out, listens, brings home. Ray is a dumb executor: the queue knows best.

A job runs on one actor. Its owner is the queue's process, which asks for signs of life and passes them on as the job's
heartbeat; when the queue wants the job no more, the actor hears that. What an actor made counts when its owner says so.
"""

from __future__ import annotations

import importlib.util
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from heygem.cluster.door_process import DoorProcess
from heygem.cluster.file_store import FileStore
from heygem.cluster.handshake import own_facts
from heygem.cluster.messages import ActorGoneError, ActorSilentError, Ended, SharedSettings, Sign, Task
from heygem.cluster.pool import Pool, Seat
from heygem.errors import ClusterError, HeyGemError, JobRequeued, Text, WorkerLostError
from heygem.jobs.executors import Executor, Work
from heygem.jobs.job import Job, JobError, JobKind, JobResult, Runner
from heygem.jobs.job_json import from_json, to_json
from heygem.pipeline.progress import Progress, Stage, Viewer
from heygem.settings import Settings

log = logging.getLogger(__name__)

_LISTEN_S = 0.2
"""Seconds between two questions to an actor."""

_ANSWER_S = 5.0
_SILENT_S = 90.0
"""Seconds without an answer after which an actor counts as dead: a cut cable of half a minute costs nothing."""

_UNWIND_S = 15.0
"""Seconds that an actor gets to end a job that nobody wants any more, before it is ended itself."""

_LOOK_S = 1.0
_AGAIN_S = 5.0
_HEAD_GONE_S = 30.0
"""Seconds without the cluster's head after which all of its actors count as dead."""

_CONNECTING = Text("正在连接 Ray 集群。", "Connecting to the Ray cluster.")
_NO_SEATS = Text(
    "Ray 集群里没有 GPU；若要用 CPU，请设置 HEYGEM_RAY_CPU_ACTORS。",
    "The Ray cluster has no GPU; to work on processors, set HEYGEM_RAY_CPU_ACTORS.",
)


@dataclass(frozen=True, slots=True)
class ActorRow:
    """A seat of the cluster as the page shows it."""

    node: str
    device: str
    state: str
    """busy, warm, cold (no actor, it is started when a job comes) or refused."""
    job_id: str | None
    models: tuple[str, ...]
    jobs_done: int
    refused: Text | None


class RayExecutor(Executor):
    """Jobs on the actors of a cluster, one on each.

    Args:
        settings: Address, number of actors, store, idle time; where the jobs' folders are.
        local: Does what only this machine can: training a speaker writes to its folder of models.
        watched: Wraps each runner: the watchdog's.
        make_runner: ``module:function`` that makes a runner from settings on a node.

    Raises:
        ClusterError: with code ray_missing, Ray is not installed.
    """

    is_apart = True

    def __init__(
        self,
        settings: Settings,
        local: Runner,
        *,
        watched: Callable[[Runner], Runner] = lambda run: run,
        make_runner: str = "heygem.jobs.run_job:make_runner",
    ) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ClusterError(
                Text(
                    "设置了 HEYGEM_RAY_ADDRESS，但没有安装 Ray。",
                    "HEYGEM_RAY_ADDRESS is set, but Ray is not installed.",
                ),
                hint=Text("请运行 pip install -r requirements-ray.txt。", "Run pip install -r requirements-ray.txt."),
                code="ray_missing",
            )
        self._settings = settings
        self._local = local
        self._local_guard = threading.Lock()
        self._watched = watched
        self._make_runner = make_runner
        self._store_url = settings.ray_store or f"file://{settings.cache_dir.absolute()}/ray"
        self._pool: Pool | None = None
        self._why_not: Text = _CONNECTING
        self._given_up: dict[str, JobError] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_connected, name="ray", daemon=True)
        self._thread.start()

    def has_room(self) -> bool:
        """Whether a seat is free."""
        return self._pool is not None and self._pool.has_room()

    def reason_to_wait(self) -> Text | None:
        """That there is no cluster, or none of its nodes may work."""
        pool = self._pool
        if pool is None:
            return self._why_not
        seats = pool.seats()
        if not seats:
            return _NO_SEATS
        refused = [seat.refused for seat in seats if seat.refused is not None]
        return refused[0] if len(refused) == len(seats) and not pool.has_room() else None

    def actors(self) -> list[ActorRow]:
        """Every seat as it is now; none while there is no cluster."""
        return [_row(seat) for seat in (self._pool.seats() if self._pool is not None else ())]

    def carry_out(self, job_id: str, work: Work) -> None:
        """Begin a job on a thread that waits for its actor."""
        pool = self._pool
        seat = pool.take(job_id) if pool is not None else None
        if pool is None or seat is None:
            work(_put_back)
            return
        threading.Thread(target=self._see, args=(pool, seat, work), name=f"ray-{job_id}", daemon=True).start()

    def give_up(self, job_id: str, error: JobError) -> bool:
        """End the job's actor."""
        self._given_up[job_id] = error
        return True

    def close(self) -> None:
        """End all actors."""
        self._stop.set()
        self._thread.join()

    def _see(self, pool: Pool, seat: Seat, work: Work) -> None:
        job_id = seat.job_id
        try:
            work(self._watched(partial(self._run, pool, seat)))
        finally:
            self._given_up.pop(job_id or "", None)
            if seat.job_id == job_id:
                self._settle(pool, seat)
                pool.leave(seat)

    def _run(self, pool: Pool, seat: Seat, job: Job, progress: Progress) -> JobResult:
        if job.request.kind is JobKind.SPEAKER:
            with self._local_guard:
                return self._local(job, progress)
        try:
            actor = pool.actor(seat, lambda: progress.tick(Stage.LOADING, 0))
        except ClusterError as error:
            log.warning("%s %s", error, error.hint)
            raise JobRequeued from error  # not the job's fault: it costs no attempt
        run_id = secrets.token_hex(6)
        store = FileStore(self._store_url)
        folder = self._settings.outputs_dir.absolute() / job.id
        try:
            names = sorted({path.name for path in (job.request.video, job.request.audio)})
            for name in names:
                progress.tick(Stage.LOADING, 0)
                store.put(folder / name, f"{run_id}/in/{name}")
            task = Task(run_id, job.id, to_json(job, folder), tuple(names), self._store_url)
            ended = self._follow(pool, seat, actor, task, progress)
            for name in ended.files:
                progress.tick(Stage.FINISHING, 0)
                store.get(f"{run_id}/out/{name}", folder / name)
            result = _result(ended, folder)
            seat.jobs_done += 1
        except WorkerLostError:
            pool.drop(seat)
            raise
        except HeyGemError:
            pool.leave(seat)
            raise
        finally:
            store.drop(run_id)
        pool.leave(seat)  # before its end is written: the next job need not wait for that
        return result

    def _follow(self, pool: Pool, seat: Seat, actor: str, task: Task, progress: Progress) -> Ended:
        """Begin an attempt, and pass on what is heard of it until it ends."""
        heard_s, sign, is_begun = time.monotonic(), Sign(), False
        while True:
            try:
                if not is_begun:
                    pool.door.call(actor, "begin", (task,), _ANSWER_S)
                    is_begun = True
                sign = pool.door.call(actor, "sign", (task.run_id,), _ANSWER_S)
                heard_s = time.monotonic()
                seat.models = sign.models
                self._pass_on(sign, progress)
            except ActorSilentError as error:
                if time.monotonic() - heard_s > _SILENT_S:
                    raise _lost(seat, f"no answer for {_SILENT_S:.0f} s") from error
            except (ActorGoneError, KeyError, RuntimeError) as error:
                raise _lost(seat, str(error)) from error
            if sign.ended is not None:
                return sign.ended
            progress.tick(sign.stage, sign.done, sign.total)
            given_up = self._given_up.get(task.job_id)
            if given_up is not None:
                raise WorkerLostError(given_up.text, hint=given_up.hint, code=given_up.code)
            time.sleep(_LISTEN_S)

    def _pass_on(self, sign: Sign, progress: Progress) -> None:
        for level, line in sign.lines:
            log.log(level, "%s", line)
        picture = sign.picture
        if picture is not None and isinstance(progress, Viewer):
            progress.show(lambda: picture)

    def _settle(self, pool: Pool, seat: Seat) -> None:
        """Wait until the actor of a job that ended early is free, or end it."""
        actor, end = seat.actor, time.monotonic() + _UNWIND_S
        try:
            if actor is None:
                return
            pool.door.call(actor, "stop", (), _ANSWER_S)
            while pool.door.call(actor, "is_busy", (), _ANSWER_S):
                if time.monotonic() > end or self._stop.is_set():
                    raise ActorSilentError
                time.sleep(_LISTEN_S)
        except (ActorGoneError, ActorSilentError):
            pool.drop(seat)

    def _keep_connected(self) -> None:
        """Join the cluster, look after its nodes, and join it again when it was gone."""
        reached_s = time.monotonic()
        while not self._stop.is_set():
            pause = _LOOK_S
            try:
                if self._pool is None:
                    self._pool = self._connect()
                self._pool.refresh()
                self._pool.release_idle(self._settings.ray_idle_s)
                reached_s = time.monotonic()
            except HeyGemError as error:
                self._why_not = error.text
                log.warning("%s %s", error, error.hint)
                pause = _AGAIN_S
            except ActorGoneError as error:
                pool, pause = self._pool, _AGAIN_S if self._pool is None else _LOOK_S
                is_over = time.monotonic() - reached_s > _HEAD_GONE_S
                if pool is None:
                    log.warning("%s", error)
                elif is_over or not pool.door.is_alive():
                    log.error("the Ray cluster is gone: %s", error)
                    self._pool, self._why_not = None, _CONNECTING
                    pool.door.close()
            except Exception:  # whatever it is: without this thread no job would begin, and nothing would say so
                log.exception("the Ray cluster could not be looked after")
                pause = _AGAIN_S
            self._stop.wait(pause)
        if self._pool is not None:
            self._pool.door.close()

    def _connect(self) -> Pool:
        door = DoorProcess(self._settings.ray_address)
        log.info("the Ray cluster %s is joined", self._settings.ray_address)
        shared = SharedSettings.of(self._settings)
        facts = partial(own_facts, self._settings)
        return Pool(door, self._settings.ray_cpu_actors, shared, facts, self._make_runner)


def _put_back(job: Job, progress: Progress) -> JobResult:
    """A runner for a job whose seat went before it sat down."""
    raise JobRequeued


def _result(ended: Ended, folder: Path) -> JobResult:
    if ended.was_unwound:
        raise JobRequeued
    if ended.error is not None:
        error = ended.error
        kind = WorkerLostError if ended.is_lost else HeyGemError
        raise kind(error.text, hint=error.hint, code=error.code)
    if ended.result is None:
        raise RuntimeError(f"on the node:\n{ended.fault}")
    return from_json(JobResult, ended.result, folder)


def _lost(seat: Seat, why: str) -> WorkerLostError:
    log.error("the actor on %s is lost: %s", seat.node.address, why)
    return WorkerLostError(
        Text(f"节点 {seat.node.address} 上的工作进程已失联。", f"The worker on node {seat.node.address} is lost."),
        hint=Text("可以重试；如再次发生，请查看日志。", "Try it again; if it happens again, see the log."),
    )


def _row(seat: Seat) -> ActorRow:
    is_refused = seat.refused is not None and time.monotonic() < seat.refused_until
    state = "refused" if is_refused else "busy" if seat.job_id else "warm" if seat.actor else "cold"
    return ActorRow(
        seat.node.address,
        seat.device,
        state,
        seat.job_id,
        seat.models,
        seat.jobs_done,
        seat.refused if is_refused else None,
    )
