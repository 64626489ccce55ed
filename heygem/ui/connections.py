"""Connections to the server: how many there may be, and for how long without a word. Knows nothing of requests.

uvicorn waits for ever for the first request of a connection. Strangers could so use up the files that a process may
open, and then nobody is answered any more, and no job finds its models.
"""

from __future__ import annotations

import asyncio
import resource

from uvicorn.protocols.http.h11_impl import H11Protocol

BACKLOG = 128
"""Connections that wait to be taken. Where no more files may be opened, asyncio logs as many lines every second."""

_FILES = 65_536
"""Files that may be open at once, if the system lets us: 1024 are usual, and each open page takes one or two."""

_LOOK_S = 30.0


def allow_open_files() -> None:
    """Raise this process's limit of open files as far as it may be raised without asking anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class PatientProtocol(H11Protocol):
    """uvicorn's, with a limit to its patience: a connection that asks for nothing in `_LOOK_S` is closed.

    Half a request is nothing. What is asked for may take as long as it likes, and so may its body.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called when somebody has connected."""
        super().connection_made(transport)
        self._wait_for_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the connection is closed by either side."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def _wait_for_more(self) -> None:
        self._latest = self.cycle
        self._next_look = self.loop.call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self.cycle is self._latest:
            self.transport.close()
        else:
            self._wait_for_more()
