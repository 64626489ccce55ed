"""What the training of a speaker leaves for people: tables and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from heygem.training.offset import Offset
from heygem.training.speaker_score import Crops, SpeakerScore

_ACROSS, _BLOCKS = 10, 2
_COLUMNS = ("", "mouth PSNR dB", "r", "lag, frames")


def sheet(truth: Crops, drawn: Crops, file: Path) -> None:
    """Write a JPEG of truth above and drawing below, at moments spread over both.

    Args:
        truth, drawn: (F, 96, 96, 3) uint8 RGB.
        file: Is replaced.
    """
    chosen = np.linspace(0, len(truth) - 1, _ACROSS * _BLOCKS).round().astype(int)
    rows = [np.hstack(list(crops[part])) for part in np.split(chosen, _BLOCKS) for crops in (truth, drawn)]
    written, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90]
    )
    assert written
    file.write_bytes(encoded.tobytes())


def report(
    name: str, facts: dict[str, str], offset: Offset, scores: Sequence[SpeakerScore], as_used: tuple[float, float]
) -> str:
    """The report in Markdown.

    Args:
        name: Of the speaker.
        facts: What to tell of clip and training, by what it is.
        offset: Of the clip's sound.
        scores: Of the held-out part.
        as_used: r with the moment that is heard, and with the frame that is shown.
    """
    lines = [f"# {name}", "", *(f"* {what}: {value}" for what, value in facts.items())]
    lines += [
        f"* sound after lips: {offset.frames} frames ({offset.milliseconds} ms), corrected; r {offset.r:.2f}, "
        f"{offset.clearness:.1f} standard deviations above chance",
        "",
        "The last fifth of the clip, which was not learnt from (it told when to stop). Reference: another moment of it "
        "with about the same pose.",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "| " + " | ".join("---" for _ in _COLUMNS) + " |",
    ]
    lines += [f"| {score.name} | {score.psnr_db:.2f} | {score.r:.2f} | {score.lag} |" for score in scores]
    heard, seen = as_used
    lines += [
        "",
        "r: of the first principal component of the mouth with the truth's. As used (each frame is its own reference "
        f"and hears another moment): r {heard:.2f} with the moment that is heard, {seen:.2f} with the frame.",
        "",
    ]
    return "\n".join(lines)
