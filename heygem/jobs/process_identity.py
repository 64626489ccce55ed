"""Which process owns a job, and whether it still lives. Linux; knows nothing of jobs.

A process id alone is used again after a while: with the time of the process's start, and the boot that it is counted
from, it names one process for ever.
"""

from __future__ import annotations

import os
import time
from pathlib import Path


def own_identity() -> str:
    """Names this process, across restarts of it and of the machine."""
    return f"{_boot_id()}:{os.getpid()}:{_started_at(os.getpid())}"


def is_alive(identity: str) -> bool:
    """Whether the process of that name still lives here. Seen from here, those of other machines are dead."""
    boot, pid, started = identity.split(":")
    return boot == _boot_id() and _started_at(int(pid)) == started


def seconds_since_boot() -> float:
    """A clock that all processes of this machine share, that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _started_at(pid: int) -> str | None:
    """Ticks from the boot to the start of a process; None if there is none, or only what is left of it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name, which may hold spaces and brackets.
    after_name = text.rpartition(")")[2].split()
    return None if after_name[0] in "ZX" else after_name[19]
