"""``python -m heygem generate``: one recording, any number of clips, one video per clip."""

from __future__ import annotations

import argparse
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from heygem.cli.production import Order, add_production_options, produce_all
from heygem.faces import MaskShape, Smoothing
from heygem.jobs.job import JobKind, JobRequest
from heygem.media import Codec, Extend
from heygem.pipeline.options import (
    PREVIEW_S,
    SHORTEST_LABEL_S,
    DetectorChoice,
    LabelPosition,
    RenderOptions,
    frame_rate,
)
from heygem.settings import Settings
from heygem.speech import Tail

_DEFAULTS = RenderOptions()


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "generate",
        help="make videos",
        description="Write one video per clip in which the person speaks the speech.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--audio", required=True, type=Path, metavar="SPEECH", help="a recording, or a video with sound"
    )
    parser.add_argument("--video", required=True, type=Path, nargs="+", metavar="CLIP", help="clips of a person")
    parser.add_argument("--preview", action="store_true", help=f"make only the hardest {PREVIEW_S} seconds of each")
    option = parser.add_argument_group("what is drawn").add_argument
    option("--lips", default=_DEFAULTS.lips, help="auto, wav2lip, demo, a speaker of your own, or a Wav2Lip file")
    option(
        "--enhancer", default=_DEFAULTS.enhancer, help="auto (gfpgan if its weights are there), gfpgan, none, or a file"
    )
    option(
        "--enhancer-strength", type=float, default=_DEFAULTS.enhancer_strength, help="0 (as drawn) to 1 (all restored)"
    )
    option(
        "--mask",
        choices=get_args(MaskShape),
        default=_DEFAULTS.mask,
        help="what is replaced: mouth or lower face with soft edges, or the whole box with hard ones",
    )
    option("--face", default=_DEFAULTS.face, help="whose mouth: largest, first, leftmost, or a number from 0")
    option(
        "--pads",
        type=int,
        nargs=4,
        default=_DEFAULTS.pads,
        metavar=("T", "B", "L", "R"),
        help="pixels added to the face box",
    )
    option(
        "--smooth",
        choices=get_args(Smoothing),
        default=_DEFAULTS.smooth,
        help="smoothing of the face box over time: steady (never across cuts), wav2lip (its mean of 5), none",
    )
    option(
        "--detector",
        choices=get_args(DetectorChoice),
        default=_DEFAULTS.detector,
        help="accurate (RetinaFace resnet50), fast (mobile0.25), haar (no weights), auto: the best that is there",
    )
    option = parser.add_argument_group("time").add_argument
    option(
        "--extend",
        choices=get_args(Extend),
        default=_DEFAULTS.extend,
        help="what follows when the speech outlasts the clip",
    )
    option(
        "--tail",
        choices=get_args(Tail),
        default=_DEFAULTS.tail,
        help="what the last 0.2 s hear: silence, or as Wav2Lip",
    )
    option(
        "--sync-offset-ms", type=float, default=_DEFAULTS.sync_offset_ms, help="above 0: lips follow the sound later"
    )
    option("--fps", type=_fraction, default=_DEFAULTS.fps, help="frame rate, as 25 or 30000/1001; None: the clip's")
    option = parser.add_argument_group("encoding").add_argument
    option("--crf", type=int, default=_DEFAULTS.crf, help="quality, 0 (best) to 51")
    option("--codec", choices=get_args(Codec), default=_DEFAULTS.codec, help="how the picture is encoded")
    option = parser.add_argument_group("label").add_argument
    option(
        "--label-position",
        choices=get_args(LabelPosition),
        default=_DEFAULTS.label_position,
        help="corner of the label that says that the video was generated",
    )
    option(
        "--label-duration-s",
        type=float,
        default=_DEFAULTS.label_duration_s,
        help=f"seconds from the start for which it is shown, at least {SHORTEST_LABEL_S}; None: the whole video",
    )
    add_production_options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Make one video per clip. One that fails does not stop the others.

    Returns:
        0, or 1 if any failed.
    """
    options = RenderOptions(**{field.name: _value(args, field.name) for field in fields(RenderOptions)})
    kind = JobKind.PREVIEW if args.preview else JobKind.VIDEO
    requests = [JobRequest(clip, args.audio, options, kind=kind) for clip in args.video]
    return produce_all([Order(request.video_name, request) for request in requests], args, settings)


def _value(args: argparse.Namespace, name: str) -> Any:
    value = getattr(args, name)
    return tuple(value) if isinstance(value, list) else value


def _fraction(text: str) -> Fraction:
    try:
        return frame_rate(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame rate such as 25 or 30000/1001") from error
