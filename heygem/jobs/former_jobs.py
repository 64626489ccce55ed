"""How fast former jobs were, by the manifests beside their results. Knows no queue: results outlive it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from heygem.jobs.job_folder import RESULT
from heygem.jobs.result_manifest import read_manifest

log = logging.getLogger(__name__)

_NEWEST = 20
"""Results that are asked; older ones ran on an older machine, or none of them fits."""


def seconds_per_pixel(outputs_dir: Path, engines: Mapping[str, str | None], placement: str) -> float | None:
    """Time that a pixel of a result took, median over the newest results; None where none ran on the same engines.

    Args:
        outputs_dir: Where results lie, each in a folder of its own.
        engines: Names of the engines by kind; None where none is to run.
        placement: Device and number format, as manifests write it.
    """
    results = sorted(outputs_dir.glob(f"*/{RESULT}"), key=_made_at, reverse=True)[:_NEWEST]
    paces = [_pace(result, engines, placement) for result in results]
    known = [pace for pace in paces if pace is not None]
    return median(known) if known else None


def _made_at(result: Path) -> float:
    try:
        return result.stat().st_mtime
    except FileNotFoundError:  # somebody has just deleted it; there is no manifest then
        return 0.0


def _pace(result: Path, engines: Mapping[str, str | None], placement: str) -> float | None:
    facts = read_manifest(result)
    if facts is None or facts.get("preview"):  # which spends most of its time on finding its seconds
        return None
    try:
        same = all((facts["engines"].get(kind) or {}).get("name") == name for kind, name in engines.items())
        if not same or facts["placement"] != placement:
            return None
        width, height = facts["size"]
        return float(facts["seconds"]["all"]) / (int(facts["frames"]) * int(width) * int(height))
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):
        log.debug("%s: a manifest of another version", result)
        return None
