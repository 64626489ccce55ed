"""A page that is open while its server goes away and comes back."""

import pytest
from page_steps import BATCH, fill_batch, go_to
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


def test_an_open_page_finds_its_jobs_again_after_the_server_was_killed(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server, may_lose_server=True)
    fill_batch(page, speech, [clip_named("slow killed.mp4"), clip_named("after.mp4")])
    page.click("#batch-submit")
    page.locator("#batch-tiles article[data-status=running]", has_text="slow killed.mp4").wait_for()
    with page.expect_navigation():  # by itself
        quick_server.restart_killed()
    go_to(page, BATCH)
    expect(page.locator("#batch-status .hg-count")).to_have_text("2/2", timeout=60_000)
    assert [tile.get_attribute("data-status") for tile in page.locator("#batch-tiles article").all()] == ["done"] * 2


def test_it_is_said_that_the_server_is_gone_in_the_page_s_language(quick_server, open_page):
    english, chinese = (open_page(quick_server, locale=locale, may_lose_server=True) for locale in ("en-US", "zh-CN"))
    for page in (english, chinese):  # every part of the page has arrived
        expect(page.locator("#state .hg-pill")).to_be_visible()
        page.wait_for_load_state("load")
        expect(page.locator(".hg-log")).to_be_visible()
    quick_server.kill()
    expect(english.get_by_test_id("toast-text")).to_contain_text("Connection to the server was lost")
    expect(chinese.get_by_test_id("toast-text")).to_have_text("与服务器的连接已断开，正在重新连接…")
    quick_server.start()
    for page in (english, chinese):  # by itself
        expect(page.get_by_test_id("toast-text")).to_have_count(0)
        expect(page.locator("#state .hg-pill")).to_have_count(1)
