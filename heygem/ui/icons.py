"""Signs on small buttons, drawn here so that they look alike on every machine. Buttons say in words what they do."""

from __future__ import annotations


def _sign(path: str) -> str:
    return f'<svg class="hg-sign" viewBox="0 0 20 20" aria-hidden="true"><path d="{path}"/></svg>'


CANCEL = _sign("M5 5l10 10M15 5L5 15")
RETRY = _sign("M15.5 7.5A6 6 0 1 0 16 11M16 4v4h-4")
TO_FRONT = _sign("M5 3.5h10M10 17V7M6 11l4-4 4 4")
PLAY = _sign("M7 4.5l8 5.5-8 5.5z")
DOWNLOAD = _sign("M10 3v9M6 8.5l4 4 4-4M4 16.5h12")
DELETE = _sign("M4 6h12M8 6V4h4v2M6 6l.7 10.5h6.6L14 6")
WAITING = _sign("M10 5.5V10l3 2M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14z")
RUNNING = _sign("M3 8.5v3M6.5 6v8M10 3.5v13M13.5 7v6M17 8.5v3")
FAILED = _sign("M10 6v5M10 13.6v.3M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14z")
UP = _sign("M10 16V4M5 9l5-5 5 5")
DOWN = _sign("M10 4v12M5 11l5 5 5-5")
OPTIONS = _sign("M3 6h6M13 6h4M3 14h2M9 14h8M11 4v4M7 12v4")
DRAWER = _sign("M4 5h12M4 10h12M4 15h12")
