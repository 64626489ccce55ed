"""``python -m heygem train``: makes the embedded lip model anew."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from heygem.device import place
from heygem.settings import Settings
from heygem.training.default import REPORT, train_default
from heygem.training.hardware import Hardware
from heygem.training.recipe import FULL, QUICK


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
