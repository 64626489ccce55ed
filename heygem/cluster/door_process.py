"""The process that Ray's driver lives in, as seen from both sides: calls go there, answers come back.

Ends when the process that started it does, however that happens.
"""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

from heygem.cluster.messages import ActorGoneError, ClusterGoneError, Node, SharedSettings
from heygem.cluster.ray_door import RayDoor

log = logging.getLogger(__name__)

_LINES_KEPT = 5
_NO_DOOR = (EOFError, ConnectionError, FileNotFoundError)


class _Side(BaseManager):
    """Both ends of the socket."""


class DoorProcess:
    """`RayDoor` in a process of its own. Any thread may call. Started anew by making another one.

    Args:
        address: As for `RayDoor`.

    Raises:
        ClusterError: the cluster cannot be reached.
        ActorGoneError: the process did not start.
    """

    def __init__(self, address: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="heygem-ray-")
        socket, key = str(Path(self._folder.name, "door")), secrets.token_hex(32).encode()
        # In a session of its own: Ctrl-C and a closed terminal are for the queue's process to answer.
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, socket],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._said: deque[str] = deque(maxlen=_LINES_KEPT)
        self._listener = threading.Thread(target=self._listen, name="ray-says", daemon=True)
        self._listener.start()
        try:
            self._process.stdin.write(key + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._not_started() from error
        if not self._process.stdout.readline():
            raise self._not_started()
        _Side.register("door")
        self._side = _Side(socket, key)
        self._side.connect()
        self._door: Any = self._asked(lambda: self._side.door())  # type: ignore[attr-defined]
        try:
            self._asked(lambda: self._door.open(address))
        except BaseException:
            self.close()
            raise

    def nodes(self) -> list[Node]:
        """As `RayDoor.nodes`. This and all others raise ClusterGoneError if the process is gone."""
        found: list[Node] = self._asked(lambda: self._door.nodes())
        return found

    def start_actor(self, node: str, cpus: float, gpus: int, shared: SharedSettings, make_runner: str) -> str:
        """As `RayDoor.start_actor`."""
        return str(self._asked(lambda: self._door.start_actor(node, cpus, gpus, shared, make_runner)))

    def call(self, name: str, method: str, arguments: tuple[Any, ...] = (), timeout_s: float = 10.0) -> Any:
        """As `RayDoor.call`."""
        return self._asked(lambda: self._door.call(name, method, arguments, timeout_s))

    def kill_actor(self, name: str) -> None:
        """As `RayDoor.kill_actor`."""
        self._asked(lambda: self._door.kill_actor(name))

    def is_alive(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process, and with it its actors."""
        assert self._process.stdin is not None
        self._process.stdin.close()  # which it waits for
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _listen(self) -> None:
        """Take what Ray prints: it is for those who look into Ray, not for the server's console."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line.decode(errors="replace").rstrip())
            log.debug("ray: %s", self._said[-1])

    def _not_started(self) -> ActorGoneError:
        self._process.wait()
        self._listener.join()  # until it has read to the end
        return ActorGoneError(f"Ray's process did not start: {' '.join(self._said)}")

    def _asked(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except _NO_DOOR as error:
            raise ClusterGoneError("Ray's process is gone") from error


class _Door:
    """What the queue's process reaches: `RayDoor`, once it is open."""

    def __init__(self) -> None:
        self._door: RayDoor | None = None

    def open(self, address: str) -> None:
        self._door = RayDoor(address)

    def __getattr__(self, name: str) -> Any:
        if self._door is None:
            raise AttributeError(name)
        return getattr(self._door, name)


def serve(socket: str) -> None:
    """Answer on a socket until standard input ends. Its first line is the key."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what Ray prints is no answer
    key = sys.stdin.buffer.readline().rstrip(b"\n")
    door = _Door()
    calls = ("open", "nodes", "start_actor", "call", "kill_actor")
    _Side.register("door", callable=partial(_same, door), exposed=calls)
    server = _Side(socket, key).get_server()
    # Ray wants the main thread to itself for signals, and takes them as reasons to end.
    threading.Thread(target=server.serve_forever, name="door", daemon=True).start()
    answers.write(b"ready\n")
    answers.flush()
    sys.stdin.buffer.read()
    if door._door is not None:
        door._door.close()
    os._exit(0)


def _same(door: _Door) -> _Door:
    return door


if __name__ == "__main__":
    serve(sys.argv[1])
