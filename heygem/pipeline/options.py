"""The choices a user makes for one job; process-wide ones are in `settings`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from heygem.errors import OptionError, Text
from heygem.faces import MaskShape, Smoothing
from heygem.media import Codec, Extend
from heygem.speech import Tail

LipsChoice = Literal["auto", "wav2lip", "demo"]
"""What `RenderOptions.lips` may be that is neither a speaker nor a path."""
EnhancerChoice = Literal["auto", "gfpgan", "none"]
"""What `RenderOptions.enhancer` may be that is no path."""
DetectorChoice = Literal["auto", "accurate", "fast", "haar"]
LabelPosition = Literal["top-right", "top-left", "bottom-right", "bottom-left"]

PREVIEW_S = 5
"""Seconds of a result that a preview of it has."""

SHORTEST_LABEL_S = 4
"""Seconds for which a result has to be seen to be labelled, at the least: twice what GB 45438-2025 asks for."""

_FACE_NUMBER = re.compile(r"\d{1,6}")
_RATE = re.compile(r"\d{1,9}(\.\d{1,9})?(/\d{1,9})?")


def frame_rate(text: str) -> Fraction:
    """What a user wrote as frames per second, as in 25, 29.97 or 30000/1001.

    Raises:
        ValueError, ZeroDivisionError: it is none. What it stands for is not reckoned then: ``1e99999999`` takes hours.
    """
    if not _RATE.fullmatch(text.strip()):
        raise ValueError(text)
    whole, _, parts = text.strip().partition("/")
    return Fraction(whole) / Fraction(parts or 1)


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What one job is to be like. Every field is an option of ``heygem generate``."""

    lips: str = "auto"
    """auto, the name of a lip engine or of a speaker, or a path to Wav2Lip weights of one's own."""
    enhancer: str = "auto"
    """auto, gfpgan, none, or a path to GFPGAN weights of one's own."""
    enhancer_strength: float = 0.8
    """Share of the enhanced face in the picture: 0 leaves it as it is, 1 is the full effect."""
    detector: DetectorChoice = "auto"
    """accurate (RetinaFace resnet50), fast (RetinaFace mobile0.25), haar (needs no weights); auto: best one present."""
    face: str = "largest"
    """Whose mouth: largest, first, leftmost, or a number counted from 0 in order of appearance, then left to right."""
    pads: tuple[int, int, int, int] = (0, 10, 0, 0)
    """Pixels added to the face box at the top, bottom, left and right."""
    smooth: Smoothing = "steady"
    """How boxes are smoothed over time: steady (Gaussian, never across cuts), wav2lip (its mean of 5), none."""
    mask: MaskShape = "lower-face"
    """What is replaced: the mouth, the lower face (both with soft edges), or the whole box with hard edges."""
    extend: Extend = "pingpong"
    """What follows when the speech outlasts the clip: pingpong (backwards and forwards), loop, freeze."""
    tail: Tail = "silence"
    """What the last 0.2 s hear: silence after the end, or the last full window once more, as Wav2Lip does."""
    sync_offset_ms: float = 0.0
    """Positive values make lips follow the sound later."""
    fps: Fraction | None = None
    """Frame rate of the result; None keeps the clip's."""
    crf: int = 18
    """Quality of the encoding, 0 (best) to 51."""
    codec: Codec = "h264"
    """How the picture is encoded."""
    label_position: LabelPosition = "top-right"
    """Corner of the visible label that says that the result was generated."""
    label_duration_s: float | None = None
    """Seconds from the start for which the label is shown; None is the whole video."""

    def __post_init__(self) -> None:
        _within("enhancer-strength", self.enhancer_strength, 0, 1)
        _within("crf", self.crf, 0, 51)
        _within("sync-offset-ms", self.sync_offset_ms, -2000, 2000)
        if self.fps is not None:
            # Within what a float holds: a fraction may be anything.
            _within("fps", float(max(Fraction(-1), min(self.fps, Fraction(10**9)))), 1, 120)
        if self.label_duration_s is not None:
            _within("label-duration-s", self.label_duration_s, SHORTEST_LABEL_S, 86_400)
        for pad in self.pads:
            _within("pads", pad, -4096, 4096)
        _one_of("mask", self.mask, get_args(MaskShape))
        _one_of("extend", self.extend, get_args(Extend))
        _one_of("smooth", self.smooth, get_args(Smoothing))
        _one_of("tail", self.tail, get_args(Tail))
        _one_of("codec", self.codec, get_args(Codec))
        _one_of("label-position", self.label_position, get_args(LabelPosition))
        _one_of("detector", self.detector, get_args(DetectorChoice))
        if self.face not in ("largest", "first", "leftmost") and not _FACE_NUMBER.fullmatch(self.face):
            raise OptionError(
                Text(f"face 的值 {self.face!r} 无效。", f"face has the value {self.face!r}."),
                hint=Text("可用：largest、first、leftmost 或序号。", "Use largest, first, leftmost or a number."),
                option="face",
            )


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise OptionError(
            Text(
                f"{name} 必须在 {low} 到 {high} 之间，当前为 {value}。", f"{name} must be {low} to {high}, got {value}."
            ),
            option=name,
        )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        names = ", ".join(allowed)
        raise OptionError(
            Text(f"{name} 的值 {value!r} 无效。", f"{name} has the value {value!r}."),
            hint=Text(f"可用：{names}。", f"Use one of: {names}."),
            option=name,
        )
