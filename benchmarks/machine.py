"""What was measured on, and with which versions. Knows nothing of what is measured."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from heygem import __version__
from heygem.media.ffmpeg_binary import ffmpeg_banner
from heygem.settings import PROJECT_DIR

_TELLING_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16")
"""What the speed of networks on a CPU depends on most."""
_PACKAGES = ("torch", "openvino", "opencv-python", "numpy")


def machine_facts() -> dict[str, str]:
    """Processor, memory, GPU and versions. Sections measured apart share a page where all of it is the same."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    cpu = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in info)}
    flags = [flag for flag in _TELLING_FLAGS if flag in cpu.get("flags", "").split()]
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{cpu.get('model name', 'unknown')}, with {', '.join(flags) or 'none of its wide instructions'}",
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_gb:.1f} GiB",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        **{package: _version(package) for package in _PACKAGES},
        "ffmpeg": ffmpeg_banner(),
    }


def moment() -> dict[str, str]:
    """When it is, which code runs, and what else the machine does: load averages of 1, 5 and 15 minutes."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    time = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"time": time, "heygem": f"{__version__}{_commit()}", "load": load}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit that is checked out; nothing where this is no repository."""
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT_DIR, capture_output=True, text=True, check=False
    )
    return f", commit {asked.stdout.strip()}" if asked.returncode == 0 else ""
