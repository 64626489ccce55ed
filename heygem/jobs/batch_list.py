"""A list of jobs as a table in a file. Knows CSV; knows nothing of queues.

What it names may be any file of this machine, for whoever may read them all anyway, or what a caller's rules find.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

from heygem.errors import NOTHING, InputError, OptionError, Text
from heygem.jobs.job import JobRequest
from heygem.pipeline.options import RenderOptions, frame_rate

_FILES = ("video", "audio")
_ENGINES = ("lips", "enhancer")
_MAX_BYTES = 10_000_000
"""Whoever names a video by mistake is told so before it is read."""
_MAX_COLUMNS = 100
"""Far more than there are options; what is wrong with each of so many can be told."""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One job of a list."""

    line: int
    """Where it begins in the file, from 1."""
    video: Path
    audio: Path | None
    """None only where a list need not name it, and does not."""
    video_name: str
    """What the list calls the file."""
    audio_name: str
    given: Mapping[str, Any]
    """The options that it names, by the fields of `RenderOptions`."""

    @property
    def request(self) -> JobRequest:
        """The job; of a line that names its speech."""
        assert self.audio is not None
        return JobRequest(self.video, self.audio, RenderOptions(**self.given), self.video_name, self.audio_name)


@dataclass(frozen=True, slots=True)
class ListRules:
    """What a list may name."""

    find: Callable[[str, str], Path]
    """The file that a cell of the column ``video`` or ``audio`` means. Raises InputError: there is none."""
    engine: Callable[[str, str], str]
    """The engine that a cell of the column ``lips`` or ``enhancer`` means. Raises InputError: there is none."""
    needs_audio: bool = True
    """Every line has to name its speech."""
    check_count: Callable[[int], None] | None = None
    """Told how many jobs there are before any is read. Raises InputError: they are too many."""


def read_batch_list(path: Path, rules: ListRules | None = None) -> list[BatchLine]:
    """Read a table whose first line names its columns: ``video``, ``audio`` and any field of `RenderOptions`.

    An empty cell names nothing. The four numbers of ``pads`` stand in one cell, with spaces between them.

    Args:
        path: CSV with commas, in UTF-8, with or without a mark at its start.
        rules: What it may name; None: any file of this machine, relative paths starting at the folder of the list.

    Raises:
        InputError: the list cannot be used; it names every mistake in every line.
    """
    rows = _rows(path)
    if not rows:
        raise _unusable(path, Text("清单是空的。", "The list is empty."))
    rules = rules or _rules_of(path.absolute().parent)
    columns = [name.strip() for name in rows[0][1]]
    if len(columns) > _MAX_COLUMNS:
        count = len(columns)
        raise _unusable(path, Text(f"有 {count} 列，不像是清单。", f"It has {count} columns, too many for a list."))
    mistakes = [(1, mistake) for mistake in _wrong_columns(columns, rules)]
    if mistakes:
        raise _mistaken(path, mistakes)
    if rules.check_count is not None:
        rules.check_count(len(rows) - 1)
    jobs: list[BatchLine] = []
    for line, cells in rows[1:]:
        found, job = _job(line, columns, cells, rules)
        mistakes += [(line, mistake) for mistake in found]
        if job is not None:
            jobs.append(job)
    if mistakes:
        raise _mistaken(path, mistakes)
    if not jobs:
        raise _unusable(path, Text("清单里没有任务。", "The list holds no job."))
    return jobs


def _rules_of(folder: Path) -> ListRules:
    def is_file(name: str) -> bool:
        try:
            return (folder / name).is_file()
        except OSError:  # a name that no file can have, or a folder that may not be looked into
            return False

    def find(column: str, name: str) -> Path:
        if not is_file(name):
            raise InputError(Text(f"找不到 {column} 文件 {name}。", f"There is no {column} file {name}."))
        return folder / name

    return ListRules(find, lambda column, name: str(folder / name) if is_file(name) else name)


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


def _wrong_columns(columns: Sequence[str], rules: ListRules) -> Iterator[Text]:
    known = [*_FILES, *(field.name for field in fields(RenderOptions))]
    for name in _required(rules):
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


def _required(rules: ListRules) -> Sequence[str]:
    return _FILES if rules.needs_audio else _FILES[:1]


def _job(
    line: int, columns: Sequence[str], cells: Sequence[str], rules: ListRules
) -> tuple[list[Text], BatchLine | None]:
    """What is wrong with a line, and its job if nothing is."""
    if len(cells) > len(columns):
        return [
            Text(
                f"有 {len(cells)} 格，而标题行只有 {len(columns)} 列。",
                f"It has {len(cells)} cells where the first line has {len(columns)}.",
            )
        ], None
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
    missing = [name for name in _required(rules) if name not in given]
    mistakes = [Text(f"{name} 是空的。", f"The cell {name} is empty.") for name in missing]
    found: dict[str, Any] = {}
    for name, cell in given.items():
        try:
            found[name] = rules.find(name, cell) if name in _FILES else _value(name, cell, rules)
            if name not in _FILES:
                RenderOptions(**{name: found[name]})
        except InputError as error:
            mistakes.append(Text(f"{error.text.zh}{error.hint.zh}", f"{error.text.en} {error.hint.en}".strip()))
    if mistakes:
        return mistakes, None
    options = {name: value for name, value in found.items() if name not in _FILES}
    names = given["video"], given.get("audio", "")
    return [], BatchLine(line, found["video"], found.get("audio"), *names, options)


def _value(name: str, text: str, rules: ListRules) -> Any:
    """What the cell of an option means.

    Raises:
        InputError: it is not what the column holds.
    """
    if name in _ENGINES:
        return rules.engine(name, text)
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
    Fraction | None: frame_rate,
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
