"""The page on which one signs in. Made here and not by gradio, whose parts are behind it."""

from __future__ import annotations

from heygem.errors import Text
from heygem.ui import text
from heygem.ui.html_parts import bilingual, escape

_STYLE = """
:root { --back: #f4f6fb; --card: #fff; --line: #e3e7f0; --ink: #1b2130;
  --quiet: #5d667a; --bad: #b42318; --bad-back: #fdecea; }
@media (prefers-color-scheme: dark) { :root { --back: #0c1018; --card: #141a26; --line: #252d3d; --ink: #e7eaf3;
  --quiet: #98a2b8; --bad: #ff8f83; --bad-back: #3b1714; } }
html:not([lang^="zh"]) .zh, html[lang^="zh"] .en { display: none; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--back); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei',
  'Noto Sans CJK SC', sans-serif; }
main { width: min(360px, calc(100vw - 32px)); background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; padding: 26px; }
header { display: flex; align-items: center; gap: 12px; margin-bottom: 18px; }
svg { width: 38px; height: 38px; fill: none; stroke: #fff; stroke-width: 2.2; stroke-linecap: round; }
rect { fill: #4f46e5; stroke: none; }
h1 { font-size: 19px; line-height: 1.2; margin: 0; }
p { margin: 0; color: var(--quiet); font-size: 12px; }
label { display: block; font-weight: 600; margin-top: 12px; }
input { display: block; width: 100%; margin-top: 4px; padding: 9px 11px; font: inherit; color: inherit;
  background: var(--back); border: 1px solid var(--line); border-radius: 10px; }
button { width: 100%; margin-top: 18px; padding: 10px; border: 0; border-radius: 10px; background: #4f46e5; color: #fff;
  font: inherit; font-weight: 600; cursor: pointer; }
button:hover { background: #4338ca; }
:is(input, button):focus-visible { outline: 2px solid #6d62f5; outline-offset: 2px; }
[role="alert"] { background: var(--bad-back); color: var(--bad); border-radius: 10px; padding: 9px 12px; }
"""


def login_page(*, target: str, is_chinese: bool, language_key: str, name: str = "", problem: Text | None = None) -> str:
    """The page as HTML.

    Args:
        target: Where to go then, a path of this server.
        is_chinese: Which language is shown where the browser remembers none.
        language_key: Where it would remember it.
        name: What was typed before.
        problem: Why the try before failed.
    """
    alert = f'<div role="alert">{bilingual(problem)}</div>' if problem else ""
    focus_name, focus_password = ("", "autofocus") if name else ("autofocus", "")
    return f"""<!doctype html>
<html lang="{"zh-CN" if is_chinese else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HeyGem</title><style>{_STYLE}</style>
<script>try {{
const language = localStorage.getItem("{language_key}");
if (language) document.documentElement.lang = language;
}} catch (refused) {{ /* without storage, the browser's own language it is */ }}</script></head>
<body><main>
<header><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="9"/>
<path d="M8 13v6M12 9.5v13M16 12v8M20 8.5v15M24 13.5v5"/></svg>
<div><h1>HeyGem</h1><p>{bilingual(text.TAGLINE)}</p></div></header>
{alert}
<form method="post" action="/login">
<input type="hidden" name="next" value="{escape(target)}">
<label for="name">{bilingual(text.USER_NAME)}</label>
<input id="name" name="name" value="{escape(name)}" autocomplete="username" maxlength="200" required {focus_name}>
<label for="password">{bilingual(text.PASSWORD)}</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" required
 {focus_password}>
<button type="submit">{bilingual(text.SIGN_IN)}</button>
</form></main></body></html>
"""


def sign_out_form() -> str:
    """A button for the head of the page."""
    button = f'<button type="submit" class="hg-pill" id="sign-out">{bilingual(text.SIGN_OUT)}</button>'
    return f'<form method="post" action="/logout">{button}</form>'
