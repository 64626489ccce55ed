"""Draws what `benchmarks.model_cache` found. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_COLOURS = ("#c0504d", "#e3a13d", "#2f7ed8")


def plot(rounds: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Write a picture: memory over time on the left, what each job paid for start and load on the right.

    Args:
        rounds: One round of each way by its name, as `model_cache.one_round` returned it.
        file: A PNG.
    """
    import matplotlib  # Slow to import, and needed only here.

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (memory, costs) = pyplot.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    width = 0.8 / len(rounds)
    for number, ((name, turn), colour) in enumerate(zip(rounds.items(), _COLOURS, strict=True)):
        memory.plot(*zip(*turn["memory"], strict=True), label=name, color=colour, linewidth=1.2)
        places = [at + (number - (len(rounds) - 1) / 2) * width for at in range(1, len(turn["jobs"]) + 1)]
        paid_s = [job["cost_s"] for job in turn["jobs"]]
        bars = costs.bar(places, paid_s, width, label=name, color=colour)
        costs.bar_label(bars, [f"{s:.1f}" if s >= 0.1 else f"{s:.3f}" for s in paid_s], fontsize=7, padding=1)
    memory.set(title="Memory over the same five jobs", xlabel="seconds", ylabel="MB resident")
    memory.set_ylim(0, 1.4 * memory.get_ylim()[1])  # room for the legend
    costs.set(title="Start and load, by job", xlabel="job", ylabel="seconds")
    for axis in (memory, costs):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, loc="upper right")
    figure.savefig(file, dpi=90)
    pyplot.close(figure)
