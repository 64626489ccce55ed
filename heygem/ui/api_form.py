"""A form with files, as it arrives: files go to the disk piece by piece, however large. Knows nothing of jobs.

Not the framework's own: that one puts no bound on a file, and looks at nothing before all has arrived.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from heygem.disk import is_full
from heygem.errors import InputError, QueueError, Text

_PIECE_BYTES = 1 << 20
"""What is handed to the disk at a time."""
MAX_TEXT_BYTES = 65_536
"""Longest field that is no file."""
_MAX_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file of a form.

    Attributes:
        field: The form's name for it.
        name: What the sender calls it, fit to be shown and to be a file's name.
        path: Where it lies.
    """

    field: str
    name: str
    path: Path


class FormReceiver:
    """Takes the bytes of a form. Writes to the disk: call it on a thread that may wait.

    Args:
        content_type: Of the request.
        folder: Where files are put, each into a folder of its own.
        max_file_bytes: Largest file.
        max_files: Most files.

    Attributes:
        files: Those that are there so far, in order.
        texts: The other fields, by name.

    Raises:
        InputError: it is no form; also from `feed`.
    """

    def __init__(self, content_type: str, folder: Path, *, max_file_bytes: int, max_files: int) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise _no_form()
        self.files: list[ReceivedFile] = []
        self.texts: dict[str, str] = {}
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._max_files = max_files
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._field = ""
        self._text = bytearray()
        self._file: IO[bytes] | None = None
        self._size = 0
        self._is_whole = False
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._end,
                "on_end": self._on_end,
            },
        )

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            InputError: they are no form, or more than is taken.
            QueueError: they could not be stored.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _no_form() from error
        except OSError as error:
            raise QueueError(
                Text(f"无法保存上传的文件：{error.strerror}。", f"The upload could not be stored: {error.strerror}."),
                code="disk_full" if is_full(error) else "inputs_not_stored",
            ) from error

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises:
            InputError: more was promised.
        """
        if not self._is_whole:
            raise _no_form()

    def close(self) -> None:
        """Close what is open. Files stay."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self._disposition = b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        self._size = 0
        self._text.clear()
        if b"filename" in options:
            name = _clean_name(options[b"filename"].decode("utf-8", "replace"))
            if len(self.files) == self._max_files:
                raise _too_much(
                    Text(f"一次最多 {self._max_files} 个文件。", f"At most {self._max_files} files at once.")
                )
            path = self._folder / str(len(self.files)) / name
            path.parent.mkdir(parents=True)
            self._file = path.open("xb")
            self.files.append(ReceivedFile(self._field, name, path))
        elif len(self.texts) >= self._max_files:
            raise _no_form()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._file is not None:
            if self._size > self._max_file_bytes:
                limit = self._max_file_bytes >> 20
                name = self.files[-1].name
                raise InputError(
                    Text(f"“{name}”超过上限 {limit} MB。", f"{name!r} is larger than the limit of {limit} MB."),
                    hint=Text("请压缩或剪短后再上传。", "Compress it, or cut it into parts."),
                    code="too_big",
                )
            self._file.write(data[start:end])
        else:
            if self._size > MAX_TEXT_BYTES:
                raise _too_much(Text("字段太长。", "A field is too long."))
            self._text += data[start:end]

    def _end(self) -> None:
        if self._file is not None:
            self.close()
        else:
            self.texts[self._field] = self._text.decode("utf-8", "replace")

    def _on_end(self) -> None:
        self._is_whole = True


async def receive_form(body: AsyncIterator[bytes], receiver: FormReceiver) -> None:
    """Hand everything that comes to `receiver`, without making the server's loop wait for the disk.

    Raises:
        ClientDisconnect: from `body`.
        HeyGemError: from `receiver`.
    """
    held = bytearray()
    try:
        async for piece in body:
            held += piece
            if len(held) >= _PIECE_BYTES:
                await run_in_threadpool(receiver.feed, bytes(held))
                held.clear()
        if held:
            await run_in_threadpool(receiver.feed, bytes(held))
        receiver.finish()
    finally:
        receiver.close()


def _clean_name(name: str) -> str:
    """The last part of what may be a path, without what names of files cannot hold or pages should not show.

    Raises:
        InputError: nothing is left.
    """
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(letter for letter in last if letter.isprintable())
    shown = shown.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
    if shown.strip(". ") == "":
        raise InputError(Text("文件没有名字。", "A file has no name."), code="bad_name")
    return shown


def _no_form() -> InputError:
    return InputError(
        Text("请求不是完整的表单。", "The request is not a whole form."),
        hint=Text("请用 multipart/form-data 上传。", "Upload it as multipart/form-data."),
        code="bad_form",
    )


def _too_much(what: Text) -> InputError:
    return InputError(what, code="too_much")
