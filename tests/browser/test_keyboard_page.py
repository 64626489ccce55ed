"""The page without a mouse, on a phone, and for those who want nothing to move."""

import re

import httpx
import pytest
from page_server import WAIT_MS
from page_steps import BATCH, HISTORY, PRESENTER, SINGLE, fill_single, go_to, scroll_width
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

PHONE = {"width": 390, "height": 800}

# Of what is in sight; of radio buttons with one name Tab reaches one, and arrows the others.
MISSED = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"], [role=tab], [role=log]')].filter((node) =>
  !node.disabled && node.tabIndex >= 0 && node.checkVisibility({visibilityProperty: true}) && node.type !== 'file'
  && !(node.type === 'radio' && !node.checked) && node.getBoundingClientRect().width > 1 && !window.visited.has(node))
  .map((node) => node.outerHTML.slice(0, 200))"""

# A part and what is around it, where gradio draws some of its frames.
BEGIN = """() => {
  window.looks = (node) => {
    const shown = [];
    for (let at = node, up = 0; at && up < 4; at = at.parentElement, up++) {
      const {outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor} = getComputedStyle(at);
      shown.push(outlineStyle === 'none' ? '' : outlineWidth, boxShadow, borderColor, backgroundColor);
    }
    return shown.join();
  };
  // The focus of the body is where Tab begins anew.
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute('tabindex');
  window.visited = new Set();
  window.unfocused = new Map([...document.body.querySelectorAll('*')].map((node) => [node, looks(node)]));
}"""

FOCUSED = """() => {
  const node = document.activeElement;
  // A player has the focus for each of its own controls too, and is not `:focus` then; the browser marks which it is.
  if (node === document.body || (visited.has(node) && node.tagName !== 'VIDEO')) return null;
  visited.add(node);
  const {left, right} = node.getBoundingClientRect();
  const differs = !node.matches(':focus') || looks(node) !== unfocused.get(node);
  return {left, right, differs, html: node.outerHTML.slice(0, 200)};
}"""


def walk(page):
    """Tab through the whole page; everything that had the focus."""
    page.evaluate(BEGIN)
    seen = []
    for _ in range(150):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            break
        seen.append(stop)
    return seen


@pytest.mark.parametrize("tab", [SINGLE, BATCH, HISTORY])
def test_tab_reaches_everything_and_shows_where_it_is(quick_server, open_page, tab):
    page = open_page(quick_server, reduced_motion="reduce")
    expect(page.locator("#queue section")).to_be_visible()
    go_to(page, tab)
    if tab != HISTORY:
        page.get_by_role("button", name=re.compile("^Options")).locator("visible=true").press("Enter")
        expect(page.get_by_label("Sync offset (ms)").locator("visible=true").first).to_be_visible()
    stops = walk(page)
    assert page.evaluate(MISSED) == []
    assert len(stops) > 12
    assert [stop["html"] for stop in stops if not stop["differs"]] == []


def test_the_choices_of_the_log_look_like_choices(quick_server, open_page):
    page = open_page(quick_server)
    look = "node => [getComputedStyle(node).backgroundImage, parseFloat(getComputedStyle(node).paddingRight)]"
    for choice in page.locator("#log-head select").all():
        arrow, room_px = choice.evaluate(look)
        assert arrow != "none" and room_px > 16


def test_tabs_and_buttons_act_on_keys(quick_server, open_page):
    page = open_page(quick_server)
    page.get_by_role("tab").nth(BATCH).press("Enter")
    expect(page.get_by_role("tab").nth(BATCH)).to_have_attribute("aria-selected", "true")
    page.locator("#batch-submit").press("Space")
    expect(page.locator("#batch-error")).to_contain_text("Upload a speech")
    page.locator("#theme").press("Enter")
    expect(page.locator("body")).to_have_class(re.compile("dark"))


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_for_those_who_ask_for_it(quick_server, open_page, speech, clip_named, motion):
    page = open_page(quick_server, reduced_motion=motion)
    fill_single(page, speech, clip_named("endless and still.mp4"))
    page.click("#single-generate")
    expect(page.locator("#state .busy")).to_be_visible()
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    if motion == "reduce":
        page.wait_for_timeout(1500)
        assert page.evaluate(moving) == 0
    else:
        page.wait_for_function(f"{moving} > 0")
    page.click("#single-cancel")
    expect(page.locator("#single-status")).to_contain_text("Cancelled")


def test_on_a_phone_everything_is_in_one_column_and_nothing_sticks_out(quick_server, open_page):
    page = open_page(quick_server, viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.locator("#queue section")).to_be_attached()
    for tab in (SINGLE, BATCH, HISTORY):
        go_to(page, tab)
        if tab != HISTORY:
            page.get_by_role("button", name=re.compile("^Options")).locator("visible=true").click()
            expect(page.get_by_label("Sync offset (ms)").locator("visible=true").first).to_be_visible()
            tops = [pad.bounding_box()["y"] for pad in page.locator(".hg-pads input").locator("visible=true").all()]
            assert tops[0] == tops[1] < tops[2] == tops[3]
        assert scroll_width(page) == PHONE["width"]
        outside = [stop["html"] for stop in walk(page) if stop["left"] < -1 or stop["right"] > PHONE["width"] + 1]
        assert outside == []
    page.tap("#theme")
    expect(page.locator("body")).to_have_class(re.compile("dark"))


def test_a_redraw_leaves_the_focus_where_it_is(quick_server, open_page, speech):
    page = open_page(quick_server, viewport=PHONE)
    button = page.locator("#rail-button button")
    button.focus()
    expect(page.locator("#queue section")).to_be_attached()  # the first drawing has come
    expect(button).to_be_focused()
    files = {"video": ("slow.mp4", PRESENTER.read_bytes()), "audio": ("5.wav", speech.read_bytes())}
    assert httpx.post(f"{quick_server.url}/api/v1/jobs", files=files, timeout=WAIT_MS / 1000).status_code == 201
    expect(button.locator("b")).to_be_visible()
    expect(button).to_be_focused()


def test_the_drawer_takes_the_keyboard_before_it_is_drawn(quick_server, open_page):
    page = open_page(quick_server)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("getComputedStyle(document.querySelector('#rail-close')).visibility === 'hidden'")
    open_and_go_in = """() => {
      document.querySelector('#rail-button button').click();
      document.querySelector('#rail-close').focus();
      return document.activeElement.id;
    }"""
    assert page.evaluate(open_and_go_in) == "rail-close"


def test_the_rail_is_a_drawer_on_a_phone_and_below_the_tabs_on_a_tablet(quick_server, open_page):
    page = open_page(quick_server)
    page.set_viewport_size({"width": 390, "height": 844})
    button, rail = page.locator("#rail-button button"), page.locator("#rail")
    expect(rail).not_to_be_visible()
    for close in (
        lambda: page.keyboard.press("Escape"),
        lambda: page.mouse.click(5, 400),  # beside it
        lambda: page.click("#rail-close"),
    ):
        button.click()
        expect(rail).to_be_visible()
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(rail).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator("#rail-close")).to_be_focused()
        expect(page.get_by_role("dialog")).to_have_attribute("id", "rail")
        assert page.evaluate("document.querySelector('#tabs').closest('[inert]') !== null")
        close()
        expect(rail).not_to_be_visible()
        expect(button).to_be_focused()
        expect(button).to_have_attribute("aria-expanded", "false")
        assert page.evaluate("document.querySelectorAll('[inert]').length") == 0
    button.click()
    page.set_viewport_size({"width": 820, "height": 1100})
    expect(button).not_to_be_visible()
    expect(rail).to_be_visible()
    assert page.evaluate("document.querySelectorAll('[inert]').length") == 0
    assert rail.bounding_box()["y"] > page.locator("#tabs").bounding_box()["y"] + 200
