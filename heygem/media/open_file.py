"""A user's file, looked at and opened without trusting it. Knows what a regular file is; knows no streams."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import av
from av.container import InputContainer

from heygem.errors import MediaError, Text
from heygem.file_names import as_text
from heygem.media.hardening import INPUT_LIMITS

_UPLOAD_AGAIN = Text("请重新上传。", "Upload it again.")


def check_file(path: Path, max_mb: int) -> None:
    """Refuse what is not a file that could hold media, before anything opens it: opening a pipe would wait for ever.

    Args:
        path: Not followed where it is a link: a link names a file that its sender may not be allowed to read.
        max_mb: Largest file, in MB.

    Raises:
        MediaError: with code bad_name, not_found, symlink, not_regular, empty_file or too_big.
    """
    where = str(path.absolute())
    if as_text(where) != where:
        raise MediaError(
            Text(f"“{as_text(path.name)}”的路径不是 UTF-8 编码。", f"The path of {as_text(path.name)!r} is not UTF-8."),
            hint=Text("请重命名文件或其文件夹。", "Rename the file, or its folder."),
            code="bad_name",
        )
    try:
        found = path.lstat()
    except (OSError, ValueError) as error:  # ValueError: no file has a NUL in its name
        raise _not_found(path) from error
    if stat.S_ISLNK(found.st_mode):
        raise MediaError(
            Text(f"“{path.name}”是符号链接。", f"{path.name!r} is a symbolic link."),
            hint=Text("请使用文件本身。", "Name the file itself."),
            code="symlink",
        )
    _check_kind_and_size(path, found)
    if found.st_size > max_mb << 20:
        raise MediaError(
            Text(
                f"“{path.name}”有 {found.st_size >> 20} MB，超过上限 {max_mb} MB。",
                f"{path.name!r} has {found.st_size >> 20} MB; the limit is {max_mb} MB.",
            ),
            hint=Text("请压缩或剪短后再上传。", "Compress it, or cut it into parts."),
            code="too_big",
        )


@contextmanager
def open_container(path: Path, **options: str) -> Iterator[InputContainer]:
    """The file as a container. It is handed to the library open and nameless, so that no name can steer it.

    Args:
        path: The file; links are followed.
        options: Of the demuxer, beside the limits.

    Raises:
        MediaError: with code not_found, not_regular, empty_file or unreadable.
    """
    try:
        with (
            _open_regular(path) as file,
            av.open(
                SimpleNamespace(read=file.read, seek=file.seek, tell=file.tell),
                "r",
                options={**INPUT_LIMITS, **options},
                metadata_errors="replace",
            ) as container,
        ):
            yield container
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            Text(f"“{path.name}”无法读取。", f"{path.name!r} cannot be read."),
            hint=Text(
                "文件可能损坏、没有传完，或不是音视频文件。", "It may be damaged, half uploaded, or not audio or video."
            ),
        ) from error


def _open_regular(path: Path) -> IO[bytes]:
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, ValueError) as error:
        raise _not_found(path) from error
    try:
        _check_kind_and_size(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check_kind_and_size(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise MediaError(
            Text(f"“{path.name}”不是普通文件。", f"{path.name!r} is not a regular file."),
            hint=Text("请选择一个音频或视频文件。", "Choose an audio or video file."),
            code="not_regular",
        )
    if found.st_size == 0:
        raise MediaError(
            Text(f"“{path.name}”是空文件。", f"{path.name!r} is empty."), hint=_UPLOAD_AGAIN, code="empty_file"
        )


def _not_found(path: Path) -> MediaError:
    return MediaError(
        Text(f"找不到文件“{path.name}”。", f"There is no file {path.name!r}."),
        hint=Text("请检查路径。", "Check the path."),
        code="not_found",
    )
