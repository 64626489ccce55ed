"""Files that the queue's machine and its nodes hand to each other, by a URL of fsspec. Knows no jobs and no Ray."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import fsspec

from heygem.disk import appearing
from heygem.errors import HeyGemError, SettingsError, Text, WorkerLostError
from heygem.jobs.disk_guard import full_disk_told

log = logging.getLogger(__name__)

_PIECE_BYTES = 4 << 20
"""What is handed over between two signs of life: half a minute's work of a link of 1 Mbit/s."""

_PAUSES_S = (1.0, 4.0, 10.0, 20.0)
"""Between tries: a network that is away for half a minute costs no job."""


class FileStore:
    """A folder by URL: ``file:///mnt/shared/heygem``, ``s3://bucket/heygem`` and whatever fsspec has a package for.

    A file appears under its name when all of it is there: it is written under another one first. What was fetched
    appears in the same way.

    Args:
        url: The folder; made when something is put there.
        on_piece: Called for each piece of a file that went over, and after each wait; what it raises passes.
        sleep: Waits between two tries.
    """

    def __init__(
        self, url: str, *, on_piece: Callable[[], None] = lambda: None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = url
        self._on_piece = on_piece
        self._sleep = sleep

    def check(self) -> None:
        """See that there is a file system for the URL; whether it answers is another matter.

        Raises:
            SettingsError: there is none.
        """
        try:
            self._open()
        except (ImportError, ValueError) as error:
            raise SettingsError(
                Text(
                    f"无法使用 HEYGEM_RAY_STORE {self._url}：{error}",
                    f"HEYGEM_RAY_STORE {self._url} cannot be used: {error}",
                ),
                hint=Text("请安装该协议的 fsspec 组件，例如 s3fs。", "Install fsspec's package for it, such as s3fs."),
            ) from error

    def put(self, path: Path, name: str) -> None:
        """Store a file.

        Args:
            path: The file.
            name: Where, below the URL; with slashes.

        Raises:
            WorkerLostError: with code store_failed; it could not be stored, several times.
            EncodeError: with code disk_full, the disk of the store is.
        """
        self._tried(lambda: self._put(path, name), name)

    def get(self, name: str, path: Path) -> None:
        """Fetch a file.

        Args:
            name: Where it lies below the URL.
            path: Where to; replaced if it is there.

        Raises:
            WorkerLostError: with code store_failed; it could not be fetched, several times.
            EncodeError: with code disk_full, this machine's disk is.
        """
        self._tried(lambda: self._get(name, path), name)

    def drop(self, folder: str) -> None:
        """Delete a folder with all that is in it, if that can be done now."""
        try:
            fs, root = self._open()
            if fs.exists(f"{root}/{folder}"):
                fs.rm(f"{root}/{folder}", recursive=True)
        except Exception as error:  # noqa: BLE001 - fsspec's file systems raise what their libraries do
            # What is left costs space and nothing else.
            log.warning("%s could not be deleted from the store: %s", folder, error)

    def _put(self, path: Path, name: str) -> None:
        fs, root = self._open()
        target = f"{root}/{name}"
        fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        with path.open("rb") as ours, fs.open(f"{target}.part", "wb") as theirs:
            self._copy(ours, theirs)
        _check(fs.size(f"{target}.part"), path.stat().st_size)
        fs.mv(f"{target}.part", target)

    def _get(self, name: str, path: Path) -> None:
        fs, root = self._open()
        with appearing(path) as part:
            with fs.open(f"{root}/{name}", "rb") as theirs, part.open("wb") as ours:
                self._copy(theirs, ours)
            _check(part.stat().st_size, fs.size(f"{root}/{name}"))

    def _copy(self, source: BinaryIO, target: BinaryIO) -> None:
        """Not by fsspec's own `put_file` and `get_file`: of some file systems, these say nothing until all is there."""
        while piece := source.read(_PIECE_BYTES):
            target.write(piece)
            self._on_piece()

    def _open(self) -> tuple[fsspec.AbstractFileSystem, str]:
        # No listing is kept: the other side changes it.
        fs, root = fsspec.core.url_to_fs(self._url, use_listings_cache=False)
        return fs, str(root).rstrip("/")

    def _tried(self, work: Callable[[], None], name: str) -> None:
        for pause in (*_PAUSES_S, None):
            try:
                with full_disk_told():
                    work()
            except HeyGemError:  # a full disk, or from `on_piece`
                raise
            except Exception as error:  # fsspec's file systems raise what their libraries do
                if pause is None:
                    raise WorkerLostError(
                        Text(f"无法通过共享存储传输 {name}。", f"The store could not hand over {name}."),
                        hint=Text("请检查 HEYGEM_RAY_STORE。", "Check HEYGEM_RAY_STORE."),
                        code="store_failed",
                    ) from error
                log.warning("the store failed with %s: %s; again in %.0f s", name, error, pause)
                self._sleep(pause)
                self._on_piece()
            else:
                return


def _check(found: int | None, wanted: int | None) -> None:
    if found != wanted:
        raise OSError(f"{found} of {wanted} bytes arrived")
