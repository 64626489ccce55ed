"""The arithmetic of the benchmark of resident models, on made-up figures, and what it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.model_cache import JOBS, SCHEMES, is_kept, lost_share, page, replace_table, scheme_table, write
from benchmarks.report import table

MOMENT = {"time": "2026-01-02 03:04 UTC", "heygem": "0.1.0", "load": "0.1"}


def rounds(resident_later_s: float = 0.1) -> dict[str, list[dict[str, Any]]]:
    """Later jobs pay 8 s as processes and 4 s after an unload; the first ones pay 9 s."""
    later = {"process": 8.0, "unload": 4.0, "resident": resident_later_s}
    return {
        key: [_round(cost_s, key == "resident"), _round(cost_s, key == "resident")] for key, cost_s in later.items()
    }


def _round(later_s: float, stays: bool) -> dict[str, Any]:
    costs = [9.0] + [later_s] * (JOBS - 1)
    jobs = [
        {
            "cost_s": cost_s,
            "first_frame_s": cost_s + 1,
            "wall_s": cost_s + 2,
            "loads": 0 if stays and number else 4,
            "hits": 4 if stays and number else 0,
        }
        for number, cost_s in enumerate(costs)
    ]
    return {"jobs": jobs, "memory": [(0.0, 0.0), (1.0, 1500.0), (2.0, 0.0)]}


def test_the_share_that_is_lost_is_that_of_later_jobs_only() -> None:
    assert lost_share(rounds(), "process") == pytest.approx(1 - 0.1 / 8)
    assert lost_share(rounds(), "unload") == pytest.approx(1 - 0.1 / 4)


def test_the_promise_is_kept_only_against_both_ways_of_reloading() -> None:
    assert is_kept(rounds(0.2))
    assert not is_kept(rounds(0.3))  # 96 % against processes, 92.5 % against unloading
    assert "**pass**" in page(_figures(0.3)) and "**FAIL**" in page(_figures(0.3))
    assert "**FAIL**" not in page(_figures(0.2))


def test_the_table_says_the_same_in_both_languages() -> None:
    english, chinese = (scheme_table(rounds(), language).splitlines() for language in ("en", "zh"))
    assert [line.split(" | ")[1:] for line in english[1:]] == [line.split(" | ")[1:] for line in chinese[1:]]
    assert english[-1].startswith(
        "| **models stay (HeyGem)** | 9.00 (9.00–9.00) | 0.100 (0.100–0.100) | 19.4 (19.4–19.4)"
    )
    assert english[-1].endswith(" | 4 | 16 | 1500 (1500–1500) |")
    assert "每个任务一个进程" in chinese[2]


def test_page_figures_and_plot_are_written(tmp_path: Path) -> None:
    write(_figures(), tmp_path)
    assert (tmp_path / "model-cache.md").read_text(encoding="utf-8") == page(_figures())
    assert (tmp_path / "model-cache.png").read_bytes().startswith(b"\x89PNG")


def test_the_readmes_have_a_place_for_the_table(tmp_path: Path) -> None:
    for name in ("README.md", "README.zh-CN.md"):
        copy = tmp_path / name
        original = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
        copy.write_text(original, encoding="utf-8")
        replace_table(copy, table(("new",), [("line",)]))
        changed = copy.read_text(encoding="utf-8")
        assert "| new |\n| --- |\n| line |\n<!-- end" in changed
        assert changed.partition("<!-- model cache")[0] == original.partition("<!-- model cache")[0]
        assert changed.partition("<!-- end")[2] == original.partition("<!-- end")[2]


def test_a_readme_without_a_place_is_told(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        replace_table(readme, "table")
    assert readme.read_text(encoding="utf-8") == "nothing"


def _figures(resident_later_s: float = 0.1) -> dict[str, Any]:
    assert set(rounds()) == {scheme.key for scheme in SCHEMES}
    return {
        "machine": {"cores": "4"},
        "began": MOMENT,
        "ended": MOMENT,
        "seconds": 0.4,
        "rounds": rounds(resident_later_s),
    }
