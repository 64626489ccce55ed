"""The choices for a job as form fields, shared by both tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import gradio as gr
from gradio.components import Component

from heygem.pipeline.options import LabelPosition, RenderOptions
from heygem.ui.labels import label

_DEFAULTS = RenderOptions()


def build_options_form(speakers: Sequence[str]) -> list[Component]:
    """Lay the fields out, folded away; `to_options` takes their values in the same order.

    Args:
        speakers: Of the user's own, to choose from beside the engines. Known when the page is built.
    """
    with gr.Accordion(label("options"), open=False):
        lips = gr.Radio(
            [*_choices(["auto", "wav2lip", "demo"]), *((name, name) for name in speakers)],
            value=_DEFAULTS.lips,
            label=label("lips"),
            info=label("lips_info"),
        )
        enhancer = _radio("enhancer", ["auto", "gfpgan", "none"], _DEFAULTS.enhancer)
        strength = _slider("strength", 0, 1, _DEFAULTS.enhancer_strength, 0.05)
        mask = _radio("mask", ["lower-face", "mouth", "box"], _DEFAULTS.mask)
        face = gr.Dropdown(
            _choices(["largest", "first", "leftmost"]),
            value=_DEFAULTS.face,
            allow_custom_value=True,
            label=label("face"),
            info=label("face_info"),
        )
        extend = _radio("extend", ["pingpong", "loop", "freeze"], _DEFAULTS.extend)
        smooth = gr.Radio(
            [(label("steady"), "steady"), (label("wav2lip_mean"), "wav2lip"), (label("none"), "none")],
            value=_DEFAULTS.smooth,
            label=label("smooth"),
            info=label("smooth_info"),
        )
        with gr.Row():
            pads = [
                gr.Number(pad, label=label(f"pad_{side}"), precision=0, min_width=90)
                for side, pad in zip(("top", "bottom", "left", "right"), _DEFAULTS.pads, strict=True)
            ]
        sync = _slider("sync", -500, 500, _DEFAULTS.sync_offset_ms, 10)
        crf = _slider("crf", 10, 32, _DEFAULTS.crf, 1)
        corner = _radio("label_position", list(get_args(LabelPosition)), _DEFAULTS.label_position)
        # An empty field is the whole video, as None is.
        seconds = gr.Number(
            _DEFAULTS.label_duration_s, label=label("label_duration"), info=label("label_duration_info"), minimum=0
        )
    return [lips, enhancer, strength, mask, face, extend, smooth, *pads, sync, crf, corner, seconds]


def to_options(*values: Any) -> RenderOptions:
    """The options that the values of the fields stand for.

    Raises:
        OptionError: one is out of range.
    """
    lips, enhancer, strength, mask, face, extend, smooth, *pads, sync, crf, corner, seconds = values
    top, bottom, left, right = (int(pad or 0) for pad in pads)
    return RenderOptions(
        lips=lips,
        enhancer=enhancer,
        enhancer_strength=float(strength),
        mask=mask,
        face=str(face),
        extend=extend,
        smooth=smooth,
        pads=(top, bottom, left, right),
        sync_offset_ms=float(sync),
        crf=int(crf),
        label_position=corner,
        label_duration_s=float(seconds) if seconds else None,
    )


def _choices(names: list[str]) -> list[tuple[str, str | int | float]]:
    return [(label(name), name) for name in names]


def _radio(key: str, names: list[str], value: str) -> gr.Radio:
    return gr.Radio(_choices(names), value=value, label=label(key), info=label(f"{key}_info"))


def _slider(key: str, low: float, high: float, value: float, step: float) -> gr.Slider:
    return gr.Slider(low, high, value, step=step, label=label(key), info=label(f"{key}_info"))
