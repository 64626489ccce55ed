"""How many workers a load needs, on figures made up here."""

import json

import pytest

from benchmarks.sizing import Load, measured_cells, need, sizing_table


def test_a_worker_at_real_time_makes_a_days_hours_in_a_day():
    one = need(Load(hours=24, busy=1.0, mbit=8.0, keep_days=0), 1 / 25)
    assert one.workers == 1
    assert one.storage_tb == pytest.approx(24 * 3600 * 1e6 / 1e12)
    assert one.network_gbit == pytest.approx(4 * 8e6 / 1e9)  # a clip and a result, each up and down
    assert need(Load(hours=24, busy=0.5, mbit=8.0, keep_days=0), 1 / 25).workers == 2
    assert need(Load(hours=24, busy=1.0, mbit=8.0, keep_days=1), 1 / 25).storage_tb == pytest.approx(2 * one.storage_tb)
    assert need(Load(hours=24.1, busy=1.0), 1 / 25).workers == 2


def test_figures_come_from_the_benchmark(tmp_path):
    path = tmp_path / "benchmarks.json"
    cell = {"size": "720p", "mode": "auto", "placement": "cuda:0/fp16", "wall_s": {"median": 0.02, "least": 0.01}}
    path.write_text(json.dumps({"sections": {"stages": {"figures": {"cells": [cell]}}}}))
    assert measured_cells(path) == [("720p, auto, cuda:0/fp16", 0.02)]
    shown = sizing_table(Load(hours=1000, busy=0.7, mbit=5, keep_days=7), measured_cells(path))
    assert shown.splitlines()[-1] == "| 720p, auto, cuda:0/fp16 | 0.0200 | 2 x | 30 | 18.0 | 1.19 |"
