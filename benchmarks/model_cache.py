"""``python -m benchmarks.model_cache``: what models that stay in memory save, on the same five jobs.

Three ways of doing them: a process for each job, as scripts do; one process that unloads its models after each job; one
process whose models stay, as HeyGem does. The cost of starting and loading is what passes before a job's own work: from
the start of a process until everything is imported, and the time in which weights are verified and models built.
Later jobs must lose at least 95 % of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_facts, moment
from benchmarks.materials import PRESENTERS, SIZES, Materials
from benchmarks.model_cache_plot import plot
from benchmarks.plan import Figures
from benchmarks.report import table
from benchmarks.sections import ENHANCED, Bench
from benchmarks.spread import Spread
from heygem.settings import PROJECT_DIR

JOBS = 5
WANTED = 0.95
"""Share of the cost of starting and loading that later jobs must lose."""

_MARKS = ("<!-- model cache: written by python -m benchmarks.model_cache -->", "<!-- end of model cache -->")
_HEADS = {
    "en": (
        "five jobs",
        "first job: start and load, s",
        "later jobs, each, s",
        "all five, s",
        "loads",
        "hits",
        "peak, MB",
    ),
    "zh": (
        "五个任务",
        "首个任务：启动与加载（秒）",
        "之后每个任务（秒）",
        "五个合计（秒）",
        "加载",
        "命中",
        "内存峰值（MB）",
    ),
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of doing the jobs.

    Attributes:
        key: Its name in the figures.
        en, zh: What people read.
        is_process_each: A process for each job.
        unloads: Models are unloaded after each job.
    """

    key: str
    en: str
    zh: str
    is_process_each: bool = False
    unloads: bool = False


SCHEMES = (
    Scheme("process", "a process for each job", "每个任务一个进程", is_process_each=True),
    Scheme("unload", "models unloaded after each job", "每个任务后卸载模型", unloads=True),
    Scheme("resident", "**models stay (HeyGem)**", "**模型常驻（HeyGem）**"),
)


def main() -> None:
    """Measure, print, and write table and plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model_cache", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured, in turn (3)")
    parser.add_argument("--seconds", type=float, default=0.4, help="length of each job's speech (0.4)")
    parser.add_argument("--threads", type=int, help="of torch; the machine's cores if left out")
    parser.add_argument("--out", type=Path, help="folder for the figures, instead of docs/ and the READMEs")
    args = parser.parse_args()
    began, before = time.monotonic(), moment()

    def say(step: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {step}", file=sys.stderr, flush=True)

    rounds: dict[str, list[dict[str, Any]]] = {scheme.key: [] for scheme in SCHEMES}
    with tempfile.TemporaryDirectory() as folder:
        say("writing weights")
        bench = Bench(Materials(Path(folder)), args.rounds, args.threads, False, say)
        for turn in range(args.rounds):
            for scheme in SCHEMES:
                say(f"round {turn + 1} of {args.rounds}: {scheme.en}")
                rounds[scheme.key].append(one_round(bench, scheme, args.seconds))
    figures = {
        "machine": machine_facts(),
        "began": before,
        "ended": moment(),
        "seconds": args.seconds,
        "rounds": rounds,
    }
    print(page(figures))
    out: Path = args.out or PROJECT_DIR / "docs"
    write(figures, out)
    if args.out is None:
        for name, language in (("README.md", "en"), ("README.zh-CN.md", "zh")):
            replace_table(PROJECT_DIR / name, scheme_table(rounds, language))
    say(f"written into {out}")
    if not is_kept(rounds):
        raise SystemExit(1)


def one_round(bench: Bench, scheme: Scheme, seconds: float) -> dict[str, Any]:
    """Do the five jobs once.

    Returns:
        ``jobs``: for each, seconds of starting and loading (``cost_s``), until its first frame was drawn
        (``first_frame_s``) and in all (``wall_s``), ``loads`` and ``hits``; ``memory``: (s since the start, MB).
    """
    jobs = [
        bench.job(bench.materials.clip(seconds, SIZES[1], PRESENTERS[number % 3], number * 0.8), seconds, ENHANCED)
        for number in range(JOBS)
    ]
    bench.prepare()
    started = time.time()
    if scheme.is_process_each:
        runs = [bench.run([job]) for job in jobs]
    else:
        runs = [bench.run(jobs, unload_between=scheme.unloads)]
    memory = [(round(at - started, 1), round(mb)) for run in runs for at, mb in _ended(run.memory)]
    return {"jobs": [facts for run in runs for facts in _jobs(run)], "memory": memory}


def _jobs(run: Figures) -> list[dict[str, float]]:
    """The jobs of one process; the first of them pays for its start."""
    starts = [run.ready_s] + [0.0] * (len(run.jobs) - 1)
    return [
        {
            "cost_s": start_s + job.verify_s + job.load_s,
            "first_frame_s": start_s + job.first_frame_s,
            "wall_s": start_s + job.cost.wall_s,
            "loads": job.loads,
            "hits": job.hits,
        }
        for start_s, job in zip(starts, run.jobs, strict=True)
    ]


def _ended(memory: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The memory of a process, and none before and after."""
    return [(memory[0][0], 0.0), *memory, (memory[-1][0], 0.0)] if memory else []


def lost_share(rounds: dict[str, list[dict[str, Any]]], reloading: str) -> float:
    """Share of the cost of starting and loading, as later jobs of `reloading` pay it, that resident models save."""
    return 1 - _later(rounds["resident"], "cost_s").median / _later(rounds[reloading], "cost_s").median


def is_kept(rounds: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether the promise is kept against both ways of reloading."""
    return all(lost_share(rounds, scheme.key) >= WANTED for scheme in SCHEMES if scheme.key != "resident")


def scheme_table(rounds: dict[str, list[dict[str, Any]]], language: str) -> str:
    """The table, in ``en`` or ``zh``."""
    rows = []
    for scheme in SCHEMES:
        turns = rounds[scheme.key]
        rows.append(
            (
                scheme.en if language == "en" else scheme.zh,
                Spread.of(turn["jobs"][0]["cost_s"] for turn in turns).shown(2),
                _later(turns, "cost_s").shown(3),
                Spread.of(sum(job["wall_s"] for job in turn["jobs"]) for turn in turns).shown(1),
                str(sum(job["loads"] for job in turns[0]["jobs"])),
                str(sum(job["hits"] for job in turns[0]["jobs"])),
                Spread.of(max(mb for _, mb in turn["memory"]) for turn in turns).shown(0),
            )
        )
    return table(_HEADS[language], rows)


def page(figures: dict[str, Any]) -> str:
    """docs/model-cache.md."""
    rounds = figures["rounds"]
    verdicts = [
        f"- Against {scheme.en}: later jobs lose {100 * lost_share(rounds, scheme.key):.1f} % of the cost; wanted "
        f"{100 * WANTED:.0f} %: {'**pass**' if lost_share(rounds, scheme.key) >= WANTED else '**FAIL**'}."
        for scheme in SCHEMES
        if scheme.key != "resident"
    ]
    first = [
        (
            scheme.en,
            *(
                f"{Spread.of(turn['jobs'][at]['first_frame_s'] for turn in rounds[scheme.key]).shown(2)}"
                for at in range(JOBS)
            ),
        )
        for scheme in SCHEMES
    ]
    load = f"load average {figures['began']['load']} before, {figures['ended']['load']} after"
    return "\n".join(
        [
            "# Models that stay in memory\n",
            f"The same five jobs in three ways ({figures['seconds']:g} s of speech each, five clips, 720p, Wav2Lip and "
            "GFPGAN on every frame), in turn; medians, with the least and the most in brackets. Weights are filled by "
            "a formula, in files of the official form and size; **no official weights were used**. Files come from the "
            "system's page cache: from a cold disk, reloading is dearer than here. `python -m benchmarks.model_cache` "
            "makes this page.\n",
            scheme_table(rounds, "en") + "\n",
            *verdicts,
            "\n![memory over time, and the cost of each job](model-cache.png)\n",
            "Seconds until the first frame of each job had gone to the encoder:\n",
            table(("", *(f"job {number + 1}" for number in range(JOBS))), first) + "\n",
            table(("machine", ""), figures["machine"].items()) + "\n",
            f"Measured {figures['began']['time']}, HeyGem {figures['began']['heygem']}; {load}.\n",
        ]
    )


def write(figures: dict[str, Any], out: Path) -> None:
    """Write page, figures and plot into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model-cache.md").write_text(page(figures), encoding="utf-8")
    (out / "model-cache.json").write_text(json.dumps(figures) + "\n", encoding="utf-8")
    titles = {scheme.key: scheme.en.strip("*") for scheme in SCHEMES}
    last = {titles[key]: turns[-1] for key, turns in figures["rounds"].items()}
    plot(last, out / "model-cache.png")


def replace_table(readme: Path, new: str) -> None:
    """Put a table between the marks of a README.

    Raises:
        ValueError: the marks are not there.
    """
    text = readme.read_text(encoding="utf-8")
    before, began, rest = text.partition(_MARKS[0])
    _, ended, after = rest.partition(_MARKS[1])
    if not began or not ended:
        raise ValueError(f"{readme} has no place for the table: {_MARKS[0]} and {_MARKS[1]}")
    readme.write_text(f"{before}{began}\n{new}\n{ended}{after}", encoding="utf-8")


def _later(turns: list[dict[str, Any]], name: str) -> Spread:
    """All jobs but the first, of all rounds."""
    return Spread.of(job[name] for turn in turns for job in turn["jobs"][1:])


if __name__ == "__main__":
    main()
