"""The choices for a job as form fields, shared by both tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

import gradio as gr

from heygem.errors import OptionError
from heygem.pipeline.options import EnhancerChoice, LabelPosition, LipsChoice, RenderOptions
from heygem.ui.labels import label
from heygem.ui.option_words import said_on_page
from heygem.weights.speakers import is_speaker_name

_DEFAULTS = RenderOptions()


class OptionsForm(NamedTuple):
    """The fields, in the order in which `to_options` takes their values."""

    lips: gr.Radio
    enhancer: gr.Radio
    strength: gr.Slider
    mask: gr.Radio
    face: gr.Dropdown
    extend: gr.Radio
    smooth: gr.Radio
    pad_top: gr.Number
    pad_bottom: gr.Number
    pad_left: gr.Number
    pad_right: gr.Number
    sync: gr.Slider
    crf: gr.Slider
    label_position: gr.Radio
    label_duration: gr.Number


def build_options_form(speakers: Callable[[], Sequence[str]]) -> tuple[gr.Accordion, OptionsForm]:
    """Lay the fields out, folded away.

    Args:
        speakers: Names the user's own speakers, to choose from beside the engines. Asked again whenever the form is
            unfolded: a training may have ended meanwhile.

    Returns:
        What they are folded away in, and the fields.
    """
    with gr.Accordion(label("options"), open=False) as fold:
        lips = gr.Radio(
            _lips(speakers()),
            value=_DEFAULTS.lips,
            label=label("lips"),
            info=label("lips_info"),
        )
        enhancer = _radio("enhancer", get_args(EnhancerChoice), _DEFAULTS.enhancer)
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
        with gr.Row(elem_classes="hg-pads"):
            top, bottom, left, right = (
                gr.Number(pad, label=label(f"pad_{side}"), precision=0, min_width=90)
                for side, pad in zip(("top", "bottom", "left", "right"), _DEFAULTS.pads, strict=True)
            )
        sync = _slider("sync", -500, 500, _DEFAULTS.sync_offset_ms, 10)
        crf = _slider("crf", 10, 32, _DEFAULTS.crf, 1)
        corner = _radio("label_position", get_args(LabelPosition), _DEFAULTS.label_position)
        # Gradio draws None, the whole video, as 0, and that is what it means.
        seconds = gr.Number(
            _DEFAULTS.label_duration_s, label=label("label_duration"), info=label("label_duration_info"), minimum=0
        )
    fold.expand(
        lambda value: offered_lips(value, speakers()),
        lips,
        lips,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return fold, OptionsForm(
        lips, enhancer, strength, mask, face, extend, smooth, top, bottom, left, right, sync, crf, corner, seconds
    )


def lips_field(value: str, speakers: Sequence[str]) -> gr.Radio:
    """What to set the field of the lips to, so that it offers `speakers` and says `value`, if that is there.

    Args:
        value: What it says; weights that a script chose by their path stay.
        speakers: Names of the user's own speakers.
    """
    kept = _DEFAULTS.lips if _is_gone(value, speakers) else value
    return gr.Radio(choices=_with(_lips(speakers), kept), value=kept)


def offered_lips(value: str, speakers: Sequence[str]) -> gr.Radio:
    """As `lips_field`, for a field that said `value` when it was asked: by now it may say another, which then stays."""
    if _is_gone(value, speakers):
        return lips_field(value, speakers)
    return gr.Radio(choices=_with(_lips(speakers), value))


def to_options(*values: Any) -> RenderOptions:
    """The options that the values of the fields stand for.

    Raises:
        OptionError: one is out of range; it is called as its field is.
    """
    try:
        return _options(*values)
    except OptionError as error:
        raise OptionError(said_on_page(error), hint=error.hint, code=error.code) from error


def _options(*values: Any) -> RenderOptions:
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


def from_options(options: RenderOptions, speakers: Sequence[str]) -> list[Any]:
    """What to set the fields to, so that they stand for `options`; those that have no field are left out.

    Args:
        options: Of a job.
        speakers: Names of the user's own speakers.
    """
    return [
        gr.Radio(choices=_with(_lips(speakers), options.lips), value=options.lips),
        gr.Radio(choices=_with(_choices(get_args(EnhancerChoice)), options.enhancer), value=options.enhancer),
        options.enhancer_strength,
        options.mask,
        options.face,
        options.extend,
        options.smooth,
        *options.pads,
        options.sync_offset_ms,
        options.crf,
        options.label_position,
        options.label_duration_s,
    ]


def _lips(speakers: Sequence[str]) -> list[tuple[str, str | int | float]]:
    return [*_choices(get_args(LipsChoice)), *((name, name) for name in speakers)]


def _is_gone(value: str, speakers: Sequence[str]) -> bool:
    return is_speaker_name(value) and value not in [known for _, known in _lips(speakers)]


def _with(choices: list[tuple[str, str | int | float]], value: str) -> list[tuple[str, str | int | float]]:
    """`choices`, and `value` if it is none of them: weights that a script chose by their path."""
    return choices if value in [known for _, known in choices] else [*choices, (value, value)]


def _choices(names: Sequence[str]) -> list[tuple[str, str | int | float]]:
    return [(label(name), name) for name in names]


def _radio(key: str, names: Sequence[str], value: str) -> gr.Radio:
    return gr.Radio(_choices(names), value=value, label=label(key), info=label(f"{key}_info"))


def _slider(key: str, low: float, high: float, value: float, step: float) -> gr.Slider:
    return gr.Slider(low, high, value, step=step, label=label(key), info=label(f"{key}_info"))
