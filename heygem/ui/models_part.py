"""The part of the page that shows models, missing weights and the disk; it warms up, unloads and fetches."""

from __future__ import annotations

import shutil

import gradio as gr

from heygem.settings import Settings
from heygem.ui.events import ROW_BUTTONS_JS, Wiring
from heygem.ui.models_view import MODELS_JS, ModelControls, Room, models_card
from heygem.ui.panel import Panel, drawn_once
from heygem.ui.weights_view import UNFOLDED_JS, weights_card
from heygem.weights.locate import path_of
from heygem.weights.manifest import CHECKPOINTS, Checkpoint


class ModelsPart:
    """Lays itself out inside an open gr.Blocks.

    Args:
        settings: Where models and results lie.
        controls: What can be done with the models.
    """

    def __init__(self, settings: Settings, controls: ModelControls) -> None:
        self._settings = settings
        self._controls = controls
        self._models = gr.HTML(apply_default_css=False, js_on_load=MODELS_JS, elem_id="models")
        self._weights = gr.HTML(apply_default_css=False, js_on_load=ROW_BUTTONS_JS + UNFOLDED_JS, elem_id="weights")
        self.panels = [
            Panel(
                self._models,
                drawn_once(lambda view: models_card(view.models, self._disk(), controls.vram(), controls.actors())),
            ),
            Panel(self._weights, lambda view, chosen: self._draw_weights()),
        ]

    def connect(self, wiring: Wiring) -> None:
        """Make the buttons work."""

        def act(event: gr.EventData) -> None:
            if event.act == "warm-up":
                self._controls.warm_up()
            elif event.act == "unload":
                self._controls.unload()

        def fetch(event: gr.EventData) -> None:
            downloads, name = self._controls.downloads, str(event.job)
            if event.act == "download":
                downloads.begin([name])
            elif event.act == "download-all":
                downloads.begin(one.name for one in missing_weights(self._settings))
            elif event.act == "cancel":
                downloads.cancel(name)

        wiring.on_press(self._models, act, None, None)
        wiring.on_press(self._weights, fetch, None, None)

    def _draw_weights(self) -> str:
        # The downloads first: one that ends in between is shown neither as missing nor as begun anew.
        downloads = self._controls.downloads.downloads()
        return weights_card(missing_weights(self._settings), downloads)

    def _disk(self) -> Room | None:
        try:
            usage = shutil.disk_usage(self._settings.outputs_dir)
        except OSError:
            return None  # the queue's card says what is wrong with it
        return Room(usage.total - usage.free, usage.total)


def missing_weights(settings: Settings) -> list[Checkpoint]:
    """The official checkpoints that can be fetched and are not there, nor anything that serves as well."""
    own = {"wav2lip": settings.wav2lip_file, "gfpgan": settings.gfpgan_file}

    def is_there(name: str) -> bool:
        return own.get(name) is not None or path_of(CHECKPOINTS[name], settings.models_dir).exists()

    return [
        one
        for one in CHECKPOINTS.values()
        if one.urls and not any(is_there(name) for name in (one.name, *one.stand_ins))
    ]
