"""``python -m heygem inspect``: what jobs on these files would meet, before any is started."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heygem.errors import MediaError, Notice
from heygem.settings import Settings

if TYPE_CHECKING:
    from heygem.jobs.preflight import ClipReport, PreflightReport, SpeechReport

_LIP_PX = 96


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "inspect",
        help="look at clips and a speech before a job",
        description="Say of clips and a speech whether they are taken, what they are, and what to expect of them.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("file", nargs="+", type=Path, metavar="FILE", help="a clip; one that is sound only: the speech")
    parser.add_argument("--audio", type=Path, metavar="SPEECH", help="a recording, or a video with sound")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the report.

    Returns:
        0, or 1 if a file is refused.
    """
    # Late: torch takes a second, which --help and the other commands need not wait for.
    from heygem.device import placement_of
    from heygem.jobs.preflight import preflight
    from heygem.model_manager import get_model_manager

    models, placement = get_model_manager(settings), placement_of(settings)
    speech = args.audio or _only_sound(args.file, settings)
    clips = [path for path in args.file if path != speech]
    report = preflight(clips, speech, settings=settings, models=models, placement=placement)
    console = Console()
    if args.json:
        console.print_json(json.dumps(as_json(report), ensure_ascii=False))
    else:
        _print(console, report)
    return 0 if report.is_fit else 1


def _only_sound(files: Sequence[Path], settings: Settings) -> Path | None:
    """The first file that shows nothing: it is meant to be heard."""
    from heygem.media.intake import inspect_quickly
    from heygem.media.limits import Limits

    for path in files:
        try:
            inspect_quickly(path, "clip", Limits.of(settings))
        except MediaError as error:
            if error.code == "no_video_stream":
                return path
    return None


def as_json(report: PreflightReport) -> dict[str, Any]:
    """The report as plain values, with stable names."""
    return {
        "fit": report.is_fit,
        "clips": [_clip_json(clip) for clip in report.clips],
        "speech": None if report.speech is None else _speech_json(report.speech),
        "detector": report.detector.en,
        "needed_bytes": report.needed_bytes,
        "free_bytes": report.free_bytes,
        "expected_s": report.expected_s,
        "notices": _notices_json(report.notices),
    }


def _clip_json(clip: ClipReport) -> dict[str, Any]:
    info, faces = clip.info, clip.faces
    facts: dict[str, Any] = _verdict_json(clip)
    if info is not None:
        facts |= {
            "seconds": float(info.duration),
            "fps": str(info.fps),
            "variable_rate": info.is_variable_rate,
            "size": [info.width, info.height],
            "stored_size": [info.coded_width, info.coded_height],
            "turned": bool(info.orientation.filters),
            "codec": info.codec,
            "pix_fmt": info.pix_fmt,
            "colour": {
                "matrix": info.source_tags.matrix,
                "transfer": info.source_tags.transfer,
                "primaries": info.source_tags.primaries,
                "full_range": info.source_tags.full_range,
                "hdr": info.is_hdr,
            },
        }
    if faces is not None:
        facts["faces"] = {
            "frames_looked_at": faces.looked_at,
            "share": round(faces.share, 3),
            "size_px": round(faces.size_px, 1),
            "people": faces.people,
            "gaps_s": faces.gaps_s,
        }
    return facts


def _speech_json(speech: SpeechReport) -> dict[str, Any]:
    audio = speech.audio
    facts: dict[str, Any] = _verdict_json(speech)
    if audio is not None:
        facts |= {
            "seconds": float(audio.duration),
            "rate_hz": audio.info.rate_hz,
            "channels": audio.info.channels,
            "codec": audio.info.codec,
            "peak": round(audio.level.peak, 4),
            "rms": round(audio.level.rms, 5),
            "clipped": round(audio.level.clipped, 4),
        }
    return facts


def _verdict_json(part: ClipReport | SpeechReport) -> dict[str, Any]:
    refused = part.refused
    return {
        "file": str(part.path),
        "refused": None
        if refused is None
        else {"code": refused.code, "text": refused.text._asdict(), "hint": refused.hint._asdict()},
        "notices": _notices_json(part.notices),
    }


def _notices_json(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    return [{"code": n.code, "text": n.text._asdict(), "hint": n.hint._asdict()} for n in notices]


def _print(console: Console, report: PreflightReport) -> None:
    table = Table("文件 file", "状态 state", "内容 what it is", "提示 notes", show_lines=True)
    for clip in report.clips:
        table.add_row(escape(str(clip.path)), _state(clip), escape(_clip_words(clip)), escape(_notes(clip)))
    if report.speech is not None:
        speech = report.speech
        table.add_row(escape(str(speech.path)), _state(speech), escape(_speech_words(speech)), escape(_notes(speech)))
    console.print(table)
    console.print(f"人脸检测 detector: {escape(str(report.detector))}")
    console.print(f"磁盘 disk: {report.needed_bytes / 1e6:.0f} MB / {report.free_bytes / 1e9:.1f} GB")
    expected = "未知 unknown" if report.expected_s is None else f"{report.expected_s:.0f} s"
    console.print(f"预计用时 expected time: {expected}")
    for notice in report.notices:
        console.print(f"[yellow]{escape(str(notice.text))}[/yellow] {escape(str(notice.hint))}")


def _state(part: ClipReport | SpeechReport) -> str:
    if part.refused is not None:
        return f"[red]拒绝 refused[/red]\n{part.refused.code}"
    return "[yellow]注意 note[/yellow]" if part.notices else "[green]好 ok[/green]"


def _notes(part: ClipReport | SpeechReport) -> str:
    if part.refused is not None:
        return f"{part.refused.text}\n{part.refused.hint}".strip()
    return "\n".join(f"{notice.text} {notice.hint}".strip() for notice in part.notices)


def _clip_words(clip: ClipReport) -> str:
    info, faces = clip.info, clip.faces
    if info is None or faces is None:
        return ""
    colour = "HDR" if info.is_hdr else (info.source_tags.matrix or f"{info.colour.matrix}?")
    turned = " ↻" if info.orientation.filters else ""
    lines = [
        f"{float(info.duration):.2f} s, {float(info.fps):.2f} fps, {info.width}×{info.height}{turned}",
        f"{info.codec} {info.pix_fmt} {colour}",
        f"人脸 face: {faces.share:.0%}, {faces.size_px:.0f} px / {_LIP_PX}, 人数 people: {faces.people}",
    ]
    if faces.gaps_s:
        gaps = ", ".join(f"{start:.1f}–{stop:.1f} s" for start, stop in faces.gaps_s)
        lines.append(f"无人脸 without: {gaps}")
    return "\n".join(lines)


def _speech_words(speech: SpeechReport) -> str:
    audio = speech.audio
    if audio is None:
        return ""
    return (
        f"{float(audio.duration):.2f} s, {audio.info.rate_hz} Hz × {audio.info.channels}, {audio.info.codec}\n"
        f"峰值 peak {audio.level.peak:.2f}, rms {audio.level.rms:.3f}"
    )
