"""The report says what the figures say, and what was not measured. The figures here are made up."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.report import goals_table, report
from benchmarks.sections import SECTIONS
from benchmarks.spread import Spread

MOMENT = {"time": "2026-01-02 03:04 UTC", "heygem": "0.1.0, commit abc", "load": "0.1, 0.2, 0.3"}


def spread(median: float, off: float = 0.0) -> dict[str, Any]:
    return {"median": median, "least": median - off, "most": median + off, "count": 3 if off else 1}


def cell(mode: str, placement: str, yardstick: float, psnr: float = 2000.0) -> dict[str, Any]:
    return {
        "size": "720p",
        "mode": mode,
        "placement": placement,
        "threads": 4,
        "engines": f"engines of {mode}",
        "core_s": spread(1.5, 0.25),
        "wall_s": spread(0.5),
        "gfpgan_core_s": spread(4.5),
        "yardstick": spread(yardstick),
        "peak_rss_mb": spread(psnr),
        "peak_children_mb": spread(160),
        "peak_vram_mb": None,
        "stages": {"decode": {"core_s": spread(0.0061), "wall_s": spread(0.003)}},
    }


FIGURES: dict[str, Any] = {
    "stages": {
        "frames": 30,
        "cells": [cell("as installed", "cpu+openvino/bf16", 0.3), cell("fp32, torch", "cpu/fp32", 1.5)],
        "face_psnr_db": {"as installed": [41.0, 51.5]},
    },
    "overhead": {
        "seconds": 10.0,
        "placement": "cpu/bf16",
        "preparing_s": 33.0,
        "ready_s": spread(3.2, 0.1),
        "jobs": [
            {
                "kind": f"job {number}",
                "until_models_s": spread(4.0 / number),
                "first_frame_s": spread(9.0 / number),
                "loads": 4 if number == 1 else 0,
                "hits": 0 if number == 1 else 4,
            }
            for number in (1, 2, 3)
        ],
    },
    "enhancer-off": {
        "seconds": 9.6,
        "fps": 25,
        "lips": [
            {
                "name": "demo",
                "placement": "cpu/bf16",
                "new": {"wall_share": spread(0.5), "core_s": spread(0.08), "was_tracked_before": False},
                "again": {"wall_share": spread(0.25), "core_s": spread(0.05), "was_tracked_before": True},
                "peak_rss_mb": spread(900),
            }
        ],
    },
    "batch": {
        "clips": 10,
        "seconds": 3.0,
        "placement": "cpu/bf16",
        "batch": {"core_s": 80.0, "wall_s": 25.0, "loads": 2},
        "single": {"core_s": 160.0, "wall_s": 100.0, "loads": 20},
    },
    "scaling": {
        "lengths": [
            {
                "seconds": 10,
                "frames": 250,
                "core_s": 12.5,
                "wall_s": 5.0,
                "peak_rss_mb": 700.0,
                "peak_children_mb": 160.0,
            },
            {
                "seconds": 600,
                "frames": 15000,
                "core_s": 750.0,
                "wall_s": 300.0,
                "peak_rss_mb": 760.0,
                "peak_children_mb": 170.0,
            },
        ]
    },
    "gpu": {"why_not": "this machine has no CUDA device"},
}


def figures(*names: str) -> dict[str, Any]:
    sections = {name: {"figures": FIGURES[name], "began": MOMENT, "ended": MOMENT} for name in names}
    return {"machine": {"processor": "a processor", "cores": "4"}, "sections": sections}


def goals(*names: str) -> dict[str, tuple[str, str]]:
    lines = goals_table(figures(*names)["sections"]).splitlines()[4:]
    cells = (line.strip("| ").split(" | ") for line in lines)
    return {goal: (measured, reached) for goal, measured, reached in cells}


def test_the_page_shows_every_section_that_can_be_measured() -> None:
    page = report(figures(*SECTIONS))
    assert set(SECTIONS) == set(FIGURES)
    assert page.count("Measured 2026-01-02 03:04 UTC, HeyGem 0.1.0, commit abc; load average 0.1, 0.2, 0.3") == 6
    for part in (
        "| processor | a processor |",
        "No official weights were used",
        "| core-seconds per frame, whole job | 1.500 (1.250–1.750) | 1.500 (1.250–1.750) |",
        "| decode | 6.1 | 6.1 |",
        "| as installed | 51.5 dB | 41.0 dB |",
        "| job 2 | 2.00 | 4.50 | 0 | 4 |",
        "| demo, new clip | 0.50 | 50 | 80.0 | search |",
        "| demo, the same clip again | 0.25 | 100 | 50.0 | cache |",
        "The batch takes 0.25 of the time.",
        "a stub in place of the lip engine",
        "| 10 min | 15000 | 50.0 | 20.0 | 760 | 170 |",
        "Not measured: this machine has no CUDA device.",
    ):
        assert part in page


def test_what_was_not_measured_is_said() -> None:
    page = report(figures("scaling"))
    assert page.count("\nNot measured.\n") == 5
    assert "yardstick at most" not in page
    assert report(figures()).count("\nNot measured.\n") == 7


def test_goals_are_judged_by_the_figures() -> None:
    reached = goals(*SECTIONS)
    assert reached["720p, as installed (cpu+openvino/bf16): yardstick at most 0.33"] == ("0.30", "yes")
    assert reached["720p, fp32, torch (cpu/fp32): yardstick at most 1.45"] == ("1.50", "**no**")
    assert reached["memory at most 3 GB"] == ("2000 MB", "yes")
    assert reached["as installed against fp32, trained lips: at least 45 dB in the face"] == ("51.5 dB", "yes")
    assert reached["job 2: no model loaded"] == ("0 loads, 4 hits", "yes")
    assert reached["job 2: first frame within 2 s"] == ("4.5 s", "**no**")
    assert reached["enhancer off, demo: faster than real time"] == ("0.50 of it", "yes")
    assert reached["memory grows by no more than 50 MB from 10 s to 10 min"] == ("+60 MB", "**no**")


@pytest.mark.parametrize(("values", "shown"), [([3.0, 1.0, 2.5], "2.5 (1.0–3.0)"), ([2.0], "2.0")])
def test_a_spread_is_the_median_with_least_and_most(values: list[float], shown: str) -> None:
    assert Spread.of(values).shown(1) == shown
    assert Spread.of(values).shown(0, factor=10) == shown.replace(".0", "0").replace(".5", "5")
