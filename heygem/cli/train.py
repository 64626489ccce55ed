"""``python -m heygem train``: a lip model of a speaker of one's own, or the embedded default anew."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from heygem.device import place, placement_of
from heygem.jobs.make_speaker import make_speaker
from heygem.model_manager import get_model_manager
from heygem.pipeline.progress import Stage
from heygem.settings import Settings
from heygem.training import speaker as speakers
from heygem.training.default import REPORT, train_default
from heygem.training.hardware import Hardware
from heygem.training.recipe import FULL, QUICK

_SHOW_EVERY_S = 5.0

_STAGES = {
    Stage.LOADING: "加载 loading",
    Stage.TRACKING: "看片段 looking at frame",
    Stage.LISTENING: "听 listening",
    Stage.DRAWING: "学习 learning from sample",
    Stage.FINISHING: "测量 measuring",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and what it can train."""
    parser = commands.add_parser("train", help="train a lip model", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    default = kinds.add_parser("default", help="the embedded default, from rendered faces; needs espeak-ng")
    default.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for everything; several GB")
    default.add_argument("--quick", action="store_true", help="minutes instead of hours: a trial, a poor model")
    default.add_argument("--samples", type=_count, metavar="N", help=f"samples to train on; default {FULL.samples:,}")
    default.add_argument("--processes", type=_count, metavar="N", help="cores to use; default all")
    default.add_argument("--resume", action="store_true", help="go on with the training in DIR")
    default.set_defaults(run=run)
    speaker = kinds.add_parser("speaker", help="a speaker of your own, from one video with sound; no download")
    speaker.add_argument("--video", type=Path, required=True, metavar="CLIP", help="the person speaking, own sound")
    speaker.add_argument("--name", required=True, help="what --lips will take: letters, digits, - and _")
    speaker.add_argument("--processes", type=_count, metavar="N", help="cores to use; default all")
    speaker.set_defaults(run=run_speaker)


def run_speaker(args: argparse.Namespace, settings: Settings) -> int:
    """Train a lip model of a speaker, and print its report.

    Returns:
        0.

    Raises:
        HeyGemError: the name or the clip cannot be used; nothing is left of the speaker.
    """
    made = make_speaker(
        args.video,
        args.name,
        models=get_model_manager(settings),
        settings=settings,
        placement=placement_of(settings),
        progress=_Lines(),
        processes=args.processes,
    )
    console = Console()
    console.print(Markdown((made.folder / speakers.REPORT).read_text(encoding="utf-8")))
    for notice in made.facts.notices:
        console.print(str(notice.text), str(notice.hint), highlight=False, markup=False)
    console.print(
        f"用法 use: --lips {args.name}    {made.folder.resolve()}", highlight=False, soft_wrap=True, markup=False
    )
    return 0


class _Lines:
    """Progress as a line at the start of every stage, and every few seconds."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._shown_at = 0.0

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Show where it is, if it is time."""
        now = time.monotonic()
        if stage is not self._stage or now - self._shown_at > _SHOW_EVERY_S:
            self._stage, self._shown_at = stage, now
            _show(f"{_STAGES[stage]} {done:,} / {total:,}" if total else _STAGES[stage])


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Train, and print the table.

    Returns:
        0.

    Raises:
        HeyGemError: espeak-ng is missing, or the folder holds something else.
    """
    recipe = QUICK if args.quick else FULL
    if args.samples is not None:
        recipe = replace(recipe, samples=args.samples)
    hardware = Hardware.choose(place(settings.device).device, args.processes)
    outcome = train_default(recipe, args.out, hardware, resume=args.resume, progress=_show)
    console = Console()
    console.print(Markdown((args.out / REPORT).read_text(encoding="utf-8")))
    console.print(f"模型 model: {outcome.lips.resolve()}", highlight=False, soft_wrap=True, markup=False)
    return 0


def _show(line: str) -> None:
    Console(stderr=True).print(line, highlight=False, soft_wrap=True, markup=False)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number
