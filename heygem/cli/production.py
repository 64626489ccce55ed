"""One video after another, in this process, with models that stay loaded; bars, and a table at the end."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text as RichText

from heygem.disk import cannot_write, companion
from heygem.errors import DeviceLostError, HeyGemError, OptionError, Text
from heygem.file_names import as_text
from heygem.jobs.file_lock import lock
from heygem.jobs.job import JobKind, JobRequest
from heygem.pipeline.progress import Stage
from heygem.settings import Settings

log = logging.getLogger(__name__)

_STEM_BYTES = 100

_STAGES = {
    Stage.LOADING: "加载 loading",
    Stage.LISTENING: "听 listening",
    Stage.TRACKING: "找脸 tracking",
    Stage.DRAWING: "绘制 drawing",
    Stage.FINISHING: "收尾 finishing",
}


@dataclass(frozen=True, slots=True)
class Order:
    """One video to make.

    Attributes:
        title: What it is called on the screen.
        request: Its files and options.
        made: A result that is there already and need not be made again.
    """

    title: str
    request: JobRequest
    made: Path | None = None


def add_production_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `produce_all` reads."""
    option = parser.add_argument_group("machine and folder").add_argument
    option("--out", type=Path, default=None, help="folder for the results; None: HEYGEM_OUTPUTS_DIR")
    option("--device", default=None, help="auto, cuda, cuda:N, cpu; None: HEYGEM_DEVICE")
    option("--precision", choices=("auto", "fp32", "bf16", "fp16"), default=None, help="None: HEYGEM_PRECISION")


def produce_all(orders: Sequence[Order], args: argparse.Namespace, settings: Settings) -> int:
    """Make the videos in order, and say at the end what became of each. One that fails does not stop the others.

    Args:
        orders: What to make.
        args: With what `add_production_options` added.
        settings: Where models and results lie.

    Returns:
        0, or 1 if any failed.

    Raises:
        DeviceError: the device that was asked for is not there.
        DeviceLostError: the device failed; nothing more can be made in this process.
    """
    # Late: torch takes a second, which --help and the other commands need not wait for.
    from heygem.device import placement_of
    from heygem.jobs.produce import Producer
    from heygem.model_manager import get_model_manager

    settings = replace(settings, device=args.device or settings.device, precision=args.precision or settings.precision)
    placement = placement_of(settings)
    out: Path = args.out or settings.outputs_dir
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    producer = Producer(get_model_manager(settings), settings, placement)

    def make(request: JobRequest, bars: _Bars) -> str:
        with reserved_name(out, request) as output:
            made = producer.produce(
                request.video,
                request.audio,
                output,
                request.options,
                bars,
                clip_name=request.video_name,
                speech_name=request.audio_name,
                is_preview=request.kind is JobKind.PREVIEW,
            )
        said = [str(made.output), str(made.summary), *(str(notice.text) for notice in made.notices)]
        if made.part_s is not None:
            start, stop = made.part_s
            said.insert(1, f"结果的第 {start:.1f} 至 {stop:.1f} 秒 seconds {start:.1f} to {stop:.1f} of the result")
        return "\n".join(said)

    console = Console()
    outcomes: list[_Outcome] = []
    try:
        with _Bars(console) as bars:
            for order in orders:
                outcomes.append(_outcome(order, make, bars))
    finally:
        console.print(_table(outcomes))
    return 1 if any(outcome.error_code for outcome in outcomes) else 0


def names_of(out: Path, request: JobRequest) -> Iterator[Path]:
    """The names that a request's result may have in `out`, the preferred one first."""
    stem = f"{_short(request.video.stem)}-{_short(request.audio.stem)}"
    if request.kind is JobKind.PREVIEW:
        stem += "-preview"
    yield out / f"{stem}.mp4"
    for number in range(2, 10_000):
        yield out / f"{stem}-{number}.mp4"


def _short(stem: str) -> str:
    """As much of a name as lets two of them, a number and a suffix be a file's name: systems take 255 bytes."""
    return as_text(stem).encode()[:_STEM_BYTES].decode(errors="ignore")


@contextmanager
def reserved_name(out: Path, request: JobRequest) -> Iterator[Path]:
    """A name that no result has, and that no other process can choose meanwhile: results are never overwritten.

    Raises:
        EncodeError: nothing can be written to `out`.
        OptionError: it holds too many results of that name.
    """
    for path in names_of(out, request):
        if path.exists():
            continue
        claim = companion(path, ".lock")
        try:
            file = claim.open("ab")
        except OSError as error:
            raise cannot_write(path, error) from error
        with file:
            if not lock(file.fileno()):
                continue
            try:
                if not path.exists():  # its former owner may have finished since
                    yield path
                    return
            finally:
                claim.unlink(missing_ok=True)
    stem = f"{_short(request.video.stem)}-{_short(request.audio.stem)}"
    raise OptionError(
        Text(f"{out} 中名为 {stem} 的结果太多。", f"{out} holds too many results named {stem}."),
        hint=Text("请换一个输出目录。", "Choose another folder."),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one order; `error_code` is None if its video is there."""

    title: str
    text: str
    error_code: str | None = None
    is_new: bool = True


def _outcome(order: Order, make: Callable[[JobRequest, _Bars], str], bars: _Bars) -> _Outcome:
    if order.made is not None:
        return _Outcome(order.title, str(order.made), is_new=False)
    bars.start(order.title)
    try:
        return _Outcome(order.title, make(order.request, bars))
    except DeviceLostError:
        raise
    except HeyGemError as error:
        log.info("%s failed", order.title, exc_info=True)
        return _Outcome(order.title, f"{error.text}\n{error.hint}".strip(), error.code)
    except Exception:
        # A fault of ours in one video is no reason to give up the others.
        log.exception("%s failed", order.title)
        text = "内部错误，详情见上方日志。 Internal error; the log above has the details."
        return _Outcome(order.title, text, "internal")


def _table(outcomes: list[_Outcome]) -> Table:
    table = Table("视频 video", "状态 state", "结果 result", show_lines=True)
    for outcome in outcomes:
        state = "[green]完成 done[/green]" if outcome.is_new else "已有 there"
        if outcome.error_code:
            state = f"[red]失败 failed[/red]\n{outcome.error_code}"
        table.add_row(escape(outcome.title), state, escape(outcome.text))
    return table


class _Rate(ProgressColumn):
    """Frames per second."""

    def render(self, task: Task) -> RichText:
        speed = task.finished_speed or task.speed
        return RichText(f"{speed:.1f} fps" if speed else "")


class _Bars:
    """A bar per clip that follows its stages; the `Progress` of the pipeline."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            TextColumn("{task.fields[stage]}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None
        self._stage: Stage | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, name: str) -> None:
        """Begin the bar of another clip."""
        self._task = self._bars.add_task(escape(name), total=None, stage="")
        self._stage = None

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Move the bar; a new stage starts it anew."""
        if self._task is None:
            return
        if stage is not self._stage:
            self._stage = stage
            self._bars.reset(self._task, total=total, stage=_STAGES[stage])
        self._bars.update(self._task, completed=done, total=total)
