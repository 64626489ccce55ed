"""A job's folder: its inputs under names of ours, and later its result. Knows nothing of queues."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

from heygem.errors import InputError, QueueError, Text
from heygem.jobs.job import JobRequest

log = logging.getLogger(__name__)

# Names without a suffix: what a file is, is told by its content, never by what a user called it.
_CLIP = "clip"
_SPEECH = "speech"


def take_inputs(request: JobRequest, folder: Path) -> JobRequest:
    """Hard-link the request's files into `folder`, a new one; copy them where the disk cannot link.

    The names that the user gave stay in the request as data.

    Returns:
        The request for the files in `folder`.

    Raises:
        InputError: one of them is not a file.
        QueueError: they could not be stored; `folder` is gone again.
    """
    for path, name in ((request.video, request.video_name), (request.audio, request.audio_name)):
        if not path.is_file():
            raise InputError(
                Text(f"找不到文件 {name}。", f"There is no file {name}."),
                hint=Text("请重新上传。", "Upload it again."),
                code="file_missing",
            )
    try:
        folder.mkdir(parents=True)
        _link_or_copy(request.video, folder / _CLIP)
        _link_or_copy(request.audio, folder / _SPEECH)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise QueueError(
            Text(f"无法保存输入文件：{error.strerror}。", f"The inputs could not be stored: {error.strerror}."),
            hint=Text("请检查磁盘空间和写入权限。", "Check free space and write permission."),
            code="inputs_not_stored",
        ) from error
    return replace(request, video=folder / _CLIP, audio=folder / _SPEECH)


def drop_inputs(folder: Path, *, keep_folder: bool) -> None:
    """Delete the inputs of a job that has ended; without a result, the folder and all that is in it."""
    try:
        if keep_folder:
            (folder / _CLIP).unlink(missing_ok=True)
            (folder / _SPEECH).unlink(missing_ok=True)
        else:
            shutil.rmtree(folder)
    except OSError as error:
        # The job has ended as it did; files left over cost space and nothing else.
        log.warning("could not clear %s: %s", folder, error)


def _link_or_copy(source: Path, target: Path) -> None:
    real = source.resolve()
    try:
        os.link(real, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(real, target)
