"""``python -m heygem doctor``: what this machine has, and what to do about what it lacks."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heygem.errors import NOTHING, HeyGemError, Text, WeightsMissingError
from heygem.settings import Settings

_LOW_DISK_BYTES = 10 * 1024**3
_DRIVER_LIMIT_S = 30.0


class State(Enum):
    """How a finding is to be taken; the value is its colour and word."""

    GOOD = "[green]好 ok[/green]"
    WEAK = "[yellow]注意 note[/yellow]"
    BAD = "[red]错误 error[/red]"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    subject: str
    state: State
    value: str
    advice: Text = NOTHING


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("doctor", help="check this machine", description="Check this machine.")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the table.

    Returns:
        0, or 1 if something is in the way of every job.
    """
    del args
    findings = [finding for check in _CHECKS for finding in check(settings)]
    table = Table("项目 what", "状态 state", "结果 found", "建议 advice", show_lines=False)
    for finding in findings:
        table.add_row(finding.subject, finding.state.value, escape(finding.value), escape(str(finding.advice)))
    Console().print(table)
    return 1 if any(finding.state is State.BAD for finding in findings) else 0


def _python(settings: Settings) -> Iterator[Finding]:
    del settings
    good = sys.version_info >= (3, 11)
    advice = Text("请安装 Python 3.11 或更新版本。", "Install Python 3.11 or newer.")
    yield Finding("Python", State.GOOD if good else State.BAD, platform.python_version(), NOTHING if good else advice)
    for package in ("gradio", "opencv-python", "librosa", "facexlib", "basicsr"):
        try:
            yield Finding(package, State.GOOD, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            reinstall = Text("请运行 bash start_app.sh 重新安装。", "Run bash start_app.sh to install it.")
            yield Finding(package, State.BAD, "-", reinstall)


def _torch(settings: Settings) -> Iterator[Finding]:
    import torch

    from heygem.device import placement_of

    yield _driver()
    built_for = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    yield Finding("torch", State.GOOD, f"{torch.__version__} ({built_for})")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            memory = f"{free / 1024**3:.1f} / {total / 1024**3:.1f} GiB VRAM"
            yield Finding(f"cuda:{index}", State.GOOD, f"{torch.cuda.get_device_name(index)}, {memory}")
    else:
        advice = Text("将使用 CPU，速度较慢。", "The CPU is used; that is slow.")
        if shutil.which("nvidia-smi"):
            advice = Text(
                "有 NVIDIA 驱动但 torch 用不了：请升级驱动，或重新运行 bash start_app.sh 以安装 CUDA 12 版本。",
                "There is an NVIDIA driver that torch cannot use: update it, or run bash start_app.sh again, "
                "which installs the CUDA 12 build.",
            )
        yield Finding("CUDA", State.WEAK, "-", advice)
        yield _openvino()
    try:
        yield Finding("HEYGEM_DEVICE", State.GOOD, str(placement_of(settings)))
    except HeyGemError as error:
        yield Finding("HEYGEM_DEVICE", State.BAD, str(error), error.hint)


def _openvino() -> Finding:
    try:
        return Finding("openvino", State.GOOD, importlib.metadata.version("openvino"))
    except importlib.metadata.PackageNotFoundError:
        advice = Text(
            "安装后 CPU 计算更快：pip install -r requirements-cpu.txt。",
            "It makes the CPU faster: pip install -r requirements-cpu.txt.",
        )
        return Finding("openvino", State.WEAK, "-", advice)


def _driver() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("NVIDIA driver", State.WEAK, "-", Text("没有 NVIDIA 显卡驱动。", "There is no NVIDIA driver."))
    command = [program, "--query-gpu=driver_version,name", "--format=csv,noheader"]
    advice = Text("驱动没有响应，请重启或重装。", "The driver does not answer; restart, or install it anew.")
    asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        answer, _ = asked.communicate(timeout=_DRIVER_LIMIT_S)
    except subprocess.TimeoutExpired:
        asked.kill()  # and not waited for: a driver that hangs lets nobody be killed
        return Finding("NVIDIA driver", State.WEAK, f"> {_DRIVER_LIMIT_S:g} s", advice)
    if asked.returncode == 0:
        return Finding("NVIDIA driver", State.GOOD, answer.strip())
    return Finding("NVIDIA driver", State.WEAK, answer.strip(), advice)


def _ffmpeg(settings: Settings) -> Iterator[Finding]:
    del settings
    from heygem.media.ffmpeg_binary import available_encoders, ffmpeg_banner, ffmpeg_binary

    try:
        encoders = available_encoders()
        yield Finding("ffmpeg", State.GOOD, f"{ffmpeg_banner()} ({ffmpeg_binary()})")
    except HeyGemError as error:
        yield Finding("ffmpeg", State.BAD, str(error), error.hint)
        return
    missing = [name for name in ("libx264", "aac") if name not in encoders]
    advice = Text("请换一个带这些编码器的 ffmpeg。", "Use an ffmpeg that has them.") if missing else NOTHING
    found = [name for name in ("libx264", "libx265", "aac", "h264_nvenc", "hevc_nvenc") if name in encoders]
    yield Finding("encoders", State.BAD if missing else State.GOOD, ", ".join(found), advice)


def _weights(settings: Settings) -> Iterator[Finding]:
    from heygem.weights.manifest import CHECKPOINTS
    from heygem.weights.verify import verify_present

    for checkpoint in CHECKPOINTS.values():
        try:
            file = verify_present(checkpoint, settings.models_dir)
            yield Finding(checkpoint.name, State.GOOD, f"{file.path} {file.sha256[:8]}")
        except WeightsMissingError:
            command = f"python -m heygem models download {checkpoint.name}" if checkpoint.urls else checkpoint.page
            yield Finding(checkpoint.name, State.WEAK, "缺少 missing", Text(command, ""))
        except HeyGemError as error:
            yield Finding(checkpoint.name, State.BAD, str(error), error.hint)


def _folders(settings: Settings) -> Iterator[Finding]:
    folders = (("HEYGEM_OUTPUTS_DIR", settings.outputs_dir), ("HEYGEM_MODELS_DIR", settings.models_dir))
    for name, folder in folders:
        existing = _existing(folder)
        writable = os.access(existing, os.W_OK)
        advice = Text(f"请给 {existing} 写权限。", f"Make {existing} writable.")
        yield Finding(name, State.GOOD if writable else State.BAD, str(folder), NOTHING if writable else advice)
    free = shutil.disk_usage(_existing(settings.outputs_dir)).free
    advice = Text("请清理磁盘。", "Free some space.")
    is_low = free < _LOW_DISK_BYTES
    value = f"{free / 1024**3:.1f} GiB"
    yield Finding("磁盘 disk", State.WEAK if is_low else State.GOOD, value, advice if is_low else NOTHING)


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())


_CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (_python, _torch, _ffmpeg, _weights, _folders)
