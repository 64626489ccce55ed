"""A speaker's folder: free to be made, filled whole or not at all, deleted, and swept. Knows nothing of what it holds.

While a folder is filled it is called NAME.part, and the process that fills it holds a lock on it: what nobody holds was
left by one that was killed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heygem.disk import flush
from heygem.errors import OptionError, Text
from heygem.weights.speakers import LIPS, speaker_folder, speakers_folder

log = logging.getLogger(__name__)

_PART = ".part"


def free_folder(name: str, models_dir: Path) -> Path:
    """Where a new speaker of that name will lie.

    Args:
        name: What the speaker is to be called.
        models_dir: The folder of models.

    Raises:
        OptionError: with code bad_name, nobody can be called that; name_taken, a speaker or a lip engine is.
    """
    # Late: torch takes seconds, and the page is to open first.
    from heygem.lipsync import lip_engines

    folder = speaker_folder(name, models_dir)
    if name == "auto" or name in lip_engines() or folder.exists():
        raise OptionError(
            Text(f"名称 {name!r} 已被占用。", f"The name {name!r} is taken."),
            hint=Text("请换一个名称，或先删除那个说话人。", "Choose another, or delete that speaker first."),
            code="name_taken",
        )
    return folder


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `folder` at the end, on the disk for good, or is gone.

    Raises:
        OptionError: with code name_taken, another process fills it.
    """
    part = folder.with_name(folder.name + _PART)
    part.parent.mkdir(parents=True, exist_ok=True)
    if not _drop_if_abandoned(part):
        raise OptionError(
            Text(f"说话人 {folder.name!r} 正在训练中。", f"The speaker {folder.name!r} is being trained."),
            hint=Text("请等它结束，或换一个名称。", "Wait until that ends, or choose another name."),
            code="name_taken",
        )
    part.mkdir()
    with _opened(part) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield part
            for path in (*part.iterdir(), part):
                flush(path)  # before it appears: after a power cut it would be there and empty
            part.rename(folder)
            flush(folder.parent)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def delete_speaker(name: str, models_dir: Path) -> None:
    """Delete a speaker, if there is one of that name. A job that has loaded the model goes on with it.

    Raises:
        OptionError: with code bad_name, nobody can be called that; not_deleted, the folder cannot be changed.
    """
    folder = speaker_folder(name, models_dir)
    if not (folder / LIPS).is_file():
        return
    gone = folder.with_name(folder.name + _PART)
    try:
        shutil.rmtree(gone, ignore_errors=True)  # no training can have begun under a name that is taken
        folder.rename(gone)  # at once: half a speaker would be offered otherwise
    except OSError as error:
        raise OptionError(
            Text(
                f"无法删除说话人 {name!r}：{error.strerror}。",
                f"The speaker {name!r} cannot be deleted: {error.strerror}.",
            ),
            hint=Text("请检查模型目录的写入权限。", "Check the write permission of the folder of models."),
            code="not_deleted",
        ) from error
    shutil.rmtree(gone, ignore_errors=True)
    log.info("deleted the speaker %s", name)


def sweep_unfinished(models_dir: Path) -> None:
    """Delete what processes left that were killed while they filled or deleted a speaker's folder."""
    for part in sorted(speakers_folder(models_dir).glob(f"*{_PART}")):
        try:
            if _drop_if_abandoned(part):
                log.info("swept %s, which nobody fills any more", part)
        except OSError as error:
            log.warning("could not sweep %s: %s", part, error)  # it costs space and nothing else


def _drop_if_abandoned(part: Path) -> bool:
    """Delete it unless somebody fills it; whether nothing is left of it."""
    try:
        with _opened(part) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(part, ignore_errors=True)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return not part.exists()


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """A descriptor of the folder. Processes that are started meanwhile do not inherit it, nor the lock."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
