"""axe-core finds nothing serious on the page, with everything on it that may be there."""

from importlib.resources import files

import pytest
from page_steps import HISTORY, fill_batch, fill_single, go_to, unfold
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

AXE = files("axe_playwright_python").joinpath("axe.min.js")
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1440, "height": 1000}

RUN = """async (rules) => {
  const found = await axe.run(document, {resultTypes: ['violations'], ...(rules && {runOnly: rules})});
  return found.violations.filter(({impact}) => impact === 'serious' || impact === 'critical').flatMap(
    ({id, nodes}) => nodes.map(({target, html, any}) => [id, target.join(' '), html.slice(0, 160), any[0]?.message]));
}"""


def scan(page, rules=None):
    """Serious and critical violations; with `rules`, of these alone."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    return page.evaluate(RUN, rules)


def scan_both_themes(page):
    """All rules, and those of colours in the other theme too."""
    found = scan(page)
    page.click("#theme")
    found += scan(page, ["color-contrast"])
    page.click("#theme")
    return found


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
