"""How many processors this process is allowed: fewer than the machine has where a container limits its processor time.

Whoever starts a thread for each processor of the machine there has most of them stopped most of the time, with locks
in their hands. Knows nothing of who asks; read from what Linux says of control groups (man 7 cgroups).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from math import ceil
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


@cache
def processors() -> int:
    """Processors that may be kept busy all the time, at least 1."""
    return min([_on_which_it_may_run(), *(max(1, ceil(share)) for share in _shares(_OWN_GROUPS, _GROUPS))])


@cache
def are_limited() -> bool:
    """Whether that is fewer than those on which the process may run: libraries that count those count too many."""
    return processors() < _on_which_it_may_run()


def _on_which_it_may_run() -> int:
    return len(os.sched_getaffinity(0))


def _shares(own_groups: Path, groups: Path) -> Iterator[float]:
    """Processor time over time, as limited by each control group that the process is in."""
    lines = own_groups.read_text().splitlines() if own_groups.exists() else []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            for folder in _upwards(groups, group):
                yield from _share(*_words(folder / "cpu.max"))
        elif "cpu" in controllers.split(","):
            for folder in _upwards(groups / controllers, group):
                yield from _share(*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us"))


def _upwards(root: Path, group: str) -> Iterator[Path]:
    """Where a group may be seen, and those that it is in. In a container, its own group is the root."""
    folder = root / group.lstrip("/")
    while folder != root:
        yield folder
        folder = folder.parent
    yield root


def _words(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def _share(*words: str) -> Iterator[float]:
    """From microseconds of processor time and the period in which they may be used; no number or -1 means any."""
    if len(words) == 2 and words[0].isdigit():
        yield int(words[0]) / int(words[1])
