"""One ffmpeg child: started, listened to, and ended whatever happens. Knows nothing of what it decodes or encodes."""

from __future__ import annotations

import logging
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Literal, Self

from heygem.media.ffmpeg_binary import ffmpeg_binary

log = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""Room in a pipe of pictures: the kernel's default of 64 KiB means 48 switches of process per 1080p frame."""


class FfmpegProcess:
    """Runs ffmpeg. What it complains about goes to a temporary file: a pipe that nobody reads would fill and block it.

    The child gets a session of its own, so that Ctrl-C reaches this process and not its children behind its back.
    If this process is killed, the child sees its pipe break and ends.

    Args:
        args: Arguments after the program's name.
        pipe: Which end we hold: "out" reads what ffmpeg writes, "in" feeds it.
    """

    def __init__(self, args: Sequence[str], *, pipe: Literal["in", "out"]) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child; close() ends both
        try:
            self._child = subprocess.Popen(
                [ffmpeg_binary(), *args],
                stdin=subprocess.PIPE if pipe == "in" else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe == "out" else subprocess.DEVNULL,
                stderr=self._complaints,
                start_new_session=True,
                pipesize=PIPE_BYTES,
                bufsize=0,
            )
        except BaseException:
            self._complaints.close()
            raise
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
        """
        done = 0
        while done < len(buffer):
            got = self.stdout.readinto(buffer[done:])  # type: ignore[attr-defined]  # a raw FileIO has it
            if not got:
                break
            done += got
        return done

    def write(self, data: memoryview) -> None:
        """Feed all of `data` to the child.

        Raises:
            BrokenPipeError: the child has ended.
        """
        while data:
            data = data[self.stdin.write(data) :]

    def finish(self) -> int:
        """Close our end, wait for the child's own end and return its exit status (negative: a signal's number)."""
        self._close_pipes()
        return self._child.wait()

    def complaints(self) -> str:
        """What ffmpeg said on stderr so far."""
        self._complaints.seek(0)
        return self._complaints.read().decode("utf-8", "replace").strip()

    def close(self) -> None:
        """End the child at once if it still runs. May be called again."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
        self._close_pipes()
        self._child.wait()
        self._complaints.close()

    def _close_pipes(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()


def last_line(complaints: str) -> str:
    """The line of ffmpeg's complaints that a user is shown."""
    lines = [line for line in complaints.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"
