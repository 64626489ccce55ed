"""Nothing is reached before one has signed in, and no way of signing in is a way around."""

import base64
import logging

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from heygem.settings import Settings
from heygem.ui.attempts import TRIES_PER_NAME, WINDOW_S, Attempts
from heygem.ui.guard import Guard
from heygem.ui.sessions import SESSION_S, Sessions
from heygem.ui.sign_in import COOKIE, USER, SignIn
from heygem.ui.users import Users

HTML = {"accept": "text/html,*/*"}


@pytest.fixture
def sessions(clock, tmp_path):
    return Sessions(b"k" * 32, Users.of(Settings(auth="ann:s3cret")), tmp_path / "ended", clock=clock)


@pytest.fixture
def app(clock, sessions):
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    def anything(path: str, request: Request) -> HTMLResponse:
        return HTMLResponse(f"{path} for {request.scope.get(USER)}", headers={"x-behind": "yes"})

    @app.websocket("/socket")
    async def socket(connection: WebSocket) -> None:
        await connection.accept()

    app.add_middleware(SignIn, users=sessions._users, sessions=sessions, attempts=Attempts(clock))
    app.add_middleware(Guard, is_ours=lambda host: True)
    return app


@pytest.fixture
def http(app):
    return TestClient(app, follow_redirects=False)


def sign_in(http, password="s3cret", name="ann", **more):
    return http.post("/login", data={"name": name, "password": password, **more})


@pytest.mark.parametrize(
    "path",
    ["/", "/config", "/results/x/result.mp4", "/results/x/newest.jpg", "/api/v1/jobs",
     "/docs", "/openapi.json", "/metrics", "/theme.css",
     "/gradio_api/upload", "/gradio_api/run/predict", "/logout", "/healthz/", "/HEALTHZ", "//healthz", "/healthz/../x",
     "/login/", "/login/x"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "OPTIONS"])
def test_nothing_is_reached_by_strangers(http, path, method):
    answer = http.request(method, path)
    assert "x-behind" not in answer.headers
    assert answer.status_code == (303 if (path, method) == ("/logout", "POST") else 401)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_whether_it_lives_is_told_to_anybody(http, path):
    assert http.get(path).status_code == 200


def test_a_websocket_is_not_opened(http):
    with pytest.raises(WebSocketDisconnect), http.websocket_connect("/socket"):
        pass


def test_a_browser_is_led_to_the_form_and_back(http):
    answer = http.get("/docs?a=1&b=2", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/docs%3Fa%3D1%26b%3D2")
    form = http.get(answer.headers["location"])
    assert form.status_code == 200 and 'value="/docs?a=1&amp;b=2"' in form.text
    assert form.headers["cache-control"] == "no-store" and form.headers["x-frame-options"] == "SAMEORIGIN"
    answer = sign_in(http, next="/docs?a=1&b=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs?a=1&b=2")
    assert http.get("/x").text == "x for ann"
    assert http.get("/login?next=/y").headers["location"] == "/y"


def test_a_script_is_asked_for_its_password_and_a_page_opens_no_window(http):
    assert http.get("/api/v1/jobs").headers["www-authenticate"].startswith("Basic")
    assert http.get("/metrics").headers["www-authenticate"].startswith("Basic")
    answer = http.post("/gradio_api/run/predict")
    assert "www-authenticate" not in answer.headers
    assert answer.json()["code"] == "not_signed_in" and answer.json()["message"]["zh"]


def test_who_is_sent_back_when_a_session_ended_is_told_so(http):
    assert "Your session has ended" in http.get("/login?ended").text
    assert "Your session has ended" not in http.get("/login").text


def test_the_form_speaks_the_browser_s_language(http):
    assert '<html lang="zh-CN">' in http.get("/login", headers={"accept-language": "zh-TW,en"}).text
    assert '<html lang="en">' in http.get("/login", headers={"accept-language": "en,zh"}).text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "x", "/a\r\nb: c"]
)
def test_the_form_leads_nowhere_else(http, target):
    assert sign_in(http, next=target).headers["location"] == "/"
    assert http.get("/login", params={"next": target}).headers["location"] == "/"


def test_what_was_typed_is_shown_as_text_and_the_password_not_at_all(http):
    answer = sign_in(http, name='"><script>', password="typed", next='/"><script>')
    assert answer.status_code == 401
    assert '"><script>' not in answer.text and "typed" not in answer.text
    assert "User name or password is wrong." in answer.text


def test_the_cookie_is_kept_from_scripts_and_other_sites(app):
    plain = TestClient(app, follow_redirects=False)
    cookie = sign_in(plain).headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and f"Max-Age={SESSION_S}" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie
    secure = TestClient(app, base_url="https://host", follow_redirects=False)
    assert "Secure" in sign_in(secure).headers["set-cookie"]


def test_a_session_ends_without_use_and_is_renewed_by_it(http, clock):
    sign_in(http)
    clock.now += SESSION_S / 2
    assert "set-cookie" not in http.get("/x").headers
    clock.now += 60
    assert http.get("/x").headers["set-cookie"].startswith(COOKIE)
    clock.now += SESSION_S - 60
    assert http.get("/x").status_code == 200
    clock.now += SESSION_S
    assert http.get("/x").status_code == 401


def test_signing_out_ends_the_session_for_whoever_copied_it(http):
    sign_in(http)
    copied = http.cookies[COOKIE]
    answer = http.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert COOKIE not in http.cookies
    assert http.get("/x", headers={"cookie": f"{COOKIE}={copied}"}).status_code == 401


def test_being_signed_in_is_not_enough_for_a_page_of_another_site(http):
    sign_in(http)
    for headers, status in (
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://testserver.evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://testserver"}, 403),
        ({"origin": "http://testserver"}, 200),
        ({"origin": "https://public.example", "x-forwarded-host": "public.example"}, 200),
        ({"origin": "https://public.example", "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({}, 200),
    ):
        assert http.post("/api/v1/jobs", headers=headers).status_code == status, headers
        assert http.get("/x", headers=headers).status_code == 200
    assert http.post("/logout", headers={"origin": "https://evil.example"}).status_code == 403
    assert http.post("/login", headers={"origin": "https://evil.example"}).status_code == 403


def test_answers_are_not_kept_by_caches_that_people_share(http):
    sign_in(http)
    assert http.get("/x").headers["cache-control"] == "private"


def basic(text):
    return {"authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def test_a_script_signs_in_with_each_request(http):
    for _ in range(2 * TRIES_PER_NAME):
        assert http.get("/api/v1/jobs", headers=basic("ann:s3cret")).text == "api/v1/jobs for ann"


@pytest.mark.parametrize("value", ["Basic", "Basic ***", "Basic /w==", "Bearer x", *[basic("ann:x")["authorization"]]])
def test_a_wrong_header_passes_nothing(http, value):
    assert http.get("/api/v1/jobs", headers={"authorization": value}).status_code == 401


def test_a_wrong_header_is_wrong_even_beside_a_session(http):
    sign_in(http)
    assert http.get("/x", headers=basic("ann:wrong")).status_code == 401
    assert http.get("/x", headers=basic("bob:s3cret") | HTML).status_code == 401


def test_guessing_is_slow_on_every_way_and_counted_together(http, clock, caplog):
    caplog.set_level(logging.DEBUG)
    for _ in range(TRIES_PER_NAME - 1):
        assert sign_in(http, "gu3ss").status_code == 401
    assert http.get("/api/v1/jobs", headers=basic("ann:gu3ss")).status_code == 401
    for answer in (sign_in(http), http.get("/api/v1/jobs", headers=basic("ann:s3cret"))):
        assert (answer.status_code, answer.headers["retry-after"]) == (429, str(int(WINDOW_S)))
        assert "60" in answer.text and COOKIE not in http.cookies
    clock.now += WINDOW_S
    assert sign_in(http).status_code == 303
    assert "gu3ss" not in caplog.text and "s3cret" not in caplog.text
    assert "somebody at testclient could not sign in" in caplog.text and "ann signed in" in caplog.text


def test_a_right_password_forgives_the_wrong_ones_before_it(http):
    passwords = [*["wrong"] * (TRIES_PER_NAME - 1), "s3cret", *["wrong"] * (TRIES_PER_NAME - 1)]
    assert {sign_in(http, password).status_code for password in passwords} == {401, 303}


def test_who_is_known_goes_on_while_somebody_guesses(http):
    sign_in(http)
    headers = basic("ann:s3cret")
    for _ in range(2 * TRIES_PER_NAME):
        http.get("/x", headers=basic("ann:wrong"))
    assert http.get("/x").status_code == 200
    assert http.get("/x", headers=headers).status_code == 200


def test_a_form_that_is_no_form_is_a_wrong_try(http):
    too_long = b"name=ann&password=s3cret&x=" + b"x" * 100_000
    for content in (b"", b"x" * 100_000, too_long, b"\xff=\xff"):
        assert http.post("/login", content=content).status_code in (401, 429)
