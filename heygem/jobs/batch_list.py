"""A list of jobs as a table in a file. Knows CSV; knows nothing of queues.

The paths in it are opened as they are: it is for whoever may read this machine's files anyway.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

from heygem.errors import NOTHING, InputError, OptionError, Text
from heygem.jobs.job import JobRequest
from heygem.pipeline.options import RenderOptions

_REQUIRED = ("video", "audio")
_WEIGHTS = ("lips", "enhancer")
"""Options that may name a file."""
_MAX_BYTES = 10_000_000
"""Whoever names a video by mistake is told so before it is read."""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One job of a list."""

    line: int
    """Where it begins in the file, from 1."""
    request: JobRequest
    """Its files are called what the list calls them."""


def read_batch_list(path: Path) -> list[BatchLine]:
    """Read a table whose first line names its columns: ``video``, ``audio`` and any field of `RenderOptions`.

    An empty cell takes the default. Relative paths start at the folder of the list. The four numbers of ``pads`` stand
    in one cell, with spaces between them.

    Args:
        path: CSV with commas, in UTF-8, with or without a mark at its start.

    Raises:
        InputError: the list cannot be used; it names every mistake in every line.
    """
    rows = _rows(path)
    if not rows:
        raise _unusable(path, Text("清单是空的。", "The list is empty."))
    columns = [name.strip() for name in rows[0][1]]
    mistakes = [(1, mistake) for mistake in _wrong_columns(columns)]
    if mistakes:
        raise _mistaken(path, mistakes)
    jobs: list[BatchLine] = []
    for line, cells in rows[1:]:
        found, request = _request(path.absolute().parent, columns, cells)
        mistakes += [(line, mistake) for mistake in found]
        if request is not None:
            jobs.append(BatchLine(line, request))
    if mistakes:
        raise _mistaken(path, mistakes)
    if not jobs:
        raise _unusable(path, Text("清单里没有任务。", "The list holds no job."))
    return jobs


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The lines that are not blank, each with its number."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _unusable(path, Text("文件太大，不像是清单。", "It is too large for a list."))
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _unusable(path, Text(f"无法读取：{error.strerror}。", f"It cannot be read: {error.strerror}.")) from error
    except UnicodeDecodeError as error:
        raise _unusable(
            path,
            Text("编码不是 UTF-8（可能是 GBK）。", "It is not encoded in UTF-8; it may be GBK."),
            Text("请在表格软件中另存为“CSV UTF-8”。", "Save it as “CSV UTF-8” in the spreadsheet program."),
        ) from error
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _mistaken(path, [(line, Text(f"不是有效的 CSV：{error}。", f"This is not CSV: {error}."))]) from error
    return rows


def _wrong_columns(columns: Sequence[str]) -> Iterator[Text]:
    known = [*_REQUIRED, *(field.name for field in fields(RenderOptions))]
    for name in _REQUIRED:
        if name not in columns:
            yield Text(f"缺少 {name} 列。", f"There is no column {name}.")
    for number, name in enumerate(columns):
        if name not in known:
            yield Text(
                f"没有名为 {name!r} 的列；可用：{'、'.join(known)}。",
                f"No column is called {name!r}; there are: {', '.join(known)}.",
            )
        elif name in columns[:number]:
            yield Text(f"{name} 列出现了两次。", f"The column {name} comes twice.")


def _request(folder: Path, columns: Sequence[str], cells: Sequence[str]) -> tuple[list[Text], JobRequest | None]:
    """What is wrong with a line, and its job if nothing is."""
    if len(cells) > len(columns):
        return [
            Text(
                f"有 {len(cells)} 格，而标题行只有 {len(columns)} 列。",
                f"It has {len(cells)} cells where the first line has {len(columns)}.",
            )
        ], None
    mistakes: list[Text] = []
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
    for name in _REQUIRED:
        if name not in given:
            mistakes.append(Text(f"{name} 是空的。", f"The cell {name} is empty."))
        elif not (folder / given[name]).is_file():
            mistakes.append(Text(f"找不到 {name} 文件 {given[name]}。", f"There is no {name} file {given[name]}."))
    options: dict[str, Any] = {}
    for name in given.keys() - set(_REQUIRED):
        try:
            options[name] = _value(folder, name, given[name])
            RenderOptions(**{name: options[name]})
        except OptionError as error:
            mistakes.append(Text(f"{error.text.zh}{error.hint.zh}", f"{error.text.en} {error.hint.en}".strip()))
    if mistakes:
        return mistakes, None
    video, audio = given["video"], given["audio"]
    return [], JobRequest(folder / video, folder / audio, RenderOptions(**options), video, audio)


def _value(folder: Path, name: str, text: str) -> Any:
    """What a cell means.

    Raises:
        OptionError: it is not what the column holds.
    """
    if name in _WEIGHTS and (folder / text).is_file():
        return str(folder / text)
    try:
        return _CASTS.get(get_type_hints(RenderOptions)[name], str)(text)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise OptionError(Text(f"{name} 的值 {text!r} 无效。", f"{name} has the value {text!r}.")) from error


def _pads(text: str) -> tuple[int, int, int, int]:
    top, bottom, left, right = map(int, text.split())
    return top, bottom, left, right


_CASTS: dict[object, Callable[[str], Any]] = {
    int: int,
    float: float,
    float | None: float,
    Fraction | None: Fraction,
    tuple[int, int, int, int]: _pads,
}
"""By the type of the option; the others are words."""


def _mistaken(path: Path, mistakes: Sequence[tuple[int, Text]]) -> InputError:
    mistakes = sorted(mistakes)
    count = len(mistakes)
    return _unusable(
        path,
        Text(
            "\n".join([f"有 {count} 处错误：", *(f"第 {line} 行：{text.zh}" for line, text in mistakes), ""]),
            "\n".join([f"Mistakes: {count}.", *(f"Line {line}: {text.en}" for line, text in mistakes)]),
        ),
        Text("改好后再运行；还没有开始任何任务。", "Mend the list and run it again; no job was begun."),
    )


def _unusable(path: Path, why: Text, hint: Text = NOTHING) -> InputError:
    return InputError(
        Text(f"清单“{path.name}”：{why.zh}", f"The list {path.name!r}: {why.en}"), hint=hint, code="bad_batch_list"
    )
