"""Forms that show again, when their page opens anew, what their browser had put in. Knows nothing of what that is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from gradio.components import Component

from heygem.ui.draft_store import known_id
from heygem.ui.events import Wiring
from heygem.ui.panel import Chosen
from heygem.ui.sign_in import USER


def bring_back(
    wiring: Wiring, page: gr.Blocks, storage_key: str, begin: Callable[..., Any], fields: Sequence[Component]
) -> None:
    """Have a page that opens show in `fields` what its browser remembers of them.

    Args:
        wiring: Of the page.
        page: What opens.
        storage_key: Where the browser remembers an id; no two forms have the same one.
        begin: Takes what the browser tab looks at and the id of a draft. Returns what it looks at from then on, and a
            value for each field.
        fields: The form.
    """

    def opened(chosen: Chosen, remembered: object, request: gr.Request) -> list[Any]:
        assert request.request is not None  # as it is of all that a page asks
        known = known_id(remembered)
        chosen, *values = begin(chosen, _of_user(request.request.scope.get(USER, ""), known))
        return [chosen, known, *values]

    # Not in a tab: there it would be read only when the tab is opened, and be overwritten by then. Both names
    # are given: otherwise gradio makes them up anew whenever the server starts.
    remembered = gr.BrowserState("", storage_key=storage_key, secret="heygem")
    kept = [wiring.chosen, remembered]
    # Of a file that not every browser plays gradio would make another, while the page waits. That would be no upload.
    wiring.on(partial(page.load, postprocess=False), opened, kept, [*kept, *fields])


def _of_user(user: str, remembered: str) -> str:
    """The id of a user's draft: whoever signs in with the same browser next has another."""
    return hashlib.sha256(f"{user}\0{remembered}".encode()).hexdigest()[: len(remembered)] if user else remembered


def as_uploaded(path: Path | None) -> Any:
    """An upload as a field has it after it was uploaded; the field stays as it is where there is none."""
    if path is None:
        return gr.skip()
    url = f"/gradio_api/file={quote(str(path))}"
    return gr.FileData(path=str(path), url=url, orig_name=path.name).model_dump()
