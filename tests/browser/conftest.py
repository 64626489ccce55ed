"""Servers and a browser. Debian's chromium; without it these tests are skipped."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=30_000)  # the cores may be busy


def pytest_collection_modifyitems(items):
    if not CHROMIUM.exists():
        for item in items:
            if "browser" in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"{CHROMIUM} is missing: THE PAGE IS NOT TESTED"))


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
        while not self._answers():
            assert self.process.poll() is None, self.output()
            time.sleep(0.1)

    def restart_killed(self):
        """Kill the server without warning and start it anew on the same port."""
        self.process.kill()
        self.process.wait()
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
        except (urllib.error.URLError, ConnectionError):
            return False


@pytest.fixture(scope="session")
def quick_server(tmp_path_factory):
    """The page over a runner that copies the clip."""
    folder = tmp_path_factory.mktemp("quick")
    command = ["tests/ui/fake_app.py", "{port}", str(folder), "0.02"]
    server = Server(command, folder, {"PYTHONPATH": str(ROOT)})
    yield server
    server.stop()


@pytest.fixture(scope="session")
def real_server(tmp_path_factory):
    """app.py itself."""
    folder = tmp_path_factory.mktemp("real")
    settings = {
        "HEYGEM_PORT": "{port}",
        "HEYGEM_OUTPUTS_DIR": str(folder / "outputs"),
        "HEYGEM_CACHE_DIR": str(folder / "outputs/.cache"),
        "HEYGEM_LOG_FILE": str(folder / "run.log"),
        "HEYGEM_DEVICE": "cpu",
        "HEYGEM_STOP_GRACE_S": "1",
    }
    server = Server(["app.py"], folder, settings)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens pages of a server; at the end nothing may have left it and no script may have failed."""
    contexts, outside, failures = [], [], []

    def open_(server, locale="en-US", may_lose_server=False):
        context = chromium.new_context(viewport={"width": 1440, "height": 1000}, locale=locale, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda request: note_outside(request.url, server.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        # Gradio logs this one as a warning.
        page.on("console", lambda message: note_error(message, may_lose_server))
        page.goto(server.url, wait_until="domcontentloaded")  # "networkidle" never comes: a heartbeat stays open
        page.wait_for_selector("#single-generate")
        return page

    def note_error(message, may_lose_server):
        if message.type == "error" and not (may_lose_server and "Failed to load resource" in message.text):
            failures.append(message.text)

    def note_outside(url, allowed):
        if not url.startswith((allowed, "data:", "blob:")):
            outside.append(url)

    yield open_
    for context in contexts:
        context.close()
    assert outside == []
    assert failures == []
