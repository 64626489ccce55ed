"""What a process keeps of each job that it did: nothing. The short form; long_run.py says how to have the long one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.stats import theilslopes

from heygem.media.ffmpeg_binary import ffmpeg_binary

HERE = Path(__file__).parent
JOBS, FIRST = 36, 6
"""So many jobs; the first ones fill caches and grow the heap to its size."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What each job left in the process, one after another."""
    folder = tmp_path_factory.mktemp("long run")
    clip = folder / "small.mp4"
    scaled = ("-i", HERE.parent / "data" / "presenter.mp4", "-t", "0.4", "-vf", "scale=320:180", "-an", clip)
    subprocess.run([ffmpeg_binary(), "-v", "error", *scaled], check=True)
    done = subprocess.run(
        [sys.executable, HERE / "long_run.py", str(JOBS), folder, clip],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == JOBS
    return lines[FIRST:]


def test_memory_does_not_grow_from_job_to_job(seen):
    slope = theilslopes([line["rss_mb"] for line in seen])[0]
    assert slope < 0.5, f"{slope:.3f} MB a job"


@pytest.mark.parametrize("what", ["fds", "threads"])
def test_nothing_stays_open(seen, what):
    assert len({line[what] for line in seen}) == 1, [line[what] for line in seen]


def test_no_child_is_left(seen):
    assert {line["children"] for line in seen} == {0}
