"""What the server refuses and adds around gradio. Knows nothing of jobs.

* Of gradio's own interface only what the page itself uses is open. The rest runs "private" events by name, proxies, and
  whatever the next version adds. Among the open ones, ``file=http...`` would fetch any public address for whoever asks.
* Every answer carries headers against sniffing, framing, and loading anything from elsewhere.
* Where nobody has to sign in, the server answers to names of this machine alone: a page of another site could have its
  own name lead here, and would then count as one of ours.
* What gradio reads into memory as a whole is bounded.
* What changes something is not taken from a page of another site: browsers send the cookies of whoever is signed in, or
  reach a server on this machine that asks for none.
* The remembered language and theme have to be known before gradio's own script runs, and ``head=`` comes too late: the
  page gets our script as the first thing in its head. It also says in Chinese what gradio says in English only, and
  that a clip cannot be shown. The tab that was open can only be told once gradio's config is there: that script is the
  last thing in the head.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heygem.errors import Text
from heygem.ui.api_errors import error_body
from heygem.ui.open_tab import OPEN_TAB_SCRIPT
from heygem.ui.text import UNSEEN_CLIP
from heygem.ui.theme import THEME_SCRIPT

_API = "/gradio_api/"
_OPEN = tuple(
    _API + name
    # The last is what a page asks that has lost its server, to see that there is a new one and load itself anew.
    for name in ("run/predict", "upload", "upload_progress", "file=", "heartbeat/", "startup-events", "reset", "app_id")
)
_EVENTS = _API + "run/"
_CLOSED = (_API + "file=http", _API + "file=/http", "/monitoring")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
}

_READS = ("GET", "HEAD", "OPTIONS")

_CROSS_SITE = Text("不接受其他网站的页面发来的请求。", "Requests from pages of other sites are not taken.")
_CROSS_SITE_HINT = Text(
    "如果前面有代理，请让它原样传递 Host，或发送 X-Forwarded-Host。",
    "A proxy before the server has to pass Host on as it is, or to send X-Forwarded-Host.",
)

_OTHER_NAME = Text(
    "没有登录保护时，只接受以本机名称或 IP 地址访问。",
    "Without a login, only the names and addresses of this machine are answered.",
)
_OTHER_NAME_HINT = Text(
    "请用 HEYGEM_AUTH 设置登录；如确需不登录，请设置 HEYGEM_ALLOW_PUBLIC=yes。",
    "Let users sign in, with HEYGEM_AUTH; or if you mean it, set HEYGEM_ALLOW_PUBLIC=yes.",
)
_TOO_MUCH = Text("请求内容过大。", "The request holds too much.")

_MOST_BYTES = 4 << 20
"""Of what the page's own events send; files come by another way, which writes them to the disk as they come."""

LANGUAGE_KEY = "heygem_language"
"""Where a browser remembers the language that was picked."""

_WORDS_JS = Path(__file__).with_name("gradio_words.js").read_text(encoding="utf-8")
_UNSEEN_JS = Path(__file__).with_name("unseen_clip.js").read_text(encoding="utf-8")

_HEAD_SCRIPT = f"""<script>{THEME_SCRIPT}
try {{
const language = localStorage.getItem("{LANGUAGE_KEY}");
if (language) {{
  Object.defineProperty(navigator, "language", {{get: () => language, configurable: true}});
  Object.defineProperty(navigator, "languages", {{get: () => [language], configurable: true}});
}} }} catch (refused) {{ /* without storage, the browser's own language it is */ }}
document.addEventListener("click", (event) => {{
  if (!event.target.closest("#language")) return;
  localStorage.setItem("{LANGUAGE_KEY}", document.documentElement.lang.startsWith("zh") ? "en" : "zh-CN");
  location.reload();
}});
for (const name of ["dragover", "drop"]) {{
  addEventListener(name, (event) => {{  // a file that misses its field would take the page's place
    if (event.defaultPrevented || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  }});
}}
const ask = window.fetch;
window.fetch = async (...what) => {{
  const answer = await ask(...what);
  if (answer.status === 401) location.assign("/login?ended");  // the session ended while the page was open
  return answer;
}};
{{ {_WORDS_JS}
const UNSEEN = {json.dumps(UNSEEN_CLIP)};
{_UNSEEN_JS} }}</script>""".encode()


class Guard:
    """ASGI middleware around the whole server.

    Args:
        app: What is guarded.
        is_ours: Whether the server is asked for by a name that it has, as in the header Host.
    """

    def __init__(self, app: ASGIApp, is_ours: Callable[[str], bool]) -> None:
        self._app = app
        self._is_ours = is_ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on and dress the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _with_headers(send)
        if not self._is_ours(Headers(scope=scope).get("host", "")):
            await JSONResponse(error_body("other_name", _OTHER_NAME, _OTHER_NAME_HINT), 421)(scope, receive, answer)
        elif scope["method"] not in _READS and _is_cross_site(Headers(scope=scope)):
            await JSONResponse(error_body("cross_site", _CROSS_SITE, _CROSS_SITE_HINT), 403)(scope, receive, answer)
        elif _is_closed(scope["path"].lower()):
            await JSONResponse({"detail": "closed"}, status_code=403)(scope, receive, answer)
        elif scope["path"] == "/" and scope["method"] == "GET":
            # Uncompressed, because it is edited on its way.
            headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            await self._app({**scope, "headers": headers}, receive, _with_script(answer))
        elif scope["path"].startswith(_EVENTS):
            await _bounded(self._app, scope, receive, answer)
        else:
            await self._app(scope, receive, answer)


async def _bounded(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a request on until it holds too much; then it counts as broken off."""
    taken, is_refused = 0, False

    async def counted() -> Message:
        nonlocal taken, is_refused
        message = await receive()
        taken += len(message.get("body", b""))
        is_refused = is_refused or taken > _MOST_BYTES
        return {"type": "http.disconnect"} if is_refused else message

    async def answered(message: Message) -> None:
        if not is_refused:  # what is answered to somebody who is gone
            await send(message)

    await app(scope, counted, answered)
    if is_refused:
        await JSONResponse(error_body("too_much", _TOO_MUCH), 413)(scope, receive, send)


def _is_closed(path: str) -> bool:
    return path.startswith(_CLOSED) or (path.startswith(_API) and not path.startswith(_OPEN))


def _is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that a page of another site sends this; what is no browser says nothing of sites."""
    # Over plain HTTP browsers leave it out; where it is, no proxy that renames hosts can confuse it.
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    # A page cannot add the second without asking us first, which is never granted.
    hosts = (headers.get("host"), headers.get("x-forwarded-host"))
    return origin is not None and origin.partition("://")[2] not in hosts


def _with_headers(send: Send) -> Send:
    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return dressed


def _with_script(send: Send) -> Send:
    """Holds an HTML page back until it is whole, and sends it with the scripts; anything else passes as it is."""
    held: Message | None = None
    body = bytearray()

    async def edited(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start" and _is_html(message):
            held = message
        elif held is None:
            await send(message)
        else:
            body.extend(message["body"])
            if not message.get("more_body", False):
                page = bytes(body).replace(b"</head>", OPEN_TAB_SCRIPT + b"</head>", 1)
                page = page.replace(b"<head>", b"<head>" + _HEAD_SCRIPT, 1)
                MutableHeaders(scope=held)["content-length"] = str(len(page))
                await send(held)
                await send({"type": "http.response.body", "body": page})

    return edited


def _is_html(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")
