"""The part of the page that shows models, missing weights and the disk, and warms up and unloads."""

from __future__ import annotations

import shutil

import gradio as gr

from heygem.settings import Settings
from heygem.ui.events import Wiring
from heygem.ui.models_view import MODELS_JS, ModelControls, Room, models_card, weights_card
from heygem.ui.panel import Panel, drawn_once
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
        # Apart, so that it stays unfolded while the numbers above it change.
        weights = gr.HTML(apply_default_css=False, elem_id="weights")
        self.panels = [
            Panel(
                self._models,
                drawn_once(lambda view: models_card(view.models, self._disk(), controls.vram())),
            ),
            Panel(weights, lambda view, chosen: weights_card(missing_weights(settings))),
        ]

    def connect(self, wiring: Wiring) -> None:
        """Make the buttons work."""

        def act(event: gr.EventData) -> None:
            if event.act == "warm-up":
                self._controls.warm_up()
            elif event.act == "unload":
                self._controls.unload()

        wiring.on(self._models.click, act, None, None)

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
