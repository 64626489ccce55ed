"""``python -m heygem clean``: deletes old results where the settings say so, and what crashes and uploads left."""

from __future__ import annotations

import argparse
from contextlib import closing

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heygem.jobs.janitor import Janitor
from heygem.jobs.store import STORE_NAME, JobStore
from heygem.settings import Settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "clean",
        help="delete old results and leftovers",
        description="Does at once what the server does every hour: deletes results that HEYGEM_KEEP_DAYS and "
        "HEYGEM_KEEP_GB do not keep, and what crashes and aborted uploads left. Leaves jobs that wait or run alone.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be deleted")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Sweep once.

    Returns:
        0.

    Raises:
        QueueError: the jobs cannot be read; nothing was deleted.
    """
    with closing(JobStore(settings.outputs_dir / STORE_NAME)) as store:
        removals = Janitor(store, settings).sweep(dry_run=args.dry_run)
    table = Table("文件 file", "MB", "原因 why")
    for removal in removals:
        table.add_row(escape(str(removal.path)), f"{removal.size / 1e6:.1f}", removal.why)
    console = Console()
    if removals:
        console.print(table)
    total_mb = sum(removal.size for removal in removals) / 1e6
    said = "将删除 would delete" if args.dry_run else "已删除 deleted"
    console.print(f"{said}: {len(removals)} ({total_mb:.1f} MB)", highlight=False)
    return 0
