"""Files that appear whole and survive a power cut, and what users are told of a full disk. Knows no file's content."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heygem.errors import EncodeError, Text

_NAME_BYTES = 200


def flush(path: Path) -> None:
    """Make sure that `path`, a file or a folder, is on the disk and not only on its way there.

    Raises:
        OSError: it cannot be.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A file to write, which becomes `path` when the block ends, on the disk for good; cut short, it is gone.

    Raises:
        OSError: it cannot be flushed or renamed.
    """
    part = companion(path, ".part")
    try:
        yield part
        flush(part)  # before it appears: after a power cut it would be there and empty
        part.replace(path)
        flush(path.parent)
    finally:
        part.unlink(missing_ok=True)


def companion(path: Path, suffix: str) -> Path:
    """A hidden name beside `path` for what belongs to it. However long that is: file systems take 255 bytes."""
    end = os.fsencode(path.name)[-_NAME_BYTES:].decode(errors="ignore")
    return path.with_name(f".{end}{suffix}")


def is_full(error: OSError) -> bool:
    """Whether it says that the disk, or the user's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def cannot_write(path: Path, error: OSError) -> EncodeError:
    """What a user is told of an `error` while `path` was written: a full disk has a code of its own."""
    if is_full(error):
        return disk_full(path)
    return EncodeError(
        Text(f"写入“{path.name}”失败：{error.strerror}", f"Writing {path.name!r} failed: {error.strerror}"),
        hint=Text("请检查输出目录的写入权限。", "Check that the folder of the results can be written."),
    )


def disk_full(path: Path | None) -> EncodeError:
    """The error that tells of a full disk; `path` is what could not be written, if that is known."""
    what = f"“{path.name}”" if path else ""
    which = f": {path.name!r} cannot be written" if path else ""
    return EncodeError(
        Text(f"磁盘已满，无法写入{what}。", f"The disk is full{which}."),
        hint=Text("请清理磁盘后重试。", "Free some space and try again."),
        code="disk_full",
    )
