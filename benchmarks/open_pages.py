"""app.py in a process of its own, and what browsers do that have its page open. Knows nothing of what is measured."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from heygem.settings import PROJECT_DIR

DEMO = PROJECT_DIR / "models" / "demo"
"""The folder that the server takes inputs from."""

_POLL_S = 1.0
_QUIET_SHARE = 0.1
"""Share of one core below which nothing but waiting goes on in a server that nobody asks."""
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

    def settle(self) -> None:
        """Wait until it has loaded what it loads in the background after its start."""
        share = 1.0
        while share > _QUIET_SHARE:
            before = self.core_s(with_children=False)
            time.sleep(2)
            share = (self.core_s(with_children=False) - before) / 2

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
