"""``python -m heygem models``: the checkpoints that there are, fetching them, checking them, finding them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from heygem.errors import HeyGemError, Text, WeightsMissingError, WeightsRefusedError
from heygem.settings import Settings
from heygem.weights.download import Watcher, download
from heygem.weights.locate import locate
from heygem.weights.manifest import CHECKPOINTS, Checkpoint
from heygem.weights.verify import verify_present

_OFFICIAL = f"one of: {', '.join(CHECKPOINTS)}"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its four actions."""
    parser = commands.add_parser("models", help="list, download and verify weights", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="every official checkpoint, its state and its licence")
    listing.set_defaults(run=run, action=_list)

    fetching = actions.add_parser("download", help="fetch checkpoints; resumes, verifies, skips what is there")
    fetching.add_argument("names", nargs="*", metavar="NAME", help=f"{_OFFICIAL}; without: all that can be fetched")
    fetching.set_defaults(run=run, action=_download)

    verifying = actions.add_parser("verify", help="check the checkpoints that are there; exit status 1 if one is wrong")
    verifying.add_argument("names", nargs="*", metavar="NAME", help=f"{_OFFICIAL}; without: all that are there")
    verifying.set_defaults(run=run, action=_verify)

    finding = actions.add_parser("path", help="print where a checkpoint lies")
    finding.add_argument("name", choices=tuple(CHECKPOINTS), metavar="NAME", help=_OFFICIAL)
    finding.set_defaults(run=run, action=_path)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one of the four.

    Returns:
        0, or 1 if a file could not be fetched or is wrong; 2 for a name that is not on the list.

    Raises:
        WeightsMissingError: ``path`` asks for a file that is absent.
    """
    unknown = [name for name in getattr(args, "names", ()) if name not in CHECKPOINTS]
    if unknown:
        Console(stderr=True).print(f"[red]没有 no such model:[/red] {escape(', '.join(unknown))}; {_OFFICIAL}")
        return 2
    action: Callable[[argparse.Namespace, Settings], int] = args.action
    return action(args, settings)


def _list(args: argparse.Namespace, settings: Settings) -> int:
    del args
    table = Table()
    for header in ("名称 name", "文件 file", "MB", "状态 state", "用途 for", "许可 licence"):
        table.add_column(header, overflow="fold")
    for checkpoint in CHECKPOINTS.values():
        state, _ = _state(checkpoint, settings)
        size = f"{checkpoint.bytes / 1e6:.1f}"
        purpose, licence = _both(checkpoint.purpose), _both(checkpoint.licence)
        table.add_row(checkpoint.name, checkpoint.filename, size, state, purpose, licence)
    console = Console()
    console.print(table)
    console.print(f"文件夹 folder: {escape(str(settings.models_dir.resolve()))}", highlight=False, soft_wrap=True)
    return 0


def _both(text: Text) -> str:
    """Both languages, once where they say the same."""
    return text.en if text.zh == text.en else str(text)


def _verify(args: argparse.Namespace, settings: Settings) -> int:
    table = Table("名称 name", "状态 state", "结果 found")
    asked: Iterable[str] = args.names or CHECKPOINTS
    failed = False
    for name in asked:
        state, error = _state(CHECKPOINTS[name], settings, is_read=True)
        # Not to have a file is a fault only where it was asked for by name.
        if isinstance(error, WeightsRefusedError) or (error is not None and args.names):
            failed = True
            found = f"{error} {error.hint}"
        else:
            found = "sha256 ✓" if error is None else ""
        table.add_row(name, state, escape(found))
    Console().print(table)
    return int(failed)


def _state(checkpoint: Checkpoint, settings: Settings, *, is_read: bool = False) -> tuple[str, HeyGemError | None]:
    """In a word whether the file is there and right, and what is wrong with it."""
    try:
        verify_present(checkpoint, settings.models_dir, is_read=is_read)
    except WeightsMissingError as error:
        return "[yellow]缺失 missing[/yellow]", error
    except WeightsRefusedError as error:
        return "[red]无效 refused[/red]", error
    return "[green]已验证 verified[/green]", None


def _download(args: argparse.Namespace, settings: Settings) -> int:
    console = Console()
    wanted = [CHECKPOINTS[name] for name in args.names] or [one for one in CHECKPOINTS.values() if one.urls]
    failed = False
    silent_hosts: set[str] = set()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        for checkpoint in wanted:
            progress.print(f"[bold]{checkpoint.name}[/bold] 许可 licence: {_both(checkpoint.licence)}", highlight=False)
            task = progress.add_task(checkpoint.filename, total=checkpoint.bytes)
            try:
                file = download(checkpoint, settings.models_dir, _bar(progress, task), silent_hosts)
            except HeyGemError as error:
                failed = True
                progress.remove_task(task)
                progress.print(f"[red]✗[/red] {escape(f'{error} {error.hint}')}", highlight=False, soft_wrap=True)
            else:
                progress.update(task, completed=checkpoint.bytes)
                progress.print(f"[green]✓[/green] {escape(str(file.path))}", highlight=False, soft_wrap=True)
    return int(failed)


def _bar(progress: Progress, task: TaskID) -> Watcher:
    def watch(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    return watch


def _path(args: argparse.Namespace, settings: Settings) -> int:
    # Bare, for use in scripts.
    sys.stdout.write(f"{locate(CHECKPOINTS[args.name], settings.models_dir).resolve()}\n")
    return 0
