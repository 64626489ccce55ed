"""Fetches checkpoints: resumable, from the source or a mirror, and nothing takes its place unverified.

What is on the way lies in ``<file>.part``. Every byte in it is worthless unless the whole has the listed hash, so a
server is trusted with nothing: not with honouring a range, not with the same file as yesterday. Where a resumed file
turns out wrong it is fetched once more from its start, since the old half may have been at fault.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import logging
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from io import BufferedRandom
from pathlib import Path
from urllib.parse import urlsplit

from heygem.disk import flush, is_full
from heygem.errors import DownloadError, Text, WeightsMissingError, WeightsRefusedError
from heygem.weights.manifest import Checkpoint
from heygem.weights.verify import VerifiedFile, verify_present

log = logging.getLogger(__name__)

Watcher = Callable[[int, int], None]
"""Is told (bytes that are there, bytes in all), at the start and as they come."""

_TIMEOUT_S = 15.0
_CHUNK_BYTES = 1 << 20
_RESERVE_BYTES = 64 << 20
_REQUESTS = 6
"""Times that one server is asked to go on before the next is asked."""


class _WrongFileError(Exception):
    """The server has no such file, or another one; asking it again is useless."""


class _DroppedError(Exception):
    """The connection failed; what came so far is kept."""


class _SilentError(_DroppedError):
    """Nobody answered: the next file of that host would only be waited for in vain."""


def download(
    checkpoint: Checkpoint, models_dir: Path, watch: Watcher | None = None, silent_hosts: set[str] | None = None
) -> VerifiedFile:
    """Put the file into `models_dir`, whole and verified, or leave nothing there but a ``.part`` to resume from.

    Does nothing if it is there already. One that is there and wrong is replaced once the right one has come.

    Args:
        checkpoint: What to fetch.
        models_dir: Where to; made if need be.
        watch: Is told of the progress.
        silent_hosts: Hosts that did not answer are added to it and not asked again: who fetches several files keeps it
            between them.

    Raises:
        DownloadError: no server gave the right file, the disk is full, another process is fetching it, or only a
            person with a browser can fetch it.
    """
    with contextlib.suppress(WeightsMissingError, WeightsRefusedError):
        return verify_present(checkpoint, models_dir)
    if not checkpoint.urls:
        raise DownloadError(
            Text(f"{checkpoint.filename} 无法由程序下载。", f"{checkpoint.filename} cannot be fetched by a program."),
            hint=Text(
                f"请用浏览器打开 {checkpoint.page}，下载后放到 {models_dir.resolve()}。",
                f"Open {checkpoint.page} in a browser and put the file into {models_dir.resolve()}.",
            ),
            code="manual_download",
        )
    target = models_dir / checkpoint.filename
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with _open_part(target) as part:
            _check_space(checkpoint, part, models_dir)
            _fetch_from_any(checkpoint, part, watch or _nobody, set() if silent_hosts is None else silent_hosts)
            os.fsync(part.fileno())
            Path(part.name).replace(target)
            flush(models_dir)  # the new name, too, survives a power cut
    except OSError as error:
        raise _disk_error(target, error) from error
    return verify_present(checkpoint, models_dir)


def _nobody(done: int, total: int) -> None:
    """Progress that nobody watches."""


@contextlib.contextmanager
def _open_part(target: Path) -> Iterator[BufferedRandom]:
    """The unfinished file, kept from every other process until it is closed."""
    path = target.with_name(target.name + ".part")
    while True:
        with path.open("a+b") as part:
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DownloadError(
                    Text(f"另一个进程正在下载 {target.name}。", f"Another process is fetching {target.name}."),
                    hint=Text("请等它结束。", "Wait until it is done."),
                    code="download_busy",
                ) from error
            if not _is_still(part, path):
                # Between open and lock the other process finished and moved this very file into its place.
                continue
            try:
                yield part
            finally:
                if _length(part) == 0:
                    path.unlink()
            return


def _is_still(part: BufferedRandom, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(part.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _check_space(checkpoint: Checkpoint, part: BufferedRandom, models_dir: Path) -> None:
    needed = checkpoint.bytes - _length(part) + _RESERVE_BYTES
    free = shutil.disk_usage(models_dir).free
    if free < needed:
        raise DownloadError(
            Text(
                f"磁盘空间不足：下载 {checkpoint.filename} 需要 {needed >> 20} MB，仅剩 {free >> 20} MB。",
                f"The disk is too full: {checkpoint.filename} needs {needed >> 20} MB, {free >> 20} MB are free.",
            ),
            hint=Text("请清理磁盘，或更改 HEYGEM_MODELS_DIR。", "Make room, or set HEYGEM_MODELS_DIR."),
            code="disk_full",
        )


def _fetch_from_any(checkpoint: Checkpoint, part: BufferedRandom, watch: Watcher, silent_hosts: set[str]) -> None:
    """Fill `part` with the right file; empty it if what came was wrong."""
    failures: list[str] = []
    for url in checkpoint.urls:
        host = urlsplit(url).netloc
        if host in silent_hosts:
            failures.append(f"{host}: no answer")
            continue
        try:
            _fetch_right_file(url, checkpoint, part, watch)
            return
        except (_WrongFileError, _DroppedError) as failure:
            if isinstance(failure, _SilentError):
                silent_hosts.add(host)
            log.warning("%s from %s: %s", checkpoint.filename, host, failure)
            failures.append(f"{host}: {failure}")
    reasons = "; ".join(failures)
    raise DownloadError(
        Text(f"无法下载 {checkpoint.filename}：{reasons}。", f"{checkpoint.filename} could not be fetched: {reasons}."),
        hint=Text(
            f"请检查网络后重试（会续传），或从 {checkpoint.page} 手动下载。",
            f"Check the network and run it again, it resumes; or fetch it from {checkpoint.page} by hand.",
        ),
    )


def _fetch_right_file(url: str, checkpoint: Checkpoint, part: BufferedRandom, watch: Watcher) -> None:
    """Fill `part` from one server and verify it."""
    resumed_at = _length(part)
    _fetch_whole(url, checkpoint, part, watch)
    if _has_right_hash(checkpoint, part):
        return
    part.truncate(0)
    if resumed_at:
        log.warning("%s: the resumed file is wrong; fetching it from its start", checkpoint.filename)
        _fetch_whole(url, checkpoint, part, watch)
        if _has_right_hash(checkpoint, part):
            return
        part.truncate(0)
    raise _WrongFileError("the file has the wrong sha256")


def _fetch_whole(url: str, checkpoint: Checkpoint, part: BufferedRandom, watch: Watcher) -> None:
    """Ask one server until `part` is as long as it should be."""
    for _ in range(_REQUESTS):
        had = _length(part)
        if had == checkpoint.bytes:
            return
        try:
            _fetch_rest(url, checkpoint, part, watch)
        except _DroppedError:
            if _length(part) <= had:
                raise
    if _length(part) != checkpoint.bytes:
        raise _DroppedError(f"{_REQUESTS} requests were not enough")


def _fetch_rest(url: str, checkpoint: Checkpoint, part: BufferedRandom, watch: Watcher) -> None:
    """One request for what `part` lacks; what comes is appended."""
    have = _length(part)
    if have > checkpoint.bytes:
        part.truncate(have := 0)
    headers = {"User-Agent": "heygem", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            # The server's file is shorter than what we have of it: ours cannot be its beginning.
            part.truncate(0)
            return
        if error.code >= 500 or error.code == http.client.TOO_MANY_REQUESTS:
            raise _DroppedError(f"HTTP {error.code}") from error
        raise _WrongFileError(f"HTTP {error.code}") from error
    except (OSError, http.client.HTTPException) as error:
        is_silent = isinstance(getattr(error, "reason", error), TimeoutError)
        raise (_SilentError if is_silent else _DroppedError)(_reason(error)) from error
    with response:
        start = _first_byte(response, checkpoint)
        if start > have:
            # Not the range that was asked for, and a gap before it. The next request asks for the whole.
            part.truncate(0)
            return
        part.truncate(start)
        _append(response, checkpoint, part, watch)


def _first_byte(response: http.client.HTTPResponse, checkpoint: Checkpoint) -> int:
    """Which byte of the file the answer begins with; refuses what cannot be the file before any of it is read."""
    if response.headers.get_content_type() == "text/html":
        raise _WrongFileError("the server sent a web page")
    start, total = 0, response.headers.get("Content-Length", "*")
    if response.status == http.client.PARTIAL_CONTENT:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not found:
            raise _WrongFileError("the server sent a part without saying which")
        start, total = int(found[1]), found[2]
    if total not in ("*", str(checkpoint.bytes)):
        raise _WrongFileError(f"the file has {total} bytes instead of {checkpoint.bytes}")
    return start


def _append(response: http.client.HTTPResponse, checkpoint: Checkpoint, part: BufferedRandom, watch: Watcher) -> None:
    done = _length(part)
    watch(done, checkpoint.bytes)
    while chunk := _receive(response):
        done += len(chunk)
        if done > checkpoint.bytes:
            part.truncate(0)
            raise _WrongFileError(f"the file has more than {checkpoint.bytes} bytes")
        part.write(chunk)
        part.flush()
        watch(done, checkpoint.bytes)
    if done < checkpoint.bytes:
        raise _DroppedError(f"the connection ended after {done} of {checkpoint.bytes} bytes")


def _receive(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _DroppedError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Why a connection failed; urllib wraps the reason, and some errors have no words."""
    return str(getattr(error, "reason", error)) or type(error).__name__


def _has_right_hash(checkpoint: Checkpoint, part: BufferedRandom) -> bool:
    part.seek(0)
    return hashlib.file_digest(part, "sha256").hexdigest() in checkpoint.accepted_sha256


def _length(part: BufferedRandom) -> int:
    return os.fstat(part.fileno()).st_size


def _disk_error(target: Path, error: OSError) -> DownloadError:
    if is_full(error):
        return DownloadError(
            Text(f"写入 {target} 时磁盘已满。", f"The disk became full while {target} was written."),
            hint=Text("清理磁盘后重试，会续传。", "Make room and run it again; it resumes."),
            code="disk_full",
        )
    return DownloadError(
        Text(
            f"无法写入 {target}：{error.strerror or error}。", f"{target} cannot be written: {error.strerror or error}."
        ),
        hint=Text("请检查该文件夹的写入权限。", "Check that the folder may be written to."),
    )
