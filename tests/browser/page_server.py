"""A server in a process of its own, for tests with a browser."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

WAIT_MS = 30_000
"""The cores may be busy."""


class Server:
    """A server process on a free port."""

    def __init__(self, command, folder, env):
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = (folder / "output.txt").open("wb")
        self._command = [sys.executable, *(part.format(port=self.port) for part in command)]
        self._env = {**os.environ, **{key: value.format(port=self.port) for key, value in env.items()}}
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._env, stdout=self._output, stderr=subprocess.STDOUT
        )
        try:
            while not self._answers():
                assert self.process.poll() is None, self.output()
                time.sleep(0.1)
        except BaseException:  # a time limit, say: no fixture has the server yet that would stop it
            self.stop()
            raise

    def kill(self):
        """Without warning."""
        self.process.kill()
        self.process.wait()

    def restart_killed(self):
        """Kill the server and start it anew on the same port."""
        self.kill()
        self.start()

    def output(self):
        return (self.folder / "output.txt").read_text(encoding="utf-8")

    def children(self):
        """Processes that the server has started, on whichever thread."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [child for task in tasks for child in (task / "children").read_text().split()]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._output.close()
        return self.process.returncode

    def _answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                return True
        except OSError:  # none listens yet, or it is busy
            return False


def settings_of(folder):
    """The environment of an app.py that keeps to itself."""
    return {
        "HEYGEM_PORT": "{port}",
        "HEYGEM_OUTPUTS_DIR": str(folder / "outputs"),
        "HEYGEM_CACHE_DIR": str(folder / "outputs/.cache"),
        "HEYGEM_LOG_FILE": str(folder / "run.log"),
        "HEYGEM_DEVICE": "cpu",
        "HEYGEM_STOP_GRACE_S": "1",
    }
