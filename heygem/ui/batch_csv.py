"""A CSV list in the page: what its cells may name are uploads, and files where scripts may name them too.

The format is that of ``python -m heygem batch``, but that an empty or missing ``audio`` is the common speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import get_args

from gradio_client.utils import strip_invalid_filename_characters  # type: ignore[import-untyped]

from heygem.errors import InputError, OptionError, Text
from heygem.jobs.batch_list import BatchLine, ListRules, read_batch_list
from heygem.pipeline.options import EnhancerChoice, LipsChoice
from heygem.ui.batch_draft import Draft
from heygem.ui.uploads import Uploads, check_batch_size, path_in_input_dir


def read_csv(csv: str, draft: Draft, uploads: Uploads, speakers: Sequence[str]) -> list[BatchLine]:
    """What a list says, for `arranged`: apart from it, for a long list takes a while to be read.

    Args:
        csv: An upload.
        draft: Whose uploads the list may name.
        uploads: What may be submitted.
        speakers: Names of the user's own speakers.

    Raises:
        InputError: the list cannot be used, with every mistake in every line; or it is longer than a batch.
    """
    rules = ListRules(
        partial(_find, draft, uploads),
        partial(_engine, speakers),
        needs_audio=False,
        check_count=partial(check_batch_size, settings=uploads.settings),
    )
    return read_batch_list(uploads.path(csv), rules)


def arranged(draft: Draft, lines: Sequence[BatchLine], uploads: Uploads) -> Draft:
    """The draft as a list says; see `Draft.listed`.

    Raises:
        InputError: it makes the batch too long.
    """
    made = draft.listed(lines, uploads.folder.resolve())
    check_batch_size(len(made.clips), uploads.settings)
    return made


def _find(draft: Draft, uploads: Uploads, column: str, name: str) -> Path:
    """An upload of exactly that name, else a file of the server, else an upload that is called as the last part."""
    input_dir = uploads.settings.input_dir
    found = _upload(draft, uploads, column, name)
    if found is None and input_dir is not None:
        try:
            return path_in_input_dir(name, uploads.settings)
        except InputError:
            pass  # it may still be a path of the machine that the list was written on
    # Its last part, whichever way the slashes lean: the list may be of any machine.
    found = found or _upload(draft, uploads, column, PureWindowsPath(name).name)
    if found is None:
        raise InputError(
            Text(f"找不到 {column} 文件 {name}。", f"There is no {column} file {name}."),
            hint=Text("请先在本页上传。", "Upload it on this page first."),
        )
    return found


def _upload(draft: Draft, uploads: Uploads, column: str, name: str) -> Path | None:
    # Gradio takes some signs out of the names of uploads.
    names = {name, strip_invalid_filename_characters(name)}
    if column == "audio":
        return draft.speech if draft.speech is not None and draft.speech.name in names else None
    paths = {clip.path for clip in draft.uploads(uploads.folder.resolve()) if clip.name in names}
    if len(paths) > 1:
        raise InputError(Text(f"有 {len(paths)} 个视频都叫 {name}。", f"{len(paths)} clips are called {name}."))
    return next(iter(paths), None)


def _engine(speakers: Sequence[str], column: str, name: str) -> str:
    """Never a file, as on the command line: a stranger must not have files of this machine opened."""
    known = (*get_args(LipsChoice), *speakers) if column == "lips" else get_args(EnhancerChoice)
    if name not in known:
        raise OptionError(
            Text(f"{column} 的值 {name!r} 无效。", f"{column} has the value {name!r}."),
            hint=Text(f"可用：{'、'.join(known)}。", f"Use one of: {', '.join(known)}."),
        )
    return name
