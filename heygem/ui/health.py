"""Whether the server lives and can work, and its numbers, for supervisors and Prometheus.

``/healthz`` says that the process answers, ``/readyz`` whether a job submitted now would run, ``/metrics`` how it goes.
The first two never need a login, so they hold numbers and fixed words: no file names, nothing that a user typed.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import nan

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from heygem.jobs.disk_guard import DiskGuard
from heygem.jobs.job import JobStatus
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.ui.models_view import ModelRow

log = logging.getLogger(__name__)


class Health(Collector):
    """Asked by supervisors and by Prometheus. Keeps no state of its own.

    Args:
        queue: Whose jobs are counted, and whose worker has to live.
        models_status: The models now.
        disk: Watches the disk of the results.
        watchdog: Counts what is drawn.
    """

    def __init__(
        self,
        queue: TaskQueue,
        models_status: Callable[[], Sequence[ModelRow]],
        disk: DiskGuard,
        watchdog: Watchdog,
    ) -> None:
        self._queue = queue
        self._models_status = models_status
        self._disk = disk
        self._watchdog = watchdog
        # A registry of our own: the library's shared one collects whatever any library adds.
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def serve(self, app: FastAPI) -> None:
        """Add the three routes to `app`."""

        @app.get("/healthz")
        async def healthz() -> dict[str, bool]:
            # On the event loop itself: it answers as long as the process does anything at all.
            return {"ok": True}

        @app.get("/readyz")
        def readyz() -> JSONResponse:
            reasons = self.reasons_not_ready()
            return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

        @app.get("/metrics")
        def metrics() -> Response:
            return PlainTextResponse(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def reasons_not_ready(self) -> list[str]:
        """Why a job submitted now would not run, in English; empty if it would."""
        waits = self._disk.reason_to_wait()
        return [*self._queue.complaints(), *([waits.en] if waits else [])]

    def describe(self) -> Iterator[Metric]:
        """Nothing: names are not needed ahead, and asking for them would count the jobs."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Every number as it is now."""
        counts = Counter(self._queue.store.states().values())
        jobs = GaugeMetricFamily("heygem_jobs", "Jobs by state.", labels=["state"])
        for status in JobStatus:
            jobs.add_metric([status.value], counts[status])
        yield jobs
        yield GaugeMetricFamily("heygem_queue_length", "Jobs that wait.", counts[JobStatus.QUEUED])
        yield from self._models()
        yield from self._actors()
        yield CounterMetricFamily("heygem_frames_drawn", "Frames of results drawn.", self._watchdog.frames_drawn)
        yield GaugeMetricFamily(
            "heygem_frames_per_second", "Frames drawn a second by the running job.", self._watchdog.frame_rate_hz
        )
        yield GaugeMetricFamily("heygem_disk_free_bytes", "Free space for results.", self._free_bytes())
        yield GaugeMetricFamily("heygem_threads", "Threads of the process.", threading.active_count())

    def _free_bytes(self) -> float:
        try:
            return self._disk.free_bytes()
        except OSError as error:  # the other numbers are wanted all the more
            log.warning("the disk of the results cannot be read: %s", error.strerror)
            return nan

    def _actors(self) -> Iterator[Metric]:
        rows = self._queue.actors()
        if not rows:
            return  # jobs are done here
        states = Counter(row.state for row in rows)
        actors = GaugeMetricFamily("heygem_actors", "Workers of the cluster by state.", labels=["state"])
        for state in ("busy", "warm", "cold", "refused"):
            actors.add_metric([state], states[state])
        done = CounterMetricFamily("heygem_actor_jobs", "Jobs done by a worker.", labels=["node", "device", "seat"])
        models = GaugeMetricFamily("heygem_actor_models", "Models on its device.", labels=["node", "device", "seat"])
        for seat, row in enumerate(rows):
            labels = [row.node, row.device, str(seat)]
            done.add_metric(labels, row.jobs_done)
            models.add_metric(labels, len(row.models))
        yield from (actors, done, models)

    def _models(self) -> Iterator[Metric]:
        labels = ["model", "place"]
        loads = CounterMetricFamily("heygem_model_loads", "Times that a model was loaded.", labels=labels)
        hits = CounterMetricFamily("heygem_model_hits", "Times that a model was there already.", labels=labels)
        sizes = GaugeMetricFamily("heygem_model_bytes", "Bytes of weights on the device.", labels=labels)
        for row in self._models_status():
            loads.add_metric([row.name, row.place], row.loads)
            hits.add_metric([row.name, row.place], row.hits)
            sizes.add_metric([row.name, row.place], row.size_mb * 1e6 if row.is_resident else 0.0)
        yield from (loads, hits, sizes)
