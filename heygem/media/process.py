"""One ffmpeg child: started, listened to, and ended whatever happens. Knows nothing of what it decodes or encodes."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from heygem.errors import EncodeError, MediaError, Text
from heygem.media.ffmpeg_binary import ffmpeg_binary

log = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""Room in a pipe of pictures: the kernel's default of 64 KiB means 48 switches of process per 1080p frame."""

STALL_S = 60.0
"""A child that neither takes nor gives a byte for so long, and does not work either, hangs."""

_SILENT_WORK = 10
"""So many times as long it may work without a byte: into a clip with a single key frame it is a long way."""

_IDLE = 0.01
"""Share of a processor below which a child does not work."""

ENDING_S = 600.0
"""How long a child may take to end by itself: moving the index of a large mp4 to its front copies the file."""

_LOOKS = 10
"""So many times its threads are looked at before they count as idle."""

_BETWEEN_LOOKS_S = 0.002

_LAUNCH = str(Path(__file__).with_name("launch.py"))

_READER_ADDRESS_SPACE = (6 << 30) + (os.cpu_count() or 1) * (32 << 20)
"""Bytes that a child which reads a stranger's file may map: 8K pictures with room, and stacks for its threads."""

_READER_FILE_SIZE = 64 << 20
"""Bytes that such a child may write to its one file, the complaints: a broken clip can cause gigabytes of them."""


class FfmpegProcess:
    """Runs ffmpeg. What it complains about goes to a temporary file: a pipe that nobody reads would fill and block it.

    The child gets a session of its own, so that Ctrl-C reaches this process and not its children behind its back. It
    dies with the thread that started it, so start it on one that stays until it has ended. One that reads is limited
    in memory; one that writes is not, because NVENC reserves more addresses than there is memory.

    Args:
        args: Arguments after the program's name.
        pipe: Which end we hold: "out" reads what ffmpeg writes, "in" feeds it.
        stall_s: Seconds without a byte and without work after which it is ended.
        cpu_s: Seconds of processor time that it may use; None sets no limit.
        also_open: Files of ours that are open in it too, under the same numbers.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        pipe: Literal["in", "out"],
        stall_s: float = STALL_S,
        cpu_s: int | None = None,
        also_open: Sequence[int] = (),
    ) -> None:
        self._stall_s = stall_s
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child; close() ends both
        limits = [_READER_ADDRESS_SPACE, _READER_FILE_SIZE] if pipe == "out" else [0, 0]
        launch = [sys.executable, "-I", "-S", _LAUNCH, *map(str, (os.getpid(), *limits, cpu_s or 0))]
        try:
            self._child = subprocess.Popen(
                [*launch, ffmpeg_binary(), *args],
                stdin=subprocess.PIPE if pipe == "in" else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe == "out" else subprocess.DEVNULL,
                stderr=self._complaints,
                start_new_session=True,
                pass_fds=also_open,
                pipesize=PIPE_BYTES,
                bufsize=0,
                # Each arena of glibc's malloc maps 64 MB, and there would be one per thread.
                env={**os.environ, "MALLOC_ARENA_MAX": "4"},
            )
        except BaseException:
            self._complaints.close()
            raise
        if self._child.stdin is not None:
            os.set_blocking(self._child.stdin.fileno(), False)  # so that a write can be given up
        log.debug("ffmpeg %d: %s", self._child.pid, args)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    @property
    def stdout(self) -> IO[bytes]:
        """What the child writes, unbuffered."""
        assert self._child.stdout is not None
        return self._child.stdout

    @property
    def stdin(self) -> IO[bytes]:
        """What the child reads, unbuffered."""
        assert self._child.stdin is not None
        return self._child.stdin

    def read_into(self, buffer: memoryview) -> int:
        """Fill `buffer` from the child's output; fewer bytes only at its end.

        Returns:
            How many bytes were read.

        Raises:
            MediaError: with code stalled if nothing came for too long; the child is ended.
        """
        done = 0
        while done < len(buffer):
            if not self._is_ready(self.stdout, select.POLLIN):
                self.close()
                raise MediaError(_STALLED, hint=Text("请重新导出后再上传。", "Export the file again."), code="stalled")
            got = self.stdout.readinto(buffer[done:])  # type: ignore[attr-defined]  # a raw FileIO has it
            if not got:
                break
            done += got
        return done

    def write(self, data: memoryview) -> None:
        """Feed all of `data` to the child.

        Raises:
            BrokenPipeError: the child has ended.
            EncodeError: with code stalled if it took nothing for too long; the child is ended.
        """
        while data:
            if not self._is_ready(self.stdin, select.POLLOUT):
                self.close()
                raise EncodeError(_STALLED, hint=Text("请重试。", "Try again."), code="stalled")
            data = data[self.stdin.write(data) or 0 :]

    def ends_within(self, timeout_s: float) -> bool:
        """Close our end and wait for the child's own end, but no longer than `timeout_s` seconds; whether it came."""
        self._close_pipes()
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def finish(self, patience_s: float = ENDING_S) -> int:
        """Close our end and wait for the child's own end; after `patience_s` seconds it is killed.

        Returns:
            Its exit status; negative: a signal's number.
        """
        self._close_pipes()
        try:
            return self._child.wait(patience_s)
        except subprocess.TimeoutExpired:
            log.warning("ffmpeg %d does not end; killing it", self._child.pid)
            self._kill()
            return self._child.wait()

    def complaints(self) -> str:
        """What ffmpeg said on stderr so far."""
        self._complaints.seek(0)
        return self._complaints.read().decode("utf-8", "replace").strip()

    def close(self) -> None:
        """End the child at once if it still runs. May be called again."""
        if self._child.poll() is None:
            self._kill()
        self._close_pipes()
        self._child.wait()
        self._complaints.close()

    def _is_ready(self, pipe: IO[bytes], event: int) -> bool:
        """Wait until a pipe can be read or written, or has lost its other end; False if the child hangs."""
        poll = select.poll()
        poll.register(pipe, event)
        if poll.poll(0):
            return True
        worked_s = _worked_s(self.pid)
        for _ in range(_SILENT_WORK):
            if poll.poll(self._stall_s * 1000):
                return True
            before_s, worked_s = worked_s, _worked_s(self.pid)
            if worked_s - before_s < _IDLE * self._stall_s and not _would_work(self.pid):
                break
        return False

    def _kill(self) -> None:
        # The child leads its session, and with it a group; it is not waited for yet, so the number is still its own.
        os.killpg(self._child.pid, signal.SIGKILL)

    def _close_pipes(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()


_STALLED = Text("ffmpeg 长时间没有任何进展，已被终止。", "ffmpeg made no progress for too long and was ended.")


def _worked_s(pid: int) -> float:
    """Processor time that a process has used, in seconds; 0 once it has been waited for."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _would_work(pid: int) -> bool:
    """Whether one of a process's threads waits for a processor or a disk: others keep it from its work.

    The threads are looked at one after the other: work that is handed from one to the next can escape a look, so there
    are several.
    """
    for _ in range(_LOOKS):
        for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
            try:
                state = thread.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):  # it has just ended
                continue
            if state in "RD":
                return True
        time.sleep(_BETWEEN_LOOKS_S)
    return False


def last_line(complaints: str) -> str:
    """The line of ffmpeg's complaints that a user is shown."""
    lines = [line for line in complaints.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"
