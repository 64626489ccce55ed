"""``python -m benchmarks.sizing``: how many workers a day's hours of video need, from figures that were measured.

Reads docs/benchmarks.json, which ``python -m benchmarks`` makes, or takes the seconds that one frame takes. Measures
nothing itself: run the benchmark on a machine of the kind that is to do the work.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.report import table
from heygem.settings import PROJECT_DIR

FIGURES = PROJECT_DIR / "docs" / "benchmarks.json"
FPS = 25
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for.

    Attributes:
        hours: Of finished video a day.
        busy: Share of the day in which a worker works, 0..1: the rest is for peaks, restarts and loading.
        mbit: Rate of a clip and of a result, each, in Mbit/s.
        keep_days: Days that results stay.
    """

    hours: float = 1000.0
    busy: float = 0.7
    mbit: float = 5.0
    keep_days: float = 7.0


@dataclass(frozen=True, slots=True)
class Need:
    """What that takes.

    Attributes:
        workers: GPUs, or machines without one.
        storage_tb: For clips of a day and results that stay.
        network_gbit: Through the store at once, in and out, on average; each file crosses it twice.
    """

    workers: int
    storage_tb: float
    network_gbit: float


def need(load: Load, frame_s: float) -> Need:
    """What a load takes of workers that need `frame_s` wall seconds for a frame of 25 a second."""
    worker_s = load.hours * 3600 * FPS * frame_s
    day_bytes = load.hours * 3600 * load.mbit * 1e6 / 8
    return Need(
        workers=ceil(worker_s / (_DAY_S * load.busy)),
        storage_tb=day_bytes * (1 + load.keep_days) / 1e12,
        network_gbit=2 * 2 * day_bytes * 8 / (_DAY_S * load.busy) / 1e9,
    )


def sizing_table(load: Load, measured: Sequence[tuple[str, float]]) -> str:
    """The needs in Markdown, a line for each of what was measured: its name, and wall seconds a frame."""
    rows = []
    for name, frame_s in measured:
        needed = need(load, frame_s)
        speed = f"{1 / (frame_s * FPS):.3g} x"
        rows.append(
            (
                name,
                f"{frame_s:.4f}",
                speed,
                str(needed.workers),
                f"{needed.storage_tb:.1f}",
                f"{needed.network_gbit:.2f}",
            )
        )
    return table(("measured", "s a frame", "real time", "workers", "storage, TB", "network, Gbit/s"), rows)


def measured_cells(path: Path) -> list[tuple[str, float]]:
    """Size, mode and placement of each cell of the benchmark's stages, and its wall seconds a frame."""
    cells = json.loads(path.read_text(encoding="utf-8"))["sections"]["stages"]["figures"]["cells"]
    return [(f"{cell['size']}, {cell['mode']}, {cell['placement']}", cell["wall_s"]["median"]) for cell in cells]


def main() -> None:
    """Print the table."""
    usual = Load()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizing", description=__doc__)
    parser.add_argument("--hours", type=float, default=usual.hours, help="of finished video a day")
    parser.add_argument("--busy", type=float, default=usual.busy, help="share of the day in which a worker works, 0..1")
    parser.add_argument(
        "--mbit", type=float, default=usual.mbit, help="rate of a clip and of a result, each, in Mbit/s"
    )
    parser.add_argument("--keep-days", type=float, default=usual.keep_days, help="days that results stay")
    parser.add_argument("--frame-s", type=float, help="wall seconds a frame, instead of docs/benchmarks.json")
    args = parser.parse_args()
    measured = [("as given", args.frame_s)] if args.frame_s else measured_cells(FIGURES)
    print(sizing_table(Load(args.hours, args.busy, args.mbit, args.keep_days), measured))


if __name__ == "__main__":
    main()
