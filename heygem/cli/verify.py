"""``python -m heygem verify``: whether a file bears the marks of a generated video."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heygem.errors import Text
from heygem.settings import Settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "verify",
        help="check that a result is labelled as generated",
        description="Look for the label in the picture, in the metadata, in the manifest beside the file, and for a "
        "signature. Exit status 0: all is there; 1: something is missing or was changed; 2: this is no video.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("file", type=Path, metavar="FILE", help="a video")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Check one file.

    Returns:
        0 if it is labelled, else 1.

    Raises:
        MediaError: it cannot be read as a video.
    """
    # Late: torch takes a second, which --help and the other commands need not wait for.
    from heygem.jobs.verify_result import is_labelled, verify_result

    del settings
    checks = verify_result(args.file)
    found = is_labelled(checks)
    if args.json:
        answer = {
            "file": str(args.file),
            "labelled": found,
            "checks": [
                {"code": check.code, "ok": check.ok, "text": check.text._asdict(), "hint": check.hint._asdict()}
                for check in checks
            ],
        }
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
        return 0 if found else 1
    table = Table("", "代码 code", "结果 found")
    signs = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "–"}
    for check in checks:
        table.add_row(signs[check.ok], check.code, escape(f"{check.text}\n{check.hint}".strip()))
    console = Console()
    console.print(table)
    verdict = (
        Text("标识完整。", "It is labelled.")
        if found
        else Text("标识缺失或内容被改动。", "A label is missing, or the file was changed.")
    )
    console.print(f"[{'green' if found else 'red'}]{verdict}[/]")
    return 0 if found else 1
