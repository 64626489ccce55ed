"""A container's limit of processor time, as Linux tells of it, and what heeds it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heygem import allowance
from heygem.allowance import are_limited, processors

_TELL = """
import heygem, torch
from heygem.media.ffmpeg_args import THREADS, _X265_PARAMS
print(torch.get_num_threads(), dict(THREADS), _X265_PARAMS)
"""


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of control groups, without any, of a machine of eight processors."""
    monkeypatch.setattr(allowance, "_GROUPS", tmp_path)
    monkeypatch.setattr(allowance, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    for asked in (processors, are_limited):
        asked.cache_clear()
    yield tmp_path
    for asked in (processors, are_limited):
        asked.cache_clear()


def write(file: Path, words: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(words + "\n")


def test_without_control_groups_all_are_allowed(groups: Path) -> None:
    assert (processors(), are_limited()) == (8, False)


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("5000 100000", 1), ("900000 100000", 8)],
)
def test_a_limit_of_version_2_is_rounded_up(groups: Path, limit: str, allowed: int) -> None:
    write(groups / "own", "0::/")
    write(groups / "cpu.max", limit)
    assert (processors(), are_limited()) == (allowed, allowed < 8)


def test_the_narrowest_of_the_groups_around_counts(groups: Path) -> None:
    write(groups / "own", "0::/pods/one/container")
    write(groups / "pods/cpu.max", "600000 100000")
    write(groups / "pods/one/cpu.max", "300000 100000")
    write(groups / "pods/one/container/cpu.max", "max 100000")
    assert processors() == 3


@pytest.mark.parametrize("seen_at", ["docker/1234", "."])
def test_a_limit_of_version_1_counts_wherever_the_group_is_seen(groups: Path, seen_at: str) -> None:
    """A container sees its own group as the root, and is told its name on the host."""
    write(groups / "own", "4:memory:/docker/1234\n3:cpu,cpuacct:/docker/1234\n1:cpuset:/docker/1234\n0::/")
    write(groups / "cpu,cpuacct" / seen_at / "cpu.cfs_quota_us", "250000")
    write(groups / "cpu,cpuacct" / seen_at / "cpu.cfs_period_us", "100000")
    assert processors() == 3


def test_no_limit_of_version_1(groups: Path) -> None:
    write(groups / "own", "3:cpu:/")
    write(groups / "cpu/cpu.cfs_quota_us", "-1")
    write(groups / "cpu/cpu.cfs_period_us", "100000")
    assert processors() == 8


@pytest.fixture
def real_group() -> Iterator[Path]:
    """A group of one processor's time, in whichever version this machine has."""
    first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    folder = (first if first.exists() else second) / f"heygem-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"NO CONTROL GROUP CAN BE MADE HERE: {error}")
    try:
        if first.exists():
            (folder / "cpu.cfs_quota_us").write_text("100000")
        elif not (folder / "cpu.max").exists():
            pytest.skip("NO CONTROL GROUP FOR PROCESSOR TIME CAN BE MADE HERE")
        else:
            (folder / "cpu.max").write_text("100000 100000")
        yield folder
    finally:
        folder.rmdir()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor cannot be made fewer")
def test_torch_and_ffmpeg_take_no_more_threads_than_are_allowed(real_group: Path) -> None:
    enter = f"import os; open({str(real_group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-c", enter + _TELL]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    assert told == "1 {'threads': 1} log-level=error:info=0:pools=1"
