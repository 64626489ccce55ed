"""Servers and a browser. Debian's chromium; without it these tests are skipped."""

import shutil
from pathlib import Path

import httpx
import pytest
from page_server import ROOT, WAIT_MS, Server, settings_of
from page_steps import PRESENTER, SPEECH_S, write_speech
from playwright.sync_api import expect, sync_playwright

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

LOST = ("Failed to load resource", "Response")
"""What Chromium and gradio say of a request that a server which is gone, or a session which has ended, did not take."""

expect.set_options(timeout=WAIT_MS)


def pytest_collection_modifyitems(items):
    if not CHROMIUM.exists():
        for item in items:
            if "browser" in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"{CHROMIUM} is missing: THE PAGE IS NOT TESTED"))


@pytest.fixture(scope="module")
def quick_server(tmp_path_factory):
    """The page over a runner that copies the clip; each file has its own, or it would see the jobs of others."""
    folder = tmp_path_factory.mktemp("quick")
    command = ["tests/ui/fake_app.py", "{port}", str(folder)]
    server = Server(command, folder, {"PYTHONPATH": str(ROOT)})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def jobs_of_every_state(quick_server, speech):
    """One that is done, one that failed, one that runs and one that waits; names without a word of either language."""
    with httpx.Client(base_url=quick_server.url, timeout=WAIT_MS / 1000) as http:
        for name in ("1.mp4", "2 bad.mp4", "3 endless.mp4", "4.mp4"):
            files = {"video": (name, PRESENTER.read_bytes()), "audio": ("5.wav", speech.read_bytes())}
            assert http.post("/api/v1/jobs", files=files).status_code == 201


@pytest.fixture(scope="session")
def real_server(tmp_path_factory):
    """app.py itself."""
    folder = tmp_path_factory.mktemp("real")
    server = Server(["app.py"], folder, settings_of(folder))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def chromium():
    """Ends with its file: Playwright keeps an event loop running, in which no test after it could start one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    return write_speech(tmp_path_factory.mktemp("speech") / "语音 'a' & b.wav", SPEECH_S)


@pytest.fixture
def clip_named(tmp_path):
    def make(name):
        return shutil.copyfile(PRESENTER, tmp_path / name)

    return make


class Watch:
    """Notes what no page may ever do: ask another server, fail, complain, or open a dialog of the browser's own."""

    def __init__(self, server, may_lose_server):
        self.server, self.may_lose_server = server, may_lose_server
        self.misdeeds = []

    def follow(self, context):
        context.on("request", lambda request: self._note_address(request.url))
        context.on("weberror", lambda error: self.misdeeds.append(("error", str(error.error))))
        context.on("console", self._note_complaint)
        context.on("dialog", self._note_dialog)
        context.on("page", lambda page: page.on("websocket", lambda socket: self._note_address(socket.url)))

    def _note_address(self, url):
        if not url.startswith((f"{self.server.url}/", "data:", "blob:")) and url != "about:blank":
            self.misdeeds.append(("request", url))

    def _note_complaint(self, message):
        is_lost = self.may_lose_server and message.text.startswith(LOST)
        # Gradio warns that "Method not implemented." for parts that it does not show; errors there may be none.
        if message.type == "error" and not is_lost:
            self.misdeeds.append(("console", message.text))

    def _note_dialog(self, dialog):
        self.misdeeds.append(("dialog", dialog.message))
        dialog.dismiss()


@pytest.fixture
def open_page(chromium):
    """Opens pages of a server; at the end nothing may have left it and no script may have failed."""
    contexts, watches = [], []

    def open_(server, locale="en-US", may_lose_server=False, path="/", shows="#single-generate", **choices):
        choices = {"viewport": {"width": 1440, "height": 1000}, **choices}
        context = chromium.new_context(locale=locale, accept_downloads=True, **choices)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        watches.append(Watch(server, may_lose_server))
        watches[-1].follow(context)
        page = context.new_page()
        # "networkidle" never comes: a heartbeat stays open.
        page.goto(f"{server.url}{path}", wait_until="domcontentloaded")
        page.wait_for_selector(shows)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [misdeed for watch in watches for misdeed in watch.misdeeds] == []
