"""The history in a real browser, over a quick stand-in for the pipeline."""

import pytest
from page_steps import HISTORY, fill_batch, go_to, wait_for_video
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


def test_it_is_searched_and_filtered_and_a_job_deleted_with_the_keyboard(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named("keep me.mp4"), clip_named("drop me <b>.mp4"), clip_named("keep bad.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#batch-tiles [data-status=failed]")).to_contain_text("keep bad.mp4")  # the last of them
    go_to(page, HISTORY)
    page.get_by_label("Search").fill("DROP")
    tiles = page.locator("#history-list article")
    expect(tiles).to_have_count(1)
    tiles.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(page.locator("#history-delete")).to_contain_text("1")
    expect(tiles.get_by_role("checkbox")).to_be_focused()  # though it was drawn anew
    page.locator("#history-delete").press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#hg-confirm")).to_be_hidden()
    expect(tiles).to_have_count(1)
    page.locator("#history-delete").press("Enter")
    page.get_by_role("button", name="Yes").press("Enter")
    expect(page.locator("#history-list")).to_contain_text("No job fits")
    page.get_by_label("Search").fill("keep")
    expect(tiles).to_have_count(2)
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Failed").click()
    expect(tiles).to_have_count(1)
    expect(tiles).to_contain_text("keep bad.mp4")
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Any state").click()
    tiles.filter(has_text="keep me.mp4").locator("[data-act=show]").click()
    assert wait_for_video(page, "#history-player video") == pytest.approx(2, abs=0.2)


def test_who_dismisses_a_question_and_is_asked_again_at_once_is_heard(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named("asked twice.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#batch-status .hg-count")).to_have_text("1/1")
    go_to(page, HISTORY)
    tile = page.locator("#history-list article", has_text="asked twice.mp4")
    tile.locator("[data-act=delete]").evaluate(
        "(button) => { button.click(); document.querySelector('#hg-confirm').close(); button.click(); }"
    )
    page.get_by_role("button", name="Yes").press("Enter")
    expect(tile).to_have_count(0)


def test_a_deleted_job_is_gone_in_every_tab_and_after_a_refresh(quick_server, open_page, speech, clip_named):
    page, other = open_page(quick_server), open_page(quick_server, locale="zh-CN")
    fill_batch(page, speech, [clip_named("gone soon.mp4")])
    page.click("#batch-submit")
    for tab in (other, page):
        go_to(tab, HISTORY)
        expect(tab.locator("#history-list article", has_text="gone soon.mp4")).to_be_visible()
    tile = page.locator("#history-list article", has_text="gone soon.mp4")
    expect(tile).to_have_attribute("data-status", "done")
    address = tile.locator("a[download]").get_attribute("href")
    tile.locator("[data-act=delete]").click()
    expect(page.locator("#hg-confirm")).to_contain_text("gone soon.mp4")
    page.click("#hg-confirm [value=no]")
    expect(tile).to_be_visible()
    tile.locator("[data-act=delete]").click()
    page.click("#hg-confirm [value=yes]")
    for tab in (page, other):
        expect(tab.locator("#history-list article", has_text="gone soon.mp4")).to_have_count(0)
    assert page.request.get(f"{quick_server.url}/{address}").status == 404
