"""Makes the pictures of the page in the READMEs: python -m docs.make_pictures. Needs playwright and Debian's chromium.

Starts the real server, lets it make an example with the embedded lips, and looks at it as a user would.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.open_pages import App

_HERE = Path(__file__).resolve().parent
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_PATIENCE_MS = 180_000


def main() -> None:
    """Write page-en.png and page-zh.png."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(Path(folder))
        try:
            app.seconds_until("/healthz")
            _pictures(f"http://127.0.0.1:{app.port}/")
        finally:
            app.stop()


def _pictures(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        for name, locale in (("page-en", "en-US"), ("page-zh", "zh-CN")):
            _picture(browser, url, locale, _HERE / f"{name}.png")
        browser.close()


def _picture(browser: Browser, url: str, locale: str, path: Path) -> None:
    page = browser.new_context(locale=locale, viewport={"width": 1440, "height": 1000}).new_page()
    page.goto(url)
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
