"""How quickly the server answers open pages: while it starts, is idle, draws on all cores, and takes a large upload.

Run: ``.venv/bin/python -m benchmarks.page_load``, on a machine that does nothing else; it takes about five minutes and
2 GB of disk. It starts app.py itself, on a port of its own, over a list of 500 ended jobs, and prints Markdown.

A tab is what a browser does that has the page open: a heartbeat that stays connected, and gradio's call of the timer
once a second. Jobs run alone and with eight tabs open in turn, so that whatever else the machine does weighs on both
alike. What the tabs of this program cost themselves is part of the slowdown that is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import mean, median
from typing import Any

from heygem.errors import Text
from heygem.jobs.job import Job, JobRequest, JobResult, JobStatus
from heygem.jobs.job_folder import new_job_id
from heygem.jobs.store import STORE_NAME, JobStore
from heygem.settings import PROJECT_DIR

DEMO = PROJECT_DIR / "models" / "demo"
_POLL_S = 1.0
_CHUNK = bytes(1 << 20)
_COSTS = ("wall_s", "core_s")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Latencies:
    """What was asked and how long each answer took, in ms; for any number of threads."""

    ms: list[float] = field(default_factory=list)

    def add(self, began_s: float) -> None:
        """Note an answer that came just now."""
        self.ms.append((time.perf_counter() - began_s) * 1e3)

    def row(self) -> list[str]:
        """Number of answers, p50, p95 and the slowest."""
        ordered = sorted(self.ms)
        return [str(len(ordered)), *(f"{value:.0f}" for value in (median(ordered), _p95(ordered), ordered[-1]))]


def _p95(ordered: Sequence[float]) -> float:
    return ordered[int(0.95 * (len(ordered) - 1))]


class App:
    """app.py in a process of its own.

    Args:
        folder: For everything that it writes.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        settings = {
            "HEYGEM_PORT": str(self.port),
            "HEYGEM_OUTPUTS_DIR": str(folder / "outputs"),
            "HEYGEM_CACHE_DIR": str(folder / "outputs" / ".cache"),
            "HEYGEM_LOG_FILE": str(folder / "run.log"),
            "HEYGEM_DEVICE": "cpu",
            "HEYGEM_INPUT_DIR": str(DEMO),
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HEYGEM_")} | settings
        self._began_s = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=PROJECT_DIR, env=environment, stderr=subprocess.DEVNULL
        )

    def seconds_until(self, path: str) -> float:
        """Wait until `path` is answered: seconds since the process was started."""
        while self._process.poll() is None:
            try:
                self.get(path)
            except OSError:
                time.sleep(0.02)
            else:
                return time.perf_counter() - self._began_s
        raise SystemExit(f"app.py ended with status {self._process.returncode}")

    def has_torch(self) -> bool:
        """Whether torch is in the process by now."""
        return "libtorch" in Path(f"/proc/{self._process.pid}/maps").read_text()

    def core_s(self, *, with_children: bool) -> float:
        """Core-seconds that the process used, on all its threads; those of its ended children where they are wanted."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11 : 15 if with_children else 13]) / _TICKS_PER_S

    def connect(self) -> HTTPConnection:
        """A connection that stays open."""
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str) -> Any:
        """What the server says at `path`; JSON is read."""
        return ask(self.connect(), "GET", path)

    def post(self, path: str, body: Any) -> Any:
        """Send `body` as JSON."""
        return ask(self.connect(), "POST", path, body)

    def stop(self) -> None:
        """End it as a supervisor does."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


def ask(connection: HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    """One request on an open connection.

    Raises:
        SystemExit: the server refused it.
        OSError: it does not answer.
    """
    headers = {} if body is None else {"Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    content = response.read()
    if response.status >= 400:
        raise SystemExit(f"{method} {path}: {response.status} {content[:300]!r}")
    return json.loads(content) if "json" in response.headers.get("Content-Type", "") else content


class Tabs:
    """Open pages, each with a thread that does what its browser would.

    Args:
        app: Whose pages.
        count: How many.
        ticks: Where the times of their polls go.
    """

    def __init__(self, app: App, count: int, ticks: Latencies) -> None:
        self._app = app
        self._ticks = ticks
        self._end = threading.Event()
        config = app.get("/config")
        timer = next(part["id"] for part in config["components"] if part["type"] == "timer")
        events = config["dependencies"]
        self._tick = next(one for one in events if [timer, "tick"] in one["targets"])
        self._load = next(one for one in events if one["outputs"] == self._tick["outputs"])  # the page's own, the first
        self._timer = timer
        self._threads = [threading.Thread(target=self._poll, args=(at, at / count)) for at in range(count)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Close the pages."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _poll(self, number: int, phase: float) -> None:
        session = f"tab{number}{time.monotonic_ns()}"
        heartbeat, polls = self._app.connect(), self._app.connect()
        heartbeat.request("GET", f"/gradio_api/heartbeat/{session}")
        heartbeat.getresponse()
        self._call(polls, session, self._load, None)
        due = time.monotonic() + phase * _POLL_S
        while not self._end.wait(max(0.0, due - time.monotonic())):
            began_s = time.perf_counter()
            self._call(polls, session, self._tick, self._timer)
            self._ticks.add(began_s)
            due = max(due + _POLL_S, time.monotonic())
        heartbeat.close()

    def _call(self, polls: HTTPConnection, session: str, event: Any, trigger: int | None) -> None:
        # What the page has chosen is kept by the server: a browser sends nothing for it.
        body = {
            "data": [None] * len(event["inputs"]),
            "event_data": None,
            "fn_index": event["id"],
            "trigger_id": trigger,
            "session_hash": session,
        }
        ask(polls, "POST", "/gradio_api/run/predict", body)


@contextmanager
def watched_health(app: App, every_s: float) -> Iterator[Latencies]:
    """Asks /healthz again and again while the block runs."""
    found, end = Latencies(), threading.Event()

    def watch() -> None:
        connection = app.connect()
        while not end.wait(every_s):
            began_s = time.perf_counter()
            ask(connection, "GET", "/healthz")
            found.add(began_s)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        end.set()
        thread.join()


def fill_list(outputs: Path, count: int) -> None:
    """Give the server a past: jobs that were done, with names and results as such jobs have them."""
    outputs.mkdir(parents=True)
    store = JobStore(outputs / STORE_NAME)
    jobs = []
    for number in range(count):
        folder = outputs / new_job_id()
        folder.mkdir()
        request = JobRequest(folder / "clip.mp4", folder / "speech.wav", video_name=f"clip {number}.mp4")
        jobs.append(Job(folder.name, request, JobStatus.QUEUED, time.time(), speech_s=10.0))
    store.add(jobs, capacity=count)
    for job in jobs:
        claim = store.claims.take()
        assert claim is not None
        folder = outputs / job.id
        result = JobResult(folder / "result.mp4", folder / "poster.jpg", Text("内置模型。", "The built-in model."))
        store.claims.finish(claim, JobStatus.DONE, result=result)
    store.close()


@dataclass(frozen=True)
class Cost:
    """What a job took."""

    wall_s: float
    core_s: float


def run_job(app: App, seconds: int) -> Cost:
    """Make a video on the server's processor."""
    before = app.core_s(with_children=True)
    paths = {"video": "presenter-lin.mp4", "audio": "speech-en.wav"}
    options = {"lips": "demo", "enhancer": "none", "detector": "haar"}
    began = time.perf_counter()
    link = app.post("/api/v1/jobs", paths | {"options": options})["links"]["self"]
    while (job := app.get(link))["ended_at"] is None:
        if time.perf_counter() - began > seconds:
            raise SystemExit(f"the job is not done after {seconds} s")
        time.sleep(0.25)
    if job["status"] != "done":
        raise SystemExit(f"the job ended as {job['status']}: {job['error']}")
    began_at, ended_at = (datetime.fromisoformat(job[key]) for key in ("started_at", "ended_at"))
    return Cost((ended_at - began_at).total_seconds(), app.core_s(with_children=True) - before)


def upload(app: App, size: int) -> float:
    """Send a file as a page does, and throw it away: the seconds that it took."""
    boundary = "page-load"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="large.mp4"\r\n'
        "Content-Type: video/mp4\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    connection = app.connect()
    began_s = time.perf_counter()
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
    connection.putheader("Content-Length", str(len(head) + size + len(tail)))
    connection.endheaders(head)
    for at in range(0, size, len(_CHUNK)):
        connection.send(_CHUNK[: size - at])
    connection.send(tail)
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise SystemExit(f"upload: {response.status} {content[:300]!r}")
    took_s = time.perf_counter() - began_s
    Path(json.loads(content)[0]).unlink()
    return took_s


def measure_idle(app: App, tabs: int, seconds: float) -> tuple[Latencies, float]:
    """How long ticks take while nothing runs, and the share of one core that the server uses for them."""
    ticks = Latencies()
    pages = Tabs(app, tabs, ticks)
    time.sleep(2)  # the pages are being opened
    ticks.ms.clear()
    began_s, before = time.perf_counter(), app.core_s(with_children=False)
    time.sleep(seconds)
    share = (app.core_s(with_children=False) - before) / (time.perf_counter() - began_s)
    pages.close()
    return ticks, share


def measure_jobs(app: App, tabs: int, rounds: int) -> tuple[dict[str, list[Cost]], Latencies, Latencies]:
    """Jobs alone and with open pages in turn: their costs; times of ticks and of /healthz during the latter."""
    run_job(app, 120)  # loads torch and the models, and finds the faces
    costs: dict[str, list[Cost]] = {"alone": [], "with tabs": []}
    ticks, health = Latencies(), Latencies()
    for number in range(rounds):
        for kind in ("alone", "with tabs") if number % 2 == 0 else ("with tabs", "alone"):
            if kind == "alone":
                costs[kind].append(run_job(app, 120))
                continue
            pages = Tabs(app, tabs, ticks)
            with watched_health(app, 0.25) as found:
                costs[kind].append(run_job(app, 120))
            pages.close()
            health.ms.extend(found.ms)
    return costs, ticks, health


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def report(args: argparse.Namespace, folder: Path) -> str:
    """Measure everything, and say it in Markdown."""
    fill_list(folder / "outputs", args.ended)
    load_before = os.getloadavg()[0]
    app = App(folder)
    try:
        lives_s, page_s = app.seconds_until("/healthz"), app.seconds_until("/")
        torch = "with torch" if app.has_torch() else "without torch"
        idle, share = measure_idle(app, args.tabs, args.idle)
        costs, ticks, health = measure_jobs(app, args.tabs, args.rounds)
        with watched_health(app, 0.05) as uploading:
            upload_s = upload(app, args.upload_mb * 1_000_000)
    finally:
        app.stop()
    alone, busy = costs["alone"], costs["with tabs"]
    slower = [(mean(getattr(one, key) for one in busy), mean(getattr(one, key) for one in alone)) for key in _COSTS]
    times = table(
        ["asked", "answers", "p50 ms", "p95 ms", "max ms"],
        [
            [f"tick, {args.tabs} tabs, idle", *idle.row()],
            [f"tick, {args.tabs} tabs, a job draws", *ticks.row()],
            [f"/healthz, {args.tabs} tabs, a job draws", *health.row()],
            [f"/healthz, {args.upload_mb} MB arrive in {upload_s:.1f} s", *uploading.row()],
        ],
    )
    jobs = table(
        ["job", f"alone ({len(alone)})", f"with {args.tabs} tabs ({len(busy)})", "more"],
        [
            [name, f"{without:.2f}", f"{with_tabs:.2f}", f"{100 * (with_tabs / without - 1):+.1f} %"]
            for name, (with_tabs, without) in zip(("wall s", "core-seconds of the server"), slower, strict=True)
        ],
    )
    return (
        f"{os.cpu_count()} cores, load before {load_before:.1f}; {args.ended} ended jobs in the list.\n\n"
        f"From the start of the process to /healthz {lives_s:.1f} s, to the page {page_s:.1f} s, {torch}. "
        f"Idle with {args.tabs} tabs the server uses {100 * share:.0f} % of one core.\n\n{times}\n\n{jobs}"
    )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4, help="jobs alone, and as many with tabs")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds")
    parser.add_argument("--ended", type=int, default=500, help="jobs in the list")
    parser.add_argument("--upload-mb", type=int, default=1900)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="page-load-") as name:
        print(report(args, Path(name)))


if __name__ == "__main__":
    main()
