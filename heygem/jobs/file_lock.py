"""One process at a time: a lock on a file, which ends with its process, however that ends. Knows not what it guards."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path
from typing import IO

from heygem.errors import SettingsError, Text

_LOCK_NAME = ".server.lock"
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
"""What file systems say that know no locks."""


def lock(descriptor: int) -> bool:
    """Lock an open file until it is closed; False if another has it. Without locks in the file system, all have it.

    Raises:
        OSError: it cannot be locked for another reason.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        if error.errno not in _WITHOUT_LOCKS:
            raise
    return True


def hold_outputs(folder: Path) -> IO[bytes]:
    """Make this process the only server that works in a folder of results, until what is returned is closed.

    Two would share the queue well enough, but for a job whose server was asleep for so long that the other one took it
    over: both would write the same files. And in two containers neither could see that the other one lives.

    Args:
        folder: Where the jobs' folders are.

    Raises:
        SettingsError: another server works there, with code outputs_taken, or nothing can be written there.
    """
    try:
        file = (folder / _LOCK_NAME).open("ab")
        is_ours = lock(file.fileno())
    except OSError as error:
        raise SettingsError(
            Text(
                f"无法写入结果目录 {folder}：{error.strerror}。",
                f"Nothing can be written to the folder of results {folder}: {error.strerror}.",
            ),
            hint=Text("请设置 HEYGEM_OUTPUTS_DIR。", "Set HEYGEM_OUTPUTS_DIR to another folder."),
        ) from error
    if not is_ours:
        file.close()
        raise SettingsError(
            Text(
                f"另一个服务正在使用结果目录 {folder}。",
                f"Another server works in the folder of results {folder}.",
            ),
            hint=Text(
                "请先停止它，或设置 HEYGEM_OUTPUTS_DIR。", "Stop it, or set HEYGEM_OUTPUTS_DIR to another folder."
            ),
            code="outputs_taken",
        )
    return file
