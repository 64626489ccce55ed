"""How quickly the server answers open pages: while it starts, is idle, draws on all cores, and takes a large upload.

Run: ``.venv/bin/python -m benchmarks.page_load``, on a machine that does nothing else; it takes about four minutes and
2 GB of disk. It starts app.py itself, on a port of its own, over a list of 500 ended jobs, and prints Markdown.

A tab is what a browser does that has the page open: a heartbeat that stays connected, and gradio's call of the timer
once a second. Jobs run alone and with eight tabs open in turn, so that whatever else the machine does weighs on both
alike. What the tabs of this program cost themselves is part of the slowdown that is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks.open_pages import App, Latencies, Tabs, watched_health
from benchmarks.plan import Cost
from benchmarks.report import table
from heygem.errors import Text
from heygem.jobs.job import Job, JobRequest, JobResult, JobStatus
from heygem.jobs.job_folder import new_job_id
from heygem.jobs.store import STORE_NAME, JobStore

_CHUNK = bytes(1 << 20)

_OPENING_S = 2.0
"""Until the pages are open: what is measured is what they cost while they are."""


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
    return Cost(app.core_s(with_children=True) - before, (ended_at - began_at).total_seconds())


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
    time.sleep(_OPENING_S)
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
            time.sleep(_OPENING_S)
            with watched_health(app, 0.25) as found:
                costs[kind].append(run_job(app, 120))
            pages.close()
            health.ms.extend(found.ms)
    return costs, ticks, health


def _compared(name: str, alone: Sequence[float], busy: Sequence[float]) -> list[str]:
    """A row: the middle of each, between the least and the most of them, and by how much the second is more."""
    cells = [f"{median(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in (alone, busy)]
    return [name, *cells, f"{100 * (median(busy) / median(alone) - 1):+.1f} %"]


def report(args: argparse.Namespace, folder: Path) -> str:
    """Measure everything, and say it in Markdown."""
    fill_list(folder / "outputs", args.ended)
    load_before = os.getloadavg()[0]
    app = App(folder)
    try:
        lives_s, page_s = app.seconds_until("/healthz"), app.seconds_until("/")
        torch = "while torch is being loaded" if app.has_torch() else "before torch is loaded"
        app.settle()
        idle, share = measure_idle(app, args.tabs, args.idle)
        costs, ticks, health = measure_jobs(app, args.tabs, args.rounds)
        with watched_health(app, 0.05) as uploading:
            upload_s = upload(app, args.upload_mb * 1_000_000)
    finally:
        app.stop()
    alone, busy = costs["alone"], costs["with tabs"]
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
            _compared("wall s, median", [one.wall_s for one in alone], [one.wall_s for one in busy]),
            _compared("core-seconds, median", [one.core_s for one in alone], [one.core_s for one in busy]),
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
    parser.add_argument("--rounds", type=int, default=8, help="jobs alone, and as many with tabs")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds")
    parser.add_argument("--ended", type=int, default=500, help="jobs in the list")
    parser.add_argument("--upload-mb", type=int, default=1900)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="page-load-") as name:
        print(report(args, Path(name)))


if __name__ == "__main__":
    main()
