"""What one does on the page, for tests of what comes of it."""

import math
import wave
from array import array
from contextlib import contextmanager
from pathlib import Path

from page_server import WAIT_MS
from playwright.sync_api import expect

PRESENTER = Path(__file__).resolve().parents[1] / "data" / "presenter.mp4"
SPEECH_S = 1.2
REQUESTS = "**/gradio_api/run/**"
SINGLE, BATCH, HISTORY = range(3)


def write_speech(path, seconds):
    """Something that rises and falls like syllables."""
    samples = array("h")
    for n in range(int(16000 * seconds)):
        samples.append(int(abs(math.sin(n / 2500)) * 9000 * math.sin(n / 18)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def go_to(page, tab):
    page.get_by_role("tab").nth(tab).click()
    expect(page.get_by_role("tab").nth(tab)).to_have_attribute("aria-selected", "true")


def fill_single(page, speech, clip, looked_at_ms=WAIT_MS):
    page.set_input_files("#single-speech input[type=file]", speech)
    page.set_input_files("#single-clip input[type=file]", clip)
    page.wait_for_selector("#single-clip video")
    page.wait_for_selector("#single-speech input[type=file]", state="detached")
    # It lies above the buttons, and pushes them down: a click in that moment meets none of them.
    page.wait_for_selector("#single-preflight [data-state=done]", timeout=looked_at_ms)


def fill_batch(page, speech, clips):
    go_to(page, BATCH)
    page.set_input_files("#batch-speech input[type=file]", speech)
    page.set_input_files("#batch-clips input[type=file]", clips)
    page.wait_for_selector("#batch-speech input[type=file]", state="detached")
    expect(page.locator("#batch-list li")).to_have_count(len(clips))


@contextmanager
def held_back(page, words, count):
    """Requests with `words` in them reach the server at the end, when there are `count` of them. Gives them."""
    held = []

    def hold(route):
        if words in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route(REQUESTS, hold)
    yield held
    wait_on_page(page, lambda: len(held) == count)
    page.unroute_all()  # lets them go


def wait_on_page(page, is_so):
    for _ in range(300):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it never was so")


def wait_for_video(page, selector, timeout_ms=WAIT_MS):
    """The length in seconds of a video that can play."""
    page.wait_for_selector(selector, timeout=timeout_ms)
    page.wait_for_function("selector => document.querySelector(selector).readyState >= 2", arg=selector)
    return page.evaluate("selector => document.querySelector(selector).duration", selector)


def download(page, selector):
    """The file that a click brings."""
    with page.expect_download() as downloaded:
        page.locator(selector).click()
    return downloaded.value


def content(page, download):
    """What it is of. Chromium does not always tell that a download has ended, and waiting for that has no limit."""
    return page.request.get(download.url).body()


def scroll_width(page):
    """How wide the page is, with what sticks out of the window."""
    return page.evaluate("document.documentElement.scrollWidth")


def unfold(page):
    """Open whatever is folded away on the tab."""
    folded = page.locator("details:not([open]) > summary, button.label-wrap:not(.open)").locator("visible=true")
    for _ in range(20):  # what the server draws anew is folded again
        if folded.count() == 0:
            return
        folded.first.click()
    raise AssertionError(folded.first.inner_text())
