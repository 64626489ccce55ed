"""The preview's button in a real browser, and its result after a refresh."""

import pytest
from page_steps import download, fill_single, wait_for_video
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


def test_a_preview_is_a_result_of_its_own_and_stays_beside_its_clip(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("hard.mp4"))
    page.click("#single-preview")
    wait_for_video(page, "#single-result video")
    expect(page.locator("#single-status .hg-kind .en")).to_have_text("Preview")
    assert download(page, "#single-result a").suggested_filename == "hard_preview.mp4"
    page.reload(wait_until="domcontentloaded")
    page.locator("#single-compare summary").click()
    assert wait_for_video(page, "#single-compare figure:first-child video") == pytest.approx(2, abs=0.2)
