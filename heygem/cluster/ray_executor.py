"""Jobs of the queue on actors of Ray: hands out, listens, brings home. Ray is a dumb executor: the queue knows best.

A job runs on one actor. Its owner is the queue's process, which asks for signs of life and passes them on as the job's
heartbeat; when the queue wants the job no more, the actor hears that. What an actor made counts when its owner says so.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from heygem.cluster.door_process import DoorProcess
from heygem.cluster.file_store import FileStore
from heygem.cluster.handshake import own_facts
from heygem.cluster.long_job import draw_shares, most_shares
from heygem.cluster.messages import ActorGoneError, Ended, SharedSettings, Task
from heygem.cluster.pool import Pool, Seat
from heygem.cluster.remote_run import LISTEN_S, follow, raise_if_failed, settle
from heygem.errors import ClusterError, HeyGemError, JobRequeued, Text, WorkerLostError
from heygem.jobs.executors import ActorRow, Executor, Work
from heygem.jobs.job import Job, JobError, JobKind, JobResult, Runner
from heygem.jobs.job_json import from_json, to_json
from heygem.pipeline.progress import Progress, Stage, counted
from heygem.settings import Settings
from heygem.weights.speakers import LIPS, speaker_folder, speaker_names

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_AGAIN_S = 5.0
_HEAD_GONE_S = 30.0
"""Seconds without the cluster's head after which all of its actors count as dead."""

_CONNECTING = Text("正在连接 Ray 集群。", "Connecting to the Ray cluster.")
_NO_SEATS = Text(
    "Ray 集群里没有 GPU；若要用 CPU，请设置 HEYGEM_RAY_CPU_ACTORS。",
    "The Ray cluster has no GPU; to work on processors, set HEYGEM_RAY_CPU_ACTORS.",
)


class RayExecutor(Executor):
    """Jobs on the actors of a cluster, one on each.

    Args:
        settings: Address, number of actors, store, idle time; where the jobs' folders are.
        local: Does what only this machine can: training a speaker writes to its folder of models.
        watched: Wraps each runner: the watchdog's.
        make_runner: ``module:function`` that makes a runner from settings on a node.

    Raises:
        ClusterError: with code ray_missing, Ray is not installed.
        SettingsError: nothing can read the store's URL.
    """

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
        self._local_job: str | None = None
        self._watched = watched
        self._make_runner = make_runner
        self._store_url = settings.ray_store or f"file://{settings.cache_dir.absolute()}/ray"
        FileStore(self._store_url).check()
        self._pool: Pool | None = None
        self._why_not: Text = _CONNECTING
        self._given_up: dict[str, JobError] = {}
        # Names what is this queue's in the store, so that the next process finds what this one leaves if it is killed.
        here = f"{socket.gethostname()}:{settings.outputs_dir.absolute()}"
        self._name = hashlib.sha256(here.encode()).hexdigest()[:12]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_connected, name="ray", daemon=True)
        self._thread.start()

    def is_apart(self, job: Job) -> bool:
        """All but what only this machine can do."""
        return job.request.kind is not JobKind.SPEAKER

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
        """End the job's actor; False for a job that has none."""
        if job_id == self._local_job:
            return False
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
                settle(pool, seat, self._stop.is_set)
                pool.leave(seat)

    def _run(self, pool: Pool, seat: Seat, job: Job, progress: Progress) -> JobResult:
        if not self.is_apart(job):
            return self._run_here(job, progress)
        try:
            actor = pool.actor(seat, lambda: progress.tick(Stage.LOADING, 0))
        except ClusterError as error:
            log.warning("%s %s", error, error.hint)
            raise JobRequeued from error  # not the job's fault: it costs no attempt
        run_id = f"{self._name}/{secrets.token_hex(6)}"
        store = FileStore(self._store_url, on_piece=counted(progress, Stage.LOADING))
        folder = self._settings.outputs_dir.absolute() / job.id
        try:
            names = sorted({path.name for path in (job.request.video, job.request.audio)})
            for name in names:
                store.put(folder / name, f"{run_id}/in/{name}")
            lips, models_dir = job.request.options.lips, self._settings.models_dir
            speaker = lips if lips in speaker_names(models_dir) else ""
            if speaker:
                store.put(speaker_folder(speaker, models_dir) / LIPS, f"{run_id}/lips")
            task = Task(run_id, job.id, to_json(job, folder), tuple(names), self._store_url, speaker)
            ended = self._draw(pool, seat, actor, task, job, progress)
            store = FileStore(self._store_url, on_piece=counted(progress, Stage.FINISHING))
            for name in ended.files:
                store.get(f"{run_id}/{name}", folder / Path(name).name)
            seat.jobs_done += 1
        except HeyGemError:
            pool.leave(seat)
            raise
        finally:
            store.drop(run_id)
        pool.leave(seat)  # before its end is written: the next job need not wait for that
        return from_json(JobResult, ended.result or "", folder)

    def _draw(self, pool: Pool, seat: Seat, actor: str, task: Task, job: Job, progress: Progress) -> Ended:
        """What a seat's actor makes of a job whose files are in the store; with the help of others if it is long."""
        check = partial(self._check, job.id)
        try:
            if (shares := most_shares(job)) > 1 and len(pool.seats()) > 1:
                task = draw_shares(pool, seat, actor, task, shares, progress, check)
            ended = follow(pool, seat, actor, task, progress, check)
            raise_if_failed(ended)
        except WorkerLostError:
            pool.drop(seat)
            raise
        return ended

    def _run_here(self, job: Job, progress: Progress) -> JobResult:
        """Do a job in this process, after those that are done here already."""
        waited = counted(progress, Stage.LOADING)
        while not self._local_guard.acquire(timeout=LISTEN_S):
            waited()  # may be cancelled
        try:
            self._local_job = job.id
            return self._local(job, progress)
        finally:
            self._local_job = None
            self._local_guard.release()

    def _check(self, job_id: str) -> None:
        error = self._given_up.get(job_id)
        if error is not None:
            raise WorkerLostError(error.text, hint=error.hint, code=error.code)

    def _keep_connected(self) -> None:
        """Join the cluster, look after its nodes, and join it again when it was gone."""
        FileStore(self._store_url).drop(self._name)
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
