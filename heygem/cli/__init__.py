"""The command line: ``python -m heygem generate | batch | inspect | models | train | doctor | verify | clean |
cluster | submit | hash-password``."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from heygem import __version__
from heygem.cli import batch, clean, cluster, doctor, generate, hash_password, inspect, models, submit, train, verify
from heygem.errors import HeyGemError
from heygem.settings import Settings


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 something failed, 2 the command itself was wrong, 130 interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m heygem",
        description="One recording of speech and any number of clips in; videos in which the person speaks it out.",
    )
    parser.add_argument("--version", action="version", version=f"HeyGem {__version__}")
    parser.add_argument("--log-level", default="warning", choices=("debug", "info", "warning", "error"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (generate, batch, inspect, models, train, doctor, verify, clean, cluster, submit, hash_password):
        command.add_parser(commands)
    args = parser.parse_args(arguments)
    errors = Console(stderr=True)
    # On stderr and through rich, so that a message does not tear a progress bar.
    logging.basicConfig(
        level=args.log_level.upper(), format="%(message)s", handlers=[RichHandler(console=errors, show_path=False)]
    )
    try:
        status: int = args.run(args, Settings.from_env(os.environ))
    except HeyGemError as error:
        errors.print(f"[red]{error.code}[/red]", escape(str(error)), escape(str(error.hint)), highlight=False)
        return 2
    except KeyboardInterrupt:
        errors.print("中断 Interrupted")
        return 130
    return status
