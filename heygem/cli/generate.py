"""``python -m heygem generate``: one recording, any number of clips, one video per clip."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

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

from heygem.errors import HeyGemError, OptionError, Text
from heygem.faces import MaskShape, Smoothing
from heygem.media import Codec, Extend
from heygem.pipeline.options import SHORTEST_LABEL_S, DetectorChoice, LabelPosition, RenderOptions
from heygem.pipeline.progress import Stage
from heygem.settings import Settings
from heygem.speech import Tail

log = logging.getLogger(__name__)

_DEFAULTS = RenderOptions()

_STAGES = {
    Stage.LOADING: "加载 loading",
    Stage.LISTENING: "听 listening",
    Stage.TRACKING: "找脸 tracking",
    Stage.DRAWING: "绘制 drawing",
    Stage.FINISHING: "收尾 finishing",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "generate",
        help="make videos",
        description="Write one video per clip in which the person speaks the speech.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--audio", required=True, type=Path, metavar="SPEECH", help="a recording, or a video with sound"
    )
    parser.add_argument("--video", required=True, type=Path, nargs="+", metavar="CLIP", help="clips of a person")
    parser.add_argument("--out", type=Path, default=None, help="folder for the results; None: HEYGEM_OUTPUTS_DIR")
    option = parser.add_argument_group("what is drawn").add_argument
    option("--lips", default=_DEFAULTS.lips, help="auto, wav2lip, demo, or a file of Wav2Lip weights of your own")
    option(
        "--enhancer", default=_DEFAULTS.enhancer, help="auto (gfpgan if its weights are there), gfpgan, none, or a file"
    )
    option(
        "--enhancer-strength", type=float, default=_DEFAULTS.enhancer_strength, help="0 (as drawn) to 1 (all restored)"
    )
    option(
        "--mask",
        choices=get_args(MaskShape),
        default=_DEFAULTS.mask,
        help="what is replaced: mouth or lower face with soft edges, or the whole box with hard ones",
    )
    option("--face", default=_DEFAULTS.face, help="whose mouth: largest, first, leftmost, or a number from 0")
    option(
        "--pads",
        type=int,
        nargs=4,
        default=_DEFAULTS.pads,
        metavar=("T", "B", "L", "R"),
        help="pixels added to the face box",
    )
    option(
        "--smooth",
        choices=get_args(Smoothing),
        default=_DEFAULTS.smooth,
        help="smoothing of the face box over time: steady (never across cuts), wav2lip (its mean of 5), none",
    )
    option(
        "--detector",
        choices=get_args(DetectorChoice),
        default=_DEFAULTS.detector,
        help="accurate (RetinaFace resnet50), fast (mobile0.25), haar (no weights), auto: the best that is there",
    )
    option = parser.add_argument_group("time").add_argument
    option(
        "--extend",
        choices=get_args(Extend),
        default=_DEFAULTS.extend,
        help="what follows when the speech outlasts the clip",
    )
    option(
        "--tail",
        choices=get_args(Tail),
        default=_DEFAULTS.tail,
        help="what the last 0.2 s hear: silence, or as Wav2Lip",
    )
    option(
        "--sync-offset-ms", type=float, default=_DEFAULTS.sync_offset_ms, help="above 0: lips follow the sound later"
    )
    option("--fps", type=_fraction, default=_DEFAULTS.fps, help="frame rate, as 25 or 30000/1001; None: the clip's")
    option = parser.add_argument_group("encoding").add_argument
    option("--crf", type=int, default=_DEFAULTS.crf, help="quality, 0 (best) to 51")
    option("--codec", choices=get_args(Codec), default=_DEFAULTS.codec, help="how the picture is encoded")
    option = parser.add_argument_group("label").add_argument
    option(
        "--label-position",
        choices=get_args(LabelPosition),
        default=_DEFAULTS.label_position,
        help="corner of the label that says that the video was generated",
    )
    option(
        "--label-duration-s",
        type=float,
        default=_DEFAULTS.label_duration_s,
        help=f"seconds from the start for which it is shown, at least {SHORTEST_LABEL_S}; None: the whole video",
    )
    option = parser.add_argument_group("machine").add_argument
    option("--device", default=None, help="auto, cuda, cuda:N, cpu; None: HEYGEM_DEVICE")
    option("--precision", choices=("auto", "fp32", "bf16", "fp16"), default=None, help="None: HEYGEM_PRECISION")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Make one video per clip. One that fails does not stop the others.

    Returns:
        0, or 1 if any failed.
    """
    # Late: torch takes a second, which --help and the other commands need not wait for.
    from heygem.device import place
    from heygem.jobs.produce import Producer
    from heygem.model_manager import get_model_manager

    options = RenderOptions(**{field.name: _value(args, field.name) for field in fields(RenderOptions)})
    placement = place(args.device or settings.device, args.precision or settings.precision)
    out: Path = args.out or settings.outputs_dir
    out.mkdir(parents=True, exist_ok=True)
    producer = Producer(get_model_manager(settings), settings, placement)
    console = Console()
    outcomes: list[_Outcome] = []
    with _Bars(console) as bars:
        for clip in args.video:
            bars.start(clip.name)
            try:
                made = producer.produce(clip, args.audio, _free_name(out, clip, args.audio), options, bars)
                outcomes.append(
                    _Outcome(
                        clip,
                        "\n".join(
                            [str(made.output), str(made.summary), *(str(notice.text) for notice in made.notices)]
                        ),
                    )
                )
            except HeyGemError as error:
                log.info("%s failed", clip, exc_info=True)
                outcomes.append(_Outcome(clip, f"{error.text}\n{error.hint}".strip(), error.code))
            except Exception:
                # A fault of ours in one clip is no reason to give up the others.
                log.exception("%s failed", clip)
                text = "内部错误，详情见上方日志。 Internal error; the log above has the details."
                outcomes.append(_Outcome(clip, text, "internal"))
    console.print(_table(outcomes))
    return 1 if any(outcome.error_code for outcome in outcomes) else 0


def _value(args: argparse.Namespace, name: str) -> Any:
    value = getattr(args, name)
    return tuple(value) if isinstance(value, list) else value


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame rate such as 25 or 30000/1001") from error


def _free_name(out: Path, clip: Path, speech: Path) -> Path:
    """A name that is not taken: results are never overwritten."""
    stem = f"{clip.stem}-{speech.stem}"
    for name in (stem, *(f"{stem}-{number}" for number in range(2, 10_000))):
        if not (out / f"{name}.mp4").exists():
            return out / f"{name}.mp4"
    raise OptionError(
        Text(f"{out} 中名为 {stem} 的结果太多。", f"{out} holds too many results named {stem}."),
        hint=Text("请换一个输出目录。", "Choose another folder."),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one clip; `error_code` is None if it was made."""

    clip: Path
    text: str
    error_code: str | None = None


def _table(outcomes: list[_Outcome]) -> Table:
    table = Table("片段 clip", "状态 state", "结果 result", show_lines=True)
    for outcome in outcomes:
        failed = f"[red]失败 failed[/red]\n{outcome.error_code}"
        state = failed if outcome.error_code else "[green]完成 done[/green]"
        table.add_row(escape(str(outcome.clip)), state, escape(outcome.text))
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
