"""What a process is to measure, and what it found. Both travel as JSON. Knows nothing of how it is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from heygem.settings import PROJECT_DIR


class Cost(NamedTuple):
    """What something cost."""

    core_s: float
    """Processor seconds of all threads, and of the ffmpeg children that have ended."""
    wall_s: float


@dataclass(frozen=True, slots=True)
class JobPlan:
    """One job.

    Attributes:
        clip, speech, output: Files.
        options: Fields of `RenderOptions` that are not the default.
        only_first_frame: The job is cancelled when its first frame has gone to the encoder.
        is_looked_at: Before it, its files are looked at and searched ahead, as the page does with uploads while no job
            runs; that costs the job nothing.
    """

    clip: str
    speech: str
    output: str
    options: dict[str, Any] = field(default_factory=dict)
    only_first_frame: bool = False
    is_looked_at: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process does.

    Attributes:
        settings: HEYGEM_ variables.
        parsenet_sha256: Of the formula-filled ParseNet, which that process takes for the official one.
        jobs: One after the other.
        unload_between: Every model is unloaded after each job.
        yardstick: Single forwards of fp32 eager GFPGAN, after the jobs.
        stages_of: Its clip and speech are measured stage by stage, after the jobs.
    """

    settings: dict[str, str]
    parsenet_sha256: str
    jobs: list[JobPlan]
    unload_between: bool = False
    yardstick: int = 0
    stages_of: JobPlan | None = None

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Plan:
        """The plan that `asdict` made `raw` of, after a way through JSON."""
        jobs, stages_of = [JobPlan(**job) for job in raw["jobs"]], raw["stages_of"]
        return cls(**{**raw, "jobs": jobs, "stages_of": JobPlan(**stages_of) if stages_of else None})


@dataclass(frozen=True, slots=True)
class JobFigures:
    """What one job cost.

    Attributes:
        frames: Of the result; 0 if it was cancelled.
        engines: What ran, in one line; empty if it was cancelled.
        cost: From the call to the finished files.
        until_models_s: From the call until every model was there; files are checked before that.
        first_frame_s: From the call until the first frame had gone to the encoder.
        verify_s, load_s: Spent on hashing weights and on building models.
        loads, hits: Models that were loaded, and that were found loaded.
        was_tracked_before: The clip's faces came from the cache.
        gpu_busy: Share of the time in which the GPU computed anything, 0..1; None on a CPU.
        box: Smallest rectangle around the face of all frames: left, top, right, bottom in pixels.
    """

    frames: int
    engines: str
    cost: Cost
    until_models_s: float
    first_frame_s: float
    verify_s: float
    load_s: float
    loads: int
    hits: int
    was_tracked_before: bool
    gpu_busy: float | None
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process found.

    Attributes:
        placement: Device and number format.
        threads: Of torch.
        ready_s: From the start of the process until everything was imported.
        core_s: Of the process and its ended children, from its start until the jobs were done.
        jobs: In their order.
        peak_rss_mb: Of the process, until the jobs were done.
        peak_children_mb: Of its ffmpeg children together.
        peak_vram_mb: Of tensors on the device; None on a CPU.
        memory: (s since the epoch, MB resident), every tenth of a second, until the jobs were done.
        yardstick: Each forward of fp32 eager GFPGAN.
        stages: Cost per frame of each stage.
    """

    placement: str
    threads: int
    ready_s: float
    core_s: float
    jobs: list[JobFigures]
    peak_rss_mb: float
    peak_children_mb: float
    peak_vram_mb: float | None
    memory: list[tuple[float, float]]
    yardstick: list[Cost]
    stages: dict[str, Cost]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Figures:
        """The figures that `asdict` made `raw` of, after a way through JSON."""
        jobs = [JobFigures(**job | {"cost": Cost(*job["cost"]), "box": tuple(job["box"])}) for job in raw["jobs"]]
        costs = {
            "yardstick": [Cost(*cost) for cost in raw["yardstick"]],
            "stages": {stage: Cost(*cost) for stage, cost in raw["stages"].items()},
        }
        return cls(**{**raw, "jobs": jobs, **costs})


def measured(plan: Plan, threads: int | None = None) -> Figures:
    """Let a new process do what `plan` says.

    Args:
        plan: What to do.
        threads: Of torch; None leaves it to the machine.

    Raises:
        RuntimeError: the process failed; with the end of what it said.
    """
    # Only what the plan says: a setting of the user's own would be measured unseen.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEYGEM_")}
    environment |= plan.settings
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    asked = json.dumps({"plan": asdict(plan), "asked_s": time.time()})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker"],
        input=asked,
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT_DIR,
        env=environment,
    )
    if done.returncode:
        raise RuntimeError(f"a measuring process ended with status {done.returncode}:\n{done.stderr[-4000:]}")
    return Figures.of(json.loads(done.stdout.splitlines()[-1]))
