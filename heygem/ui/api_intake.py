"""What a script submits, as requests for jobs: uploaded with the request, or named where the operator allows it.

Knows options and paths; knows nothing of queues.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import anyio
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from heygem.errors import InputError, Text
from heygem.jobs.job import Job, JobRequest
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings
from heygem.ui.api_errors import describe_validation
from heygem.ui.api_form import MAX_TEXT_BYTES, FormReceiver, receive_form
from heygem.ui.api_models import Options
from heygem.ui.uploads import check_batch_size, look_at, path_in_input_dir, speaker_of


class JobPaths(BaseModel):
    """A job on files of the server's machine, inside the folder that HEYGEM_INPUT_DIR names."""

    model_config = ConfigDict(extra="forbid")

    audio: str
    video: str
    options: Options = Field(default_factory=Options)


class ClipPath(BaseModel):
    """A clip on the server's machine, inside the folder that HEYGEM_INPUT_DIR names."""

    model_config = ConfigDict(extra="forbid")

    video: str


class BatchPaths(BaseModel):
    """A batch on files of the server's machine, inside the folder that HEYGEM_INPUT_DIR names."""

    model_config = ConfigDict(extra="forbid")

    audio: str
    videos: list[str] = Field(min_length=1)
    options: Options = Field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Intake:
    """Reads submissions.

    Attributes:
        folder: Where uploads lie until the queue has linked them.
        settings: What is taken.
    """

    folder: Path
    settings: Settings

    @asynccontextmanager
    async def job(self, request: Request) -> AsyncIterator[JobRequest]:
        """The job that is asked for; what was uploaded is gone when the context ends.

        Raises:
            InputError: it cannot become a job.
            QueueError: it could not be stored.
            ClientDisconnect: the sender went away.
        """
        async with self._arriving() as folder:
            if _is_json(request):
                asked = await _read_json(JobPaths, request)
                video, audio, options = (
                    path_in_input_dir(asked.video, self.settings),
                    path_in_input_dir(asked.audio, self.settings),
                    _options(asked.options),
                )
            else:
                # Two files at the most, of which one is the speech.
                [video], audio, options = await self._uploaded(request, folder, "video", 2)
            await run_in_threadpool(look_at, video, audio, self.settings)
            yield JobRequest(video, audio, options)

    @asynccontextmanager
    async def batch(self, request: Request) -> AsyncIterator[list[JobRequest]]:
        """The jobs of a batch; like `job`. Only the speech is looked at: a bad clip fails alone."""
        async with self._arriving() as folder:
            if _is_json(request):
                asked = await _read_json(BatchPaths, request)
                videos = [path_in_input_dir(name, self.settings) for name in asked.videos]
                audio, options = path_in_input_dir(asked.audio, self.settings), _options(asked.options)
            else:
                # One more than is taken, so that the refusal says how many are.
                videos, audio, options = await self._uploaded(
                    request, folder, "videos", self.settings.max_batch_clips + 2
                )
            check_batch_size(len(videos), self.settings)
            await run_in_threadpool(look_at, None, audio, self.settings)
            yield [JobRequest(video, audio, options) for video in videos]

    @asynccontextmanager
    async def speaker(self, request: Request, name: str, jobs: Sequence[Job]) -> AsyncIterator[JobRequest]:
        """The training of a speaker on one clip; like `job`.

        Args:
            request: Has the clip.
            name: What the speaker is to be called.
            jobs: Of the queue.

        Raises:
            OptionError: the name cannot be given.
        """
        async with self._arriving() as folder:
            if _is_json(request):
                video = path_in_input_dir((await _read_json(ClipPath, request)).video, self.settings)
            else:
                receiver = await self._received(request, folder, ("video",), 1)
                video = _only_file(receiver, "video")
            yield await run_in_threadpool(speaker_of, video, name, jobs, self.settings)

    @asynccontextmanager
    async def _arriving(self) -> AsyncIterator[Path]:
        folder = self.folder / f"api-{secrets.token_hex(8)}"
        try:
            yield folder
        finally:
            # Also when the request is cancelled.
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)

    async def _uploaded(
        self, request: Request, folder: Path, video_field: str, max_files: int
    ) -> tuple[list[Path], Path, RenderOptions]:
        receiver = await self._received(request, folder, ("audio", video_field, "options"), max_files)
        videos = [file.path for file in receiver.files if file.field == video_field]
        audio = _only_file(receiver, "audio")
        if not videos:
            raise _missing(video_field)
        return videos, audio, _options(_parsed(Options, receiver.texts.get("options", "{}")))

    async def _received(self, request: Request, folder: Path, fields: Sequence[str], max_files: int) -> FormReceiver:
        """The form that was sent, which has no other fields than `fields`."""
        receiver = FormReceiver(
            request.headers.get("content-type", ""),
            folder,
            max_file_bytes=self.settings.max_upload_mb << 20,
            max_files=max_files,
        )
        await receive_form(request.stream(), receiver)
        unknown = ({file.field for file in receiver.files} | receiver.texts.keys()).difference(fields)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise InputError(
                Text(f"表单里有未知的字段：{names}。", f"The form has unknown fields: {names}."),
                hint=Text(f"可用：{'、'.join(fields)}。", f"There are: {', '.join(fields)}."),
                code="bad_form",
            )
        return receiver


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


async def _read_json(kind: type[Any], request: Request) -> Any:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_TEXT_BYTES:
            raise InputError(Text("请求太长。", "The request is too long."), code="too_much")
    return _parsed(kind, body)


def _parsed(kind: type[Any], text: str | bytes) -> Any:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        said = describe_validation(RequestValidationError(error.errors(include_url=False)))
        raise InputError(said, code="bad_request") from error


def _options(options: Any) -> RenderOptions:
    """What the fields stand for.

    Raises:
        OptionError: one is out of range.
    """
    # Not `model_dump`, which makes words of fractions.
    return RenderOptions(**{one.name: getattr(options, one.name) for one in fields(RenderOptions)})


def _only_file(receiver: FormReceiver, field: str) -> Path:
    files = [file.path for file in receiver.files if file.field == field]
    if len(files) != 1:
        raise _missing(field)
    return files[0]


def _missing(field: str) -> InputError:
    return InputError(
        Text(f"表单需要一个 {field} 文件。", f"The form needs one file called {field}."), code="file_missing"
    )
