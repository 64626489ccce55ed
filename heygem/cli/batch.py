"""``python -m heygem batch``: the videos of a list, each line with its own clip, speech and options."""

from __future__ import annotations

import argparse
from pathlib import Path

from heygem.cli.production import Order, add_production_options, names_of, produce_all
from heygem.jobs.batch_list import read_batch_list
from heygem.jobs.job import JobRequest
from heygem.settings import Settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "batch",
        help="make the videos of a CSV list",
        description="Write one video per line of the list. Its first line names the columns: video, audio, and any "
        "option of generate, as in enhancer_strength; an empty cell takes the default. Relative paths start at the "
        "list. Run again, it makes only what is not there yet.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("list", type=Path, metavar="LIST", help="a CSV file in UTF-8")
    add_production_options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Make one video per line. One that fails does not stop the others; a mistake in the list stops all.

    Returns:
        0, or 1 if any failed.

    Raises:
        InputError: the list cannot be used.
    """
    out: Path = args.out or settings.outputs_dir
    orders = [
        Order(f"{line.line}: {line.request.video_name}", line.request, _made_before(out, line.request))
        for line in read_batch_list(args.list)
    ]
    return produce_all(orders, args, settings)


def _made_before(out: Path, request: JobRequest) -> Path | None:
    """A whole result of what is asked for: of files of these names, with these options, and newer than the files."""
    # Late: as in `produce_all`.
    from heygem.jobs.produce import asked_for
    from heygem.jobs.result_manifest import manifest_of, read_manifest, sha256_of_result

    for result in names_of(out, request):
        if not result.exists():
            return None
        facts = read_manifest(result)
        if facts is None:
            continue
        inputs_s = max(request.video.stat().st_mtime, request.audio.stat().st_mtime)
        if (
            asked_for(request.video_name, request.audio_name, request.options).items() <= facts.items()
            and manifest_of(result).stat().st_mtime > inputs_s
            and facts["file"].get("sha256") == sha256_of_result(result)
        ):
            return result
    return None
