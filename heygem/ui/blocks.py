"""The page, and the server around it. Shows the queue; runs nothing itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from heygem.jobs.run_log import LogLine
from heygem.jobs.task_queue import TaskQueue
from heygem.settings import Settings
from heygem.ui import text
from heygem.ui.api import Api
from heygem.ui.api_errors import bear_broken_requests
from heygem.ui.batch_tab import BatchTab
from heygem.ui.bind_rule import rule_of_names
from heygem.ui.clip_faces import serve_clip_faces
from heygem.ui.clip_list import ClipList
from heygem.ui.events import ROW_BUTTONS_JS, Wiring
from heygem.ui.guard import Guard
from heygem.ui.health import Health
from heygem.ui.history_tab import HistoryTab
from heygem.ui.html_parts import bilingual, both, confirm_dialog
from heygem.ui.job_view import state_pill
from heygem.ui.labels import I18N, label
from heygem.ui.log_download import serve_log
from heygem.ui.log_view import FILTER_JS, FOLLOW_JS, log_head, log_tail
from heygem.ui.login_page import sign_out_form
from heygem.ui.models_part import ModelsPart
from heygem.ui.models_view import ModelControls, ModelRow
from heygem.ui.open_tab import remember_when_open
from heygem.ui.panel import Panel, SharedLook, View, drawn_once
from heygem.ui.polled_page import PolledPage
from heygem.ui.preflight_desk import PreflightDesk
from heygem.ui.queue_view import queue_card
from heygem.ui.rail_drawer import DRAWER_JS, rail_button, rail_head
from heygem.ui.results import serve_results
from heygem.ui.sign_in import require_sign_in
from heygem.ui.single_tab import SingleTab
from heygem.ui.speakers_part import SpeakersPart
from heygem.ui.theme import CSS_FILE, page_theme
from heygem.ui.uploads import Uploads

_SESSIONS = 500
"""Pages whose state gradio remembers, 0.2 MB each, open or not; those that are open are always the last that asked."""


def _header(*, has_users: bool) -> str:
    return f"""<header class="hg-top"><div class="hg-brand" translate="no"><svg viewBox="0 0 32 32" aria-hidden="true">
<rect width="32" height="32" rx="9"/><path d="M8 13v6M12 9.5v13M16 12v8M20 8.5v15M24 13.5v5"/></svg>
<div><h1>HeyGem</h1><span class="hg-meta">{bilingual(text.TAGLINE)}</span></div></div>
<div class="hg-row">
<button type="button" class="hg-pill" id="language" aria-label="{both(text.SWITCH_LANGUAGE)}">中 / EN</button>
<button type="button" class="hg-pill" id="theme" aria-label="{both(text.SWITCH_THEME)}">
<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.5"/><path d="M8 1.5a6.5 6.5 0 0 1 0 13z"/></svg>
</button>{sign_out_form() if has_users else ""}</div>
</header>"""


def build_app(
    settings: Settings,
    queue: TaskQueue,
    models_status: Callable[[], Sequence[ModelRow]],
    log_lines: Callable[[], Sequence[LogLine]],
    health: Health,
    desk: PreflightDesk,
    controls: ModelControls,
) -> FastAPI:
    """The server: the page at /, results at /results, and what supervisors ask.

    Args:
        settings: Where uploads are kept until their job has them: ``cache_dir / "uploads"``.
        queue: Where the page submits, and what it shows.
        models_status: The models now; called about once a second while a page is open.
        log_lines: The last lines of the run log, oldest first; likewise.
        health: Answers supervisors.
        desk: Looks at uploads before their jobs.
        controls: What the page may do with the models.
    """
    uploads_dir = settings.cache_dir.resolve() / "uploads"
    uploads_dir.mkdir(parents=True, exist_ok=True)
    # Gradio asks the environment for it when components are built. On the outputs' disk, inputs are linked, not copied.
    os.environ["GRADIO_TEMP_DIR"] = str(uploads_dir)
    uploads = Uploads(uploads_dir, settings)

    def look() -> View:
        return View(queue.jobs(), log_lines(), models_status(), time.time(), queue.pause_reason)

    # The janitor sweeps uploads. Gradio's `delete_cache` would take them from drafts whenever the server stops.
    with PolledPage(title="HeyGem", analytics_enabled=False, fill_width=True) as page:
        wiring = Wiring(queue, SharedLook(look, queue.store.mark))
        with gr.Row(elem_id="top-row"):
            header = _header(has_users=bool(settings.auth or settings.auth_file)) + confirm_dialog()
            gr.HTML(header, apply_default_css=False, elem_id="header")
            state = gr.HTML(apply_default_css=False, elem_id="state")
            rail_html = gr.HTML(rail_button([]), apply_default_css=False, js_on_load=DRAWER_JS, elem_id="rail-button")
        with gr.Row(equal_height=False, elem_id="columns"):
            with gr.Column(scale=8, min_width=320), gr.Tabs(elem_id="tabs") as tabs:
                with gr.Tab(label("single"), id="single") as single_tab:
                    single = SingleTab(queue, uploads, desk)
                with gr.Tab(label("batch"), id="batch") as batch_tab:
                    batch = BatchTab(queue, uploads, desk)
                with gr.Tab(label("history"), id="history") as history_tab:
                    history = HistoryTab(queue)
            with gr.Column(scale=4, min_width=320, elem_id="rail"):
                gr.HTML(rail_head(), apply_default_css=False, elem_id="rail-head")
                queue_html = gr.HTML(apply_default_css=False, js_on_load=ROW_BUTTONS_JS, elem_id="queue")
                with gr.Column(elem_id="log-card"):
                    gr.HTML(log_head(), apply_default_css=False, js_on_load=FILTER_JS, elem_id="log-head")
                    log_html = gr.HTML(apply_default_css=False, js_on_load=FOLLOW_JS, elem_id="log")
                models = ModelsPart(settings, controls)
                speakers = SpeakersPart(queue, uploads)
        rail = [
            Panel(state, drawn_once(lambda view: state_pill(view.jobs))),
            Panel(rail_html, drawn_once(lambda view: rail_button(view.jobs))),
            Panel(
                queue_html,
                lambda view, chosen: queue_card(view.jobs, view.now_s, view.pause_reason, chosen.refusal),
            ),
            Panel(log_html, drawn_once(lambda view: log_tail(view.log))),
            *models.panels,
            *speakers.panels,
        ]
        wiring.poll(page, [*single.panels, *batch.panels, *history.panels, *rail])
        for tab in (single_tab, batch_tab, history_tab):
            remember_when_open(tab)
        single.connect(wiring, page)
        batch.connect(wiring, page)
        history.connect(wiring)
        models.connect(wiring)
        speakers.connect(wiring, tabs, single.fold, single.lips, batch.lips)
        wiring.on_row_buttons(queue_html)
    page.queue(api_open=False)
    # Gradio looks for queued events a thousand times a second, which takes 5 % of a core; none of ours is queued.
    page._queue.sleep_when_free = page._queue.progress_update_sleep_when_free = 1.0
    return _mount(page, queue, health, settings, uploads_dir, batch.clips)


def _mount(
    page: gr.Blocks, queue: TaskQueue, health: Health, settings: Settings, uploads_dir: Path, clips: ClipList
) -> FastAPI:
    app = FastAPI(title="HeyGem", docs_url=None, redoc_url=None, openapi_url=None)

    health.serve(app)
    serve_results(app, queue)
    serve_clip_faces(app, clips)
    serve_log(app, settings.log_file)
    Api(queue, settings, uploads_dir).serve(app)
    # Gradio 6.31 sets this in launch() only, and while it is unset takes any file on the server as an "upload".
    page.has_launched = True
    page.state_session_capacity = _SESSIONS
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=f"{settings.max_upload_mb}mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        i18n=I18N,
        mcp_server=False,
        theme=page_theme(),
        css_paths=[CSS_FILE],
    )
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):  # gradio's, which would log a page of stack
            bear_broken_requests(route.app)
    require_sign_in(app, settings)
    app.add_middleware(Guard, is_ours=rule_of_names(settings))
    return app
