"""What is measured: each section returns figures that become JSON. Knows nothing of how they are shown."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch

from benchmarks.likeness import face_psnr_db
from benchmarks.materials import FPS, PRESENTERS, SIZES, Materials, Size
from benchmarks.modes import AUTO, FP32, Mode, modes
from benchmarks.plan import Figures, JobPlan, Plan, measured
from benchmarks.spread import Spread
from heygem.settings import PROJECT_DIR

ENHANCED = {"lips": "wav2lip", "enhancer": "gfpgan"}
"""Options of the job that the reference flow does: Wav2Lip, then GFPGAN on every frame."""

Json = dict[str, Any]


@dataclass
class Bench:
    """What all sections share.

    Attributes:
        materials: What is measured with.
        rounds: How often each measurement is repeated, in turn with the others of its section.
        threads: Of torch; None leaves it to the machine.
        is_quick: Just enough to see that everything runs.
        say: Told of each step.
        preparing_s: Seconds that the first job of all needed until its models were there, by mode: networks are
            converted then, and weights hashed.
    """

    materials: Materials
    rounds: int
    threads: int | None
    is_quick: bool
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._numbers = count()
        self.preparing_s: dict[str, float] = {}
        self._options = {"detector": "fast" if self.materials.has_detector else "haar"}

    def job(
        self,
        clip: str,
        speech_s: float,
        options: Json,
        *,
        only_first_frame: bool = False,
        is_looked_at: bool = False,
    ) -> JobPlan:
        """A job whose result has a name of its own."""
        output = self.materials.output(f"result-{next(self._numbers)}")
        chosen = self._options | options
        return JobPlan(clip, self.materials.speech(speech_s), output, chosen, only_first_frame, is_looked_at)

    def prepare(self, mode: Mode = AUTO) -> None:
        """Have done what is done once on a machine."""
        if mode.name not in self.preparing_s:
            self.say(f"once: {mode.name}")
            self.preparing_s[mode.name] = 0.0
            job = self.job(self.materials.clip(0.4), 0.4, ENHANCED, only_first_frame=True)
            self.preparing_s[mode.name] = self.run([job], mode).jobs[0].until_models_s

    def run(self, jobs: list[JobPlan], mode: Mode = AUTO, **more: Any) -> Figures:
        """Do jobs in a process of its own, which has seen none of the clips yet."""
        self.prepare(mode)
        settings = self.materials.settings() | mode.settings
        return measured(Plan(settings, self.materials.parsenet_sha256, jobs, **more), self.threads)


def stages(bench: Bench) -> Json:
    """Whole jobs with GFPGAN on every frame, against one forward of it, and their stages: by size, and by mode."""
    seconds, forwards = (0.24, 1) if bench.is_quick else (1.0, 2)
    sizes = SIZES[:1] if bench.is_quick else SIZES
    usual = sizes[0] if bench.is_quick else SIZES[1]
    cells = [(size, AUTO) for size in sizes] + [(usual, mode) for mode in modes()[: 1 if bench.is_quick else None]]
    runs: dict[tuple[Size, str], list[Figures]] = {}
    results: dict[str, list[JobPlan]] = {}
    for turn in range(bench.rounds):
        for size, mode in cells:
            bench.say(f"stages, round {turn + 1} of {bench.rounds}: {size.name}, {mode.name}")
            clip = bench.materials.clip(seconds, size)
            job = bench.job(clip, seconds, ENHANCED)
            # The first job of a process pays for what is done once; another clip, so that the track is not known.
            first = bench.job(bench.materials.clip(seconds, size, PRESENTERS[1]), seconds, ENHANCED)
            whole = bench.job(bench.materials.clip(4 * seconds, size), 4 * seconds, ENHANCED)
            trained = bench.job(clip, seconds, {"lips": "demo", "enhancer": "none"})
            figures = bench.run([first, job, trained], mode, yardstick=forwards, stages_of=whole)
            runs.setdefault((size, mode.name), []).append(figures)
            if size is usual:
                results[mode.name] = [job, trained]
    box = runs[usual, FP32.name][0].jobs[1].box
    return {
        "frames": round(seconds * FPS),
        "cells": [_cell(size.name, mode, figures) for (size, mode), figures in runs.items()],
        "face_psnr_db": {
            name: [_likeness(*pair, box) for pair in zip(jobs, results[FP32.name], strict=True)]
            for name, jobs in results.items()
            if name != FP32.name
        },
    }


def _likeness(job: JobPlan, reference: JobPlan, box: tuple[int, int, int, int]) -> float | None:
    """dB; None if the face is the same in both videos."""
    psnr = face_psnr_db(Path(job.output), Path(reference.output), box)
    return None if math.isinf(psnr) else psnr


def _cell(size: str, mode: str, rounds: list[Figures]) -> Json:
    jobs = [figures.jobs[1] for figures in rounds]
    eager = [Spread.of(cost.core_s for cost in figures.yardstick).median for figures in rounds]
    of_stage = {
        stage: {
            "core_s": spread(figures.stages[stage].core_s for figures in rounds),
            "wall_s": spread(figures.stages[stage].wall_s for figures in rounds),
        }
        for stage in rounds[0].stages
    }
    return {
        "size": size,
        "mode": mode,
        "placement": rounds[0].placement,
        "threads": rounds[0].threads,
        "engines": jobs[0].engines,
        "core_s": spread(job.cost.core_s / job.frames for job in jobs),
        "wall_s": spread(job.cost.wall_s / job.frames for job in jobs),
        "gfpgan_core_s": spread(eager),
        "yardstick": spread(job.cost.core_s / job.frames / one for job, one in zip(jobs, eager, strict=True)),
        "peak_rss_mb": spread(figures.peak_rss_mb for figures in rounds),
        "peak_children_mb": spread(figures.peak_children_mb for figures in rounds),
        "peak_vram_mb": rounds[0].peak_vram_mb,
        "stages": of_stage,
    }


def overhead(bench: Bench) -> Json:
    """What passes before the first frame is drawn: in the first job of a process, and in later ones of each kind."""
    seconds = 1.0 if bench.is_quick else 10.0
    one, other, third = (bench.materials.clip(seconds, SIZES[1], presenter) for presenter in PRESENTERS)
    wanted = (
        ("first job of the process", one, False),
        ("second job, another clip", other, False),
        ("third job, that clip again", other, False),
        ("fourth job, a clip that the page had looked at", third, True),
    )
    runs = []
    for turn in range(bench.rounds):
        bench.say(f"overhead, round {turn + 1} of {bench.rounds}")
        jobs = [
            bench.job(clip, seconds, ENHANCED, only_first_frame=True, is_looked_at=is_looked_at)
            for _, clip, is_looked_at in wanted
        ]
        runs.append(bench.run(jobs))
    return {
        "seconds": seconds,
        "placement": runs[0].placement,
        "preparing_s": bench.preparing_s[AUTO.name],
        "ready_s": spread(run.ready_s for run in runs),
        "jobs": [
            {
                "kind": kind,
                "until_models_s": spread(run.jobs[number].until_models_s for run in runs),
                "first_frame_s": spread(run.jobs[number].first_frame_s for run in runs),
                "loads": runs[0].jobs[number].loads,
                "hits": runs[0].jobs[number].hits,
            }
            for number, (kind, *_) in enumerate(wanted)
        ],
    }


def scaling(bench: Bench) -> Json:
    """Memory and time per frame of clips of 10 s, 1 min and 10 min; a stub draws."""
    found = []
    for seconds in (2, 4) if bench.is_quick else (10, 60, 600):
        bench.say(f"scaling: {seconds} s")
        clip, speech = bench.materials.clip(seconds), bench.materials.speech(seconds)
        command = [sys.executable, "-m", "benchmarks.clip_length", clip, speech]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT_DIR)
        found.append({"seconds": seconds} | json.loads(done.stdout.splitlines()[-1]))
    return {"lengths": found}


def batch(bench: Bench) -> Json:
    """Ten clips with one speech, enhancer off: one batch in one process, and ten processes."""
    seconds, clips = (0.6, 2) if bench.is_quick else (3.0, 10)
    options = {"lips": "wav2lip", "enhancer": "none"}
    names = [
        bench.materials.clip(seconds, SIZES[1], PRESENTERS[number % 3], start_s=number * 0.8) for number in range(clips)
    ]
    bench.say(f"batch: {clips} clips in one process")
    together = bench.run([bench.job(name, seconds, options) for name in names])
    alone = []
    for number, name in enumerate(names):
        bench.say(f"batch: single job {number + 1} of {clips}")
        alone.append(bench.run([bench.job(name, seconds, options)]))
    return {
        "clips": clips,
        "seconds": seconds,
        "placement": together.placement,
        "batch": {
            "core_s": together.core_s,
            "wall_s": together.ready_s + sum(job.cost.wall_s for job in together.jobs),
            "loads": sum(job.loads for job in together.jobs),
        },
        "single": {
            "core_s": sum(run.core_s for run in alone),
            "wall_s": sum(run.ready_s + run.jobs[0].cost.wall_s for run in alone),
            "loads": sum(run.jobs[0].loads for run in alone),
        },
    }


def enhancer_off(bench: Bench) -> Json:
    """Whether drawing keeps up with the video, and what a clip that comes again saves."""
    seconds = 1.0 if bench.is_quick else 9.6
    clip, other = (bench.materials.clip(seconds, SIZES[1], presenter) for presenter in PRESENTERS[:2])
    runs: dict[str, list[Figures]] = {}
    for turn in range(bench.rounds):
        for lips in ("demo", "wav2lip"):
            bench.say(f"enhancer off, round {turn + 1} of {bench.rounds}: {lips}")
            options = {"lips": lips, "enhancer": "none"}
            first = bench.job(other, seconds, options, only_first_frame=True)
            both = [bench.job(clip, seconds, options) for _ in range(2)]
            runs.setdefault(lips, []).append(bench.run([first, *both]))
    return {
        "seconds": seconds,
        "fps": FPS,
        "lips": [
            {
                "name": lips,
                "placement": of_lips[0].placement,
                **{
                    name: {
                        "wall_share": spread(run.jobs[number].cost.wall_s / seconds for run in of_lips),
                        "core_s": spread(run.jobs[number].cost.core_s / run.jobs[number].frames for run in of_lips),
                        "was_tracked_before": of_lips[0].jobs[number].was_tracked_before,
                    }
                    for number, name in ((1, "new"), (2, "again"))
                },
                "peak_rss_mb": spread(run.peak_rss_mb for run in of_lips),
            }
            for lips, of_lips in runs.items()
        ],
    }


def gpu(bench: Bench) -> Json:
    """720p with GFPGAN on every frame on a CUDA device."""
    if not torch.cuda.is_available():
        return {"why_not": "this machine has no CUDA device"}
    seconds = 2.0 if bench.is_quick else 9.6
    clip, other = (bench.materials.clip(seconds, SIZES[1], presenter) for presenter in PRESENTERS[:2])
    runs = []
    for turn in range(bench.rounds):
        bench.say(f"gpu, round {turn + 1} of {bench.rounds}")
        jobs = [bench.job(other, seconds, ENHANCED), bench.job(clip, seconds, ENHANCED)]
        runs.append(bench.run(jobs, yardstick=10))
    return {
        "placement": runs[0].placement,
        "fps": spread(run.jobs[1].frames / run.jobs[1].cost.wall_s for run in runs),
        "gpu_busy": spread(run.jobs[1].gpu_busy or 0.0 for run in runs),
        "peak_vram_mb": spread(run.peak_vram_mb or 0.0 for run in runs),
        "gfpgan_wall_s": spread(Spread.of(cost.wall_s for cost in run.yardstick).median for run in runs),
    }


def spread(values: Any) -> Json:
    """The spread of `values` as JSON."""
    return asdict(Spread.of(values))


SECTIONS: dict[str, Callable[[Bench], Json]] = {
    "stages": stages,
    "overhead": overhead,
    "enhancer-off": enhancer_off,
    "batch": batch,
    "scaling": scaling,
    "gpu": gpu,
}
