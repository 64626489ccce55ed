"""A job's folder: its inputs under names of ours, and later its result. Knows nothing of queues."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from heygem.disk import flush
from heygem.errors import InputError, QueueError, Text
from heygem.jobs.job import JobRequest, JobStatus

log = logging.getLogger(__name__)

RESULT = "result.mp4"
"""Name of the video in a job's folder."""
POSTER = "poster.jpg"
"""Name of its still picture there."""

# Names without a suffix: what a file is, is told by its content, never by what a user called it.
_CLIP = "clip"
_SPEECH = "speech"

_ARRIVES_S = 3600.0
"""Seconds that storing the inputs of a submission may take: a younger folder may belong to one that is under way."""


def new_job_id() -> str:
    """A name for a job and its folder that nobody can guess."""
    return secrets.token_hex(6)


def take_inputs(request: JobRequest, folder: Path) -> JobRequest:
    """Store the request's files in `folder`, a new one: uploads are linked where the disk can, all others are copied.

    What lies below the folder of the outputs, as uploads do, is written once. A file elsewhere is its owner's, who may
    write it anew while the job waits, and a link would show that. A clip that is its own speech is stored once. The
    names that the user gave stay in the request as data. When this returns, the files are on the disk and survive a
    power cut.

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
    speaks_for_itself = request.audio.resolve() == request.video.resolve()
    try:
        folder.mkdir(parents=True)
        _link_or_copy(request.video, folder / _CLIP)
        if not speaks_for_itself:
            _link_or_copy(request.audio, folder / _SPEECH)
        flush(folder)
        flush(folder.parent)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise QueueError(
            Text(f"无法保存输入文件：{error.strerror}。", f"The inputs could not be stored: {error.strerror}."),
            hint=Text("请检查磁盘空间和写入权限。", "Check free space and write permission."),
            code="inputs_not_stored",
        ) from error
    return replace(request, video=folder / _CLIP, audio=folder / (_CLIP if speaks_for_itself else _SPEECH))


def check_inputs(request: JobRequest) -> None:
    """See that the stored inputs of a job are still there.

    Raises:
        InputError: with code inputs_gone, they are not.
    """
    if not (request.video.is_file() and request.audio.is_file()):
        raise InputError(
            Text("该任务的输入文件已被清理。", "The inputs of this job are gone."),
            hint=Text("请重新上传并提交。", "Upload them and submit again."),
            code="inputs_gone",
        )


def drop_inputs(folder: Path) -> None:
    """Delete the inputs of a job that is done; its result stays."""
    try:
        (folder / _CLIP).unlink(missing_ok=True)
        (folder / _SPEECH).unlink(missing_ok=True)
    except OSError as error:
        # The job is done as it is; files left over cost space and nothing else.
        log.warning("could not clear %s: %s", folder, error)


def drop_folder(folder: Path) -> None:
    """Delete a job's folder with all that is in it, if it is there.

    Raises:
        QueueError: with code not_deleted, some of it is still there.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise QueueError(
            Text(f"无法删除 {folder}：{error.strerror}。", f"{folder} could not be deleted: {error.strerror}."),
            hint=Text("请检查该文件夹的写入权限。", "Check that the folder may be written to."),
            code="not_deleted",
        ) from error


def drop_unused(folder: Path) -> None:
    """Delete a folder that no job will use; one that cannot be deleted costs space and nothing else."""
    try:
        drop_folder(folder)
    except QueueError as error:
        log.warning("%s", error)


def sweep_leftovers(outputs_dir: Path, states: Mapping[str, JobStatus]) -> None:
    """Delete what a process left that died while it stored the inputs of a job, or dropped those of one that was done.

    A folder that holds anything but inputs is never deleted, whoever made it.

    Args:
        outputs_dir: Where the jobs' folders are.
        states: Of every job, by id.
    """
    for folder in outputs_dir.iterdir():
        if not re.fullmatch(r"[0-9a-f]{12}", folder.name) or not folder.is_dir():
            continue
        if folder.name in states:
            if states[folder.name] is JobStatus.DONE:
                drop_inputs(folder)
            continue
        holds_inputs_only = {path.name for path in folder.iterdir()} <= {_CLIP, _SPEECH}
        if holds_inputs_only and time.time() - folder.stat().st_mtime > _ARRIVES_S:
            log.info("sweeping %s, which no job belongs to", folder)
            drop_unused(folder)


def _link_or_copy(source: Path, target: Path) -> None:
    real = source.resolve()
    is_linked = False
    if real.is_relative_to(target.parents[1].resolve()):  # the folder of the outputs
        with suppress(OSError):  # a file system without links
            os.link(real, target)
            is_linked = True
    if not is_linked:
        shutil.copyfile(real, target)
    flush(target)
