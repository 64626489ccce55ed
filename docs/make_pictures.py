"""Makes the pictures of the page in the READMEs: python -m docs.make_pictures. Needs playwright and Debian's chromium.

Starts the real server, lets it make an example with the embedded lips, and looks at it as a user would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_HERE = Path(__file__).resolve().parent
_PORT = 7899
_URL = f"http://127.0.0.1:{_PORT}/"
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_PATIENCE_MS = 180_000


def main() -> None:
    """Write page-en.png and page-zh.png."""
    with _server(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        for name, locale in (("page-en", "en-US"), ("page-zh", "zh-CN")):
            _picture(browser, locale, _HERE / f"{name}.png")
        browser.close()


@contextmanager
def _server() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "HEYGEM_PORT": str(_PORT),
            "HEYGEM_OUTPUTS_DIR": folder,
            "HEYGEM_CACHE_DIR": f"{folder}/.cache",
            "HEYGEM_LOG_FILE": f"{folder}/run.log",
        }
        server = subprocess.Popen([sys.executable, "app.py"], cwd=_HERE.parent, env={**os.environ, **settings})
        try:
            while not _answers():
                if server.poll() is not None:
                    raise RuntimeError(f"The server ended with status {server.returncode}.")
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            server.wait()


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"{_URL}healthz", timeout=1):
            return True
    except OSError:
        return False


def _picture(browser: Browser, locale: str, path: Path) -> None:
    page = browser.new_context(locale=locale, viewport={"width": 1440, "height": 1000}).new_page()
    page.goto(_URL)
    page.click("#example_lin")
    page.wait_for_selector("#single-clip video")
    page.wait_for_selector("#single-speech input[type=file]", state="detached")
    page.click("#single-generate")
    page.wait_for_selector("#single-status [data-status=running]", timeout=_PATIENCE_MS)
    page.wait_for_selector("#single-status [data-status=done]", timeout=_PATIENCE_MS)
    player = page.locator("#single-result video").first
    player.evaluate("video => { video.currentTime = 2.6; }")
    page.wait_for_timeout(2000)  # the poll shows the last state, and the players their pictures
    page.screenshot(path=path)
    page.context.close()


if __name__ == "__main__":
    main()
