"""The rail on a phone: a drawer that opens by a button and keeps the keyboard inside."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


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
