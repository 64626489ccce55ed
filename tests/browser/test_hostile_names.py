"""Names that would like to be something else: text wherever they are shown, and what their results are called."""

import httpx
import pytest
from page_server import WAIT_MS
from page_steps import BATCH, HISTORY, PRESENTER, SINGLE, content, fill_single, go_to, scroll_width
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

FORM = "multipart/form-data; boundary=edge"
PHONE = {"width": 390, "height": 800}
NAMES = [
    "<img src=x onerror=alert(1)>.mp4",
    "<script>alert(1)<script>.mp4",
    "\" onmouseover='alert(1)' x=\".mp4",
    "${alert(1)} {{value}} &lt;b&gt;.mp4",
    "「片」段 “a” 'b' 😀 🎬.mp4",
    "长" * 65 + ".mp4",
    "W" * 196 + ".mp4",
]


@pytest.fixture(scope="module")
def submitted(quick_server, speech):
    """A batch of all of them, and one on its own, as scripts send them: names arrive as they are."""
    clip, sound = PRESENTER.read_bytes(), part("audio", NAMES[0].replace("mp4", "wav"), speech.read_bytes())
    with httpx.Client(base_url=quick_server.url, timeout=WAIT_MS / 1000, headers={"content-type": FORM}) as http:
        for route, names in (("batches", NAMES), ("jobs", NAMES[:1])):
            parts = [part("videos" if route == "batches" else "video", name, clip) for name in names]
            answer = http.post(f"/api/v1/{route}", content=b"".join([*parts, sound, b"--edge--\r\n"]))
            assert answer.status_code == 201, answer.text


def part(field, name, content):
    """A file of a form. By hand: what makes forms would write some signs of the name in others."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{quoted}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def letters(name):
    return "".join(sign for sign in name if sign.isalnum())[:60]


def test_they_are_shown_as_text(quick_server, open_page, submitted):
    page = open_page(quick_server, viewport=PHONE)
    expect(page.locator("#single-status .hg-name")).to_have_text(NAMES[0])
    for tab, tiles in ((BATCH, "#batch-tiles"), (HISTORY, "#history-list")):
        go_to(page, tab)
        for name in NAMES:
            shown = page.locator(f"{tiles} article .hg-name").get_by_text(name, exact=True)
            expect(shown.first).to_be_visible()
            shown.first.hover()
        assert scroll_width(page) == PHONE["width"]
    for name in NAMES[:2]:
        page.locator("#history-list article", has_text=name).first.locator("[data-act=delete]").click()
        expect(page.locator("#hg-confirm")).to_contain_text(name)
        page.keyboard.press("Escape")
    # Nothing of them became a part of the page; that no script ran, `open_page` sees.
    assert page.locator("img[src=x], [onerror], [onmouseover]").count() == 0
    go_to(page, SINGLE)


def test_their_results_are_saved_under_their_names(quick_server, open_page, submitted):
    page = open_page(quick_server)
    go_to(page, BATCH)
    for name in NAMES:
        tile = page.locator("#batch-tiles article").filter(has=page.get_by_text(name, exact=True))
        expect(tile).to_have_attribute("data-status", "done")
        with page.expect_download() as download:
            tile.locator("a[download]").click()
        saved = download.value.suggested_filename
        # The browser leaves out what names of files cannot hold on some systems, and what is too long.
        assert letters(saved.removesuffix("_heygem.mp4")) == letters(name.removesuffix(".mp4"))
        assert content(page, download.value) == PRESENTER.read_bytes()


def test_a_name_that_was_typed_on_this_machine_is_text(quick_server, open_page, speech):
    page = open_page(quick_server)
    content = PRESENTER.read_bytes()
    clip = {"name": "<script>alert(1)</script>.mp4", "mimeType": "video/mp4", "buffer": content}
    fill_single(page, speech, clip)
    page.click("#single-generate")
    expect(page.locator("#single-status .hg-name")).to_have_text("script.mp4")
    expect(page.locator("#single-status [data-status=done]")).to_be_visible()
