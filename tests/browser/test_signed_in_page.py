"""Signing in with a browser: app.py with a user."""

import pytest
from axe_scan import scan
from page_server import Server, settings_of
from page_steps import content, download, fill_single
from playwright.sync_api import expect

from heygem.ui.sign_in import COOKIE

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("users")
    running = Server(["app.py"], folder, {**settings_of(folder), "HEYGEM_AUTH": "ann:s3cret"})
    yield running
    running.stop()


def sign_in(page, password="s3cret"):
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def open_form(open_page, server, path="/"):
    # Chromium notes every refusal on its console.
    return open_page(server, path=path, shows="#password", may_lose_server=True)


def test_a_wrong_password_is_told_and_a_right_one_opens_what_was_asked_for(server, open_page):
    page = open_form(open_page, server, "/docs")
    sign_in(page, "guess")
    expect(page.get_by_role("alert")).to_have_text("用户名或密码不对。User name or password is wrong.")
    expect(page.get_by_role("alert").locator(".zh")).to_be_hidden()
    expect(page.get_by_label("User name")).to_have_value("ann")
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill("s3cret")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/docs")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_the_form_is_open_to_everybody(server, open_page, locale, theme):
    page = open_page(server, shows="#password", may_lose_server=True, locale=locale, color_scheme=theme)
    page.locator("#name").fill("ann")
    page.locator("#password").fill("guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert scan(page) == []


def test_one_signs_out_and_the_page_is_closed(server, open_page):
    page = open_form(open_page, server)
    sign_in(page)
    page.wait_for_selector("#single-generate")
    page.click("#sign-out")
    page.wait_for_selector("#password")
    page.goto(server.url, wait_until="domcontentloaded")
    page.wait_for_selector("#password")


def test_a_page_whose_session_ended_says_so_and_what_was_open_is_open_again(server, open_page):
    page = open_form(open_page, server)
    sign_in(page)
    page.wait_for_selector("#single-generate")
    expect(page.locator("#state .hg-pill")).to_be_visible()
    page.context.clear_cookies(name=COOKIE)
    page.wait_for_selector("#password")  # by itself, at the next poll
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended")
    sign_in(page)
    page.wait_for_selector("#single-generate")


def test_files_go_and_come_for_who_is_signed_in_and_for_nobody_else(server, open_page, speech, clip_named):
    page = open_form(open_page, server)
    sign_in(page)
    page.wait_for_selector("#single-generate")
    fill_single(page, speech, clip_named("mine.mp4"))
    assert "ann" in content(page, download(page, "#log-head a")).decode()
    source = page.locator("#single-clip video").get_attribute("src")
    assert page.request.get(source).status == 200
    page.context.clear_cookies()
    for address in (source, f"{server.url}/log", f"{server.url}/config"):
        assert page.request.get(address, headers={"accept": "*/*"}).status == 401
