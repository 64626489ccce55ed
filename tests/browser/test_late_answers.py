"""Answers that overtake each other, on a page in a real browser."""

import pytest
from page_steps import REQUESTS, fill_single, wait_on_page
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


class LateAnswers:
    """Has the server answer at once, and the page hear of it when told so."""

    def __init__(self, page):
        self._page = page
        self._held = []
        self._holds = lambda data: False
        page.route(REQUESTS, self._answer)

    def _answer(self, route):
        response = route.fetch()
        if self._holds(response.json()["data"]):
            self._holds = lambda data: False
            self._held.append((route, response))
        else:
            route.fulfill(response=response)

    def hold_one(self, holds):
        """Those of the next answer whose data `holds`."""
        self._holds = holds

    def wait_for(self, count):
        wait_on_page(self._page, lambda: len(self._held) == count)

    def let_go(self):
        for route, response in self._held:
            route.fulfill(response=response)


def is_of_panels(data):
    return len(data) > 10


def test_an_answer_that_comes_late_does_not_stay(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("endless and moving.mp4"))
    page.click("#single-generate")
    running, cancelled = (page.locator(f"#single-status [data-status={status}]") for status in ("running", "cancelled"))
    expect(running).to_be_visible()
    answers = LateAnswers(page)
    answers.hold_one(lambda data: 'data-status="running"' in str(data))
    answers.wait_for(1)
    page.click("#single-cancel")
    expect(cancelled).to_be_visible()
    answers.hold_one(is_of_panels)
    page.click("#single-again")  # which is no news
    answers.wait_for(2)
    answers.let_go()
    page.wait_for_timeout(3000)
    expect(cancelled).to_be_visible()
    page.unroute_all(behavior="wait")
