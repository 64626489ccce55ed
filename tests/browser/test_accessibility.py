"""axe-core finds nothing serious on the page, with everything on it that may be there."""

import pytest
from axe_scan import scan, scan_both_themes
from page_steps import HISTORY, fill_batch, fill_single, go_to, unfold
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

PHONE, DESK = {"width": 390, "height": 800}, {"width": 1440, "height": 1000}


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_is_open_to_everybody(
    quick_server, open_page, speech, clip_named, jobs_of_every_state, locale, viewport
):
    look = scan_both_themes if viewport is DESK else scan
    # What moves has no colour of its own at any moment.
    page = open_page(quick_server, locale=locale, viewport=viewport, reduced_motion="reduce")
    expect(page.locator("#single-status [data-status=queued]")).to_be_visible()
    expect(page.locator("#state .busy")).to_be_attached()
    page.click("#single-generate")
    expect(page.locator("#single-error [role=alert]")).to_be_visible()
    fill_single(page, speech, clip_named("on show.mp4"))
    unfold(page)
    found = {"single": look(page)}
    fill_batch(page, speech, [clip_named("a.mp4"), clip_named("b bad.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#batch-tiles article")).to_have_count(2)
    unfold(page)
    found["batch"] = look(page)
    go_to(page, HISTORY)
    page.locator("#history-list [data-act=show]").first.click()
    expect(page.locator("#history-player video")).to_be_visible()
    page.locator("#history-list input[type=checkbox]").last.check()
    expect(page.locator("#history-delete")).to_be_visible()
    found["history"] = look(page)
    page.locator("#history-delete").click()
    found["question"] = scan(page)
    assert {where: violations for where, violations in found.items() if violations} == {}
