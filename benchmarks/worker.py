"""Does the jobs of a plan in this process and prints what they cost: ``python -m benchmarks.worker < plan.json``.

A process for each measurement, because a peak of memory never falls and because the first job of a process pays for
what later ones find done. It does what the server's worker does: the same `Producer`, lent the same models.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.meter import GpuWatch, MemoryWatch, now, peak_rss_mb, since
from benchmarks.plan import Cost, Figures, JobFigures, JobPlan, Plan
from benchmarks.stages import stage_costs
from heygem.batch_memory import BatchMemory
from heygem.device import FP32_ON_CPU, placement_of
from heygem.errors import JobCancelled
from heygem.faces.face import FaceTrack
from heygem.jobs.choose_engines import Chosen, choose_engines
from heygem.jobs.first_look import FirstLook
from heygem.jobs.known_clips import KnownClips
from heygem.jobs.produce import Produced, Producer
from heygem.model_manager import ModelManager
from heygem.nets.gfpgan import GFPGAN
from heygem.pipeline.drawing import Engines
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Stage
from heygem.settings import Settings
from heygem.weights.load import build, read_tensors
from heygem.weights.locate import path_of
from heygem.weights.manifest import CHECKPOINTS


class _Watch:
    """Notes when a job's models were there and when its first frame had gone to the encoder."""

    def __init__(self, *, only_first_frame: bool) -> None:
        self._only_first_frame = only_first_frame
        self.models_at = self.first_frame_at = 0.0

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Note the time; cancel the job if no more of it is wanted."""
        if stage is Stage.LISTENING:
            self.models_at = time.monotonic()
        elif stage is Stage.DRAWING and done and not self.first_frame_at:
            self.first_frame_at = time.monotonic()
            if self._only_first_frame:
                raise JobCancelled


class _Worker:
    """The parts that the jobs of one process share."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._settings = Settings.from_env(os.environ)
        _take_for_official(plan.parsenet_sha256, self._settings.models_dir)
        # Converted networks stay from process to process, as they do for users; no clip was seen before.
        shutil.rmtree(self._settings.cache_dir / "tracks", ignore_errors=True)
        self.placement = placement_of(self._settings)
        self._models = ModelManager(self._settings.model_budget_mb << 20)
        clips = KnownClips(self._settings)
        self._producer = Producer(self._models, self._settings, self.placement, clips)
        self._first_look = FirstLook(self._settings, lambda: self._models, lambda: clips)

    def do(self, job: JobPlan) -> JobFigures:
        """Do one job."""
        if job.is_looked_at:
            asked = (Path(job.clip), Path(job.speech), RenderOptions(**job.options))
            assert self._first_look.report(*asked).is_fit
            self._first_look.search_ahead(*asked, lambda: True)
        watch = _Watch(only_first_frame=job.only_first_frame)
        before, books = now(), self._models.statistics()
        verify_s, load_s = self._seconds("verify"), self._seconds("load")
        made: Produced | None = None
        gpu = GpuWatch() if self.placement.kind == "cuda" else None
        with suppress(JobCancelled):
            made = self._producer.produce(
                Path(job.clip), Path(job.speech), Path(job.output), RenderOptions(**job.options), watch
            )
        cost, after = since(before), self._models.statistics()
        gpu_busy = gpu.end() if gpu else None
        if self._plan.unload_between:
            self._models.unload()
        return JobFigures(
            frames=made.report.frames if made else 0,
            engines=made.summary.en if made else "",
            cost=cost,
            until_models_s=watch.models_at - before.wall_s,
            first_frame_s=watch.first_frame_at - before.wall_s,
            verify_s=self._seconds("verify") - verify_s,
            load_s=self._seconds("load") - load_s,
            loads=after.loads - books.loads,
            hits=after.hits - books.hits,
            was_tracked_before=made.report.was_tracked_before if made else False,
            gpu_busy=gpu_busy,
            box=_box(made.report.track) if made else (0, 0, 0, 0),
        )

    def stages(self, job: JobPlan) -> dict[str, Cost]:
        """The cost of each stage, with the models that the jobs used."""
        options = RenderOptions(**job.options)
        chosen = choose_engines(options, self._settings, self.placement)
        with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:

            def lent(one: Chosen[Any] | None) -> tuple[Any, BatchMemory | None]:
                if one is None:
                    return None, None
                return stack.enter_context(self._models.lease(one.spec)).model, BatchMemory(one.default_batch)

            detector, detector_batch = lent(chosen.detector)
            lips, lips_batch = lent(chosen.lips)
            enhancer, enhancer_batch = lent(chosen.enhancer)
            assert detector_batch is not None and lips_batch is not None
            engines = Engines(
                detector, detector_batch, lips, lips_batch, enhancer, enhancer_batch, lent(chosen.parser)[0]
            )
            return stage_costs(Path(job.clip), Path(job.speech), Path(folder), engines, options)

    def yardstick(self) -> list[Cost]:
        """Single forwards of GFPGAN in fp32, eager, with torch's own layout: what the reference flow runs."""
        device = self.placement.device
        file = self._settings.gfpgan_file
        if not self._plan.yardstick or file is None:
            return []
        net = build(GFPGAN, read_tensors(file), FP32_ON_CPU).to(device)
        face = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(1)).to(device) * 2 - 1
        costs = []
        with torch.inference_mode():
            net(face)
            for _ in range(self._plan.yardstick):
                before = now()
                net(face)
                costs.append(since(before))
        return costs

    def _seconds(self, phase: str) -> float:
        return sum(model.seconds[phase] for model in self._models.statistics().models)


def _box(track: FaceTrack) -> tuple[int, int, int, int]:
    boxes = track.boxes[track.weight > 0]
    low, high = np.floor(boxes[:, :2].min(0)), np.ceil(boxes[:, 2:].max(0))
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _take_for_official(sha256: str, models_dir: Path) -> None:
    """Let the formula-filled ParseNet through, in this process: users cannot name a ParseNet of their own."""
    official = CHECKPOINTS["parsenet"]
    size = path_of(official, models_dir).stat().st_size
    CHECKPOINTS["parsenet"] = replace(official, bytes=size, sha256=sha256, other_sha256=())


def carried_out(plan: Plan, asked_s: float) -> Figures:
    """Do what `plan` says, in this process.

    Args:
        plan: What to do.
        asked_s: When this process was asked for, seconds since the epoch.
    """
    worker = _Worker(plan)
    ready_s = time.time() - asked_s
    memory = MemoryWatch()
    jobs = [worker.do(job) for job in plan.jobs]
    memory.end()
    core_s = now().core_s
    peak_mb, has_cuda = peak_rss_mb(), torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    peak_vram_mb = torch.cuda.max_memory_allocated() / 2**20 if has_cuda else None
    return Figures(
        placement=str(worker.placement),
        threads=torch.get_num_threads(),
        ready_s=ready_s,
        core_s=core_s,
        jobs=jobs,
        peak_rss_mb=peak_mb,
        peak_children_mb=memory.peak_children_mb,
        peak_vram_mb=peak_vram_mb,
        memory=memory.samples,
        stages=worker.stages(plan.stages_of) if plan.stages_of else {},
        yardstick=worker.yardstick(),
    )


def main() -> None:
    """Read a plan, print figures."""
    raw = json.load(sys.stdin)
    print(json.dumps(asdict(carried_out(Plan.of(raw["plan"]), raw["asked_s"]))))


if __name__ == "__main__":
    main()
