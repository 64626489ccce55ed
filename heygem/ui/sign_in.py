"""Asks everybody who they are, before anything else of the server is reached. Knows nothing of jobs or pages.

Browsers sign in on a page of their own and get a cookie; scripts send name and password with each request (HTTP Basic).
Whether the process lives may be asked by anybody; everything else, gradio's routes as well, is behind this.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
from math import ceil
from urllib.parse import parse_qs, quote

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heygem.errors import Text
from heygem.settings import Settings
from heygem.ui import text
from heygem.ui.api_errors import error_body
from heygem.ui.attempts import Attempts
from heygem.ui.guard import LANGUAGE_KEY
from heygem.ui.login_page import login_page
from heygem.ui.sessions import SESSION_S, Sessions, ended_sessions, session_key
from heygem.ui.users import Users

log = logging.getLogger(__name__)

COOKIE = "heygem_session"
USER = "heygem_user"
"""Key of a request's scope under which the name of its user is, if anybody has to sign in."""

_OPEN = ("/healthz", "/readyz")
_FOR_SCRIPTS = ("/api/", "/openapi.json", "/metrics")
"""Where a refusal asks for Basic. Elsewhere a browser would open a window of its own over the page."""
_MAX_FORM_BYTES = 16_384
_MAX_WORD = 1_000
"""Characters of a name or a password that are looked at."""


class SignIn:
    """ASGI middleware around everything but what refuses requests whoever sends them.

    Args:
        app: What is behind it.
        users: Who may pass.
        sessions: Knows browsers again.
        attempts: Bounds guessing.
    """

    def __init__(self, app: ASGIApp, users: Users, sessions: Sessions, attempts: Attempts) -> None:
        self._app = app
        self._users = users
        self._sessions = sessions
        self._attempts = attempts
        # A try costs 50 ms and 16 MB: strangers get two cores of it at the most.
        self._hashing: CapacityLimiter | None = None
        # Scripts send their password with each request: the last right one of each user is known at once.
        self._secret = secrets.token_bytes(32)
        self._known: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in _OPEN):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":  # there is none
            await send({"type": "websocket.close", "code": 1008})
        elif scope["path"] == "/login":
            await (await self._login(Request(scope, receive)))(scope, receive, send)
        elif scope["path"] == "/logout" and scope["method"] == "POST":
            await self._logout(HTTPConnection(scope))(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        session = request.cookies.get(COOKIE, "")
        given = _basic(request.headers)
        if given is None:
            name = self._sessions.user_of(session)
            renew = name is not None and self._sessions.is_ageing(session)
        else:
            wait_s, name = await self._try(request, *given)
            renew = False
            if wait_s:
                await _too_many(wait_s)(scope, receive, send)
                return
        if name is None:
            await _refusal(scope, request.headers, is_wrong=given is not None)(scope, receive, send)
            return
        cookie = self._cookie(scope, name) if renew else None
        await self._app({**scope, USER: name}, receive, _private(send, cookie))

    async def _login(self, request: Request) -> Response:
        form: dict[str, str] = {}
        if request.method == "POST":
            try:
                form = await _form(request)
            except ClientDisconnect:
                return Response(status_code=400)
        target = _local(form.get("next") or request.query_params.get("next", "/"))
        if request.method != "POST":
            if self._sessions.user_of(request.cookies.get(COOKIE, "")) is not None:
                return RedirectResponse(target, 303)
            return _page(request, target, has_ended="ended" in request.query_params)
        name = form.get("name", "")
        wait_s, user = await self._try(request, name, form.get("password", ""))
        if wait_s:
            return _page(request, target, name, wait_s)
        if user is None:
            return _page(request, target, name, 0)
        log.info("%s signed in", user)
        return RedirectResponse(target, 303, {"set-cookie": self._cookie(request.scope, user)})

    def _logout(self, request: HTTPConnection) -> Response:
        self._sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
        return answer

    async def _try(self, request: HTTPConnection, name: str, password: str) -> tuple[float, str | None]:
        """Seconds to wait before any password is looked at, or 0 and the user if the password is right."""
        name, password = name[:_MAX_WORD], password[: _MAX_WORD + 1]
        digest = hmac.new(self._secret, password.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        if hmac.compare_digest(self._known.get(name, b""), digest):
            return 0, name
        address = request.client.host if request.client else ""
        wait_s = self._attempts.begin(address, name)
        if wait_s:
            return wait_s, None
        if self._hashing is None:
            self._hashing = CapacityLimiter(2)
        is_right = await anyio.to_thread.run_sync(self._users.is_right, name, password, limiter=self._hashing)
        if not is_right:
            # Not the name: people type passwords into the wrong field.
            log.warning("somebody at %s could not sign in", address)
            return 0, None
        self._attempts.was_right(address, name)
        self._known[name] = digest
        return 0, name

    def _cookie(self, scope: Scope, name: str) -> str:
        answer = Response()
        answer.set_cookie(
            COOKIE,
            self._sessions.begin(name),
            max_age=SESSION_S,
            path="/",
            secure=scope["scheme"] == "https",
            httponly=True,
            samesite="lax",
        )
        return answer.headers["set-cookie"]


def require_sign_in(app: FastAPI, settings: Settings) -> None:
    """Put a `SignIn` around `app` if the settings name users.

    Raises:
        SettingsError: the settings are not as they should be, or the key of sessions can be neither read nor written.
    """
    users = Users.of(settings)
    if users is not None:
        sessions = Sessions(session_key(settings.outputs_dir), users, ended_sessions(settings.outputs_dir))
        app.add_middleware(SignIn, users=users, sessions=sessions, attempts=Attempts())


def _basic(headers: Headers) -> tuple[str, str] | None:
    """Name and password of the request; None where it brings none."""
    kind, _, encoded = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


async def _form(request: Request) -> dict[str, str]:
    """The fields that were sent; none of more than a form of ours could hold."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_FORM_BYTES:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {key: values[-1] for key, values in fields.items()}


def _local(target: str) -> str:
    """`target` if it is a path of this server: nobody is to be led elsewhere by a link to our page."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_path else "/"


def _page(
    request: Request, target: str, name: str = "", wait_s: float | None = None, *, has_ended: bool = False
) -> Response:
    """The form; with `wait_s`, after a try that was wrong (0) or came too soon; or after a session `has_ended`."""
    problem = text.SESSION_ENDED if has_ended else None
    if wait_s is not None:
        problem = _too_soon(wait_s) if wait_s else text.WRONG_PASSWORD
    is_chinese = request.headers.get("accept-language", "").lower().startswith("zh")
    page = login_page(target=target, is_chinese=is_chinese, language_key=LANGUAGE_KEY, name=name, problem=problem)
    headers = {"cache-control": "no-store"} | ({"retry-after": str(ceil(wait_s))} if wait_s else {})
    return HTMLResponse(page, 200 if wait_s is None else 429 if wait_s else 401, headers)


def _too_soon(wait_s: float) -> Text:
    seconds = ceil(wait_s)
    return Text(f"尝试次数过多，请 {seconds} 秒后再试。", f"Too many attempts; try again in {seconds} s.")


def _too_many(wait_s: float) -> Response:
    return JSONResponse(error_body("too_many_attempts", _too_soon(wait_s)), 429, {"retry-after": str(ceil(wait_s))})


def _refusal(scope: Scope, headers: Headers, *, is_wrong: bool) -> Response:
    path = scope["path"]
    if scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", "") and not is_wrong:
        query = scope["query_string"].decode("latin-1")
        target = quote(path) + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(target, safe='/')}" if target != "/" else "/login", 303)
    asks = {"www-authenticate": 'Basic realm="HeyGem", charset="UTF-8"'} if path.startswith(_FOR_SCRIPTS) else {}
    body = (
        error_body("wrong_password", text.WRONG_PASSWORD)
        if is_wrong
        else error_body("not_signed_in", text.SIGN_IN_FIRST)
    )
    return JSONResponse(body, 401, asks)


def _private(send: Send, cookie: str | None) -> Send:
    """Keeps answers out of caches that several people share, and renews a session."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("cache-control", "private")
            if cookie is not None:
                headers.append("set-cookie", cookie)
        await send(message)

    return marked
