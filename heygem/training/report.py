"""What a training leaves for people: a plot of the losses, a sheet of pictures, a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from heygem.training.evaluation import HeldOut, Score

_PLOTTED = ("l1", "gradient", "warped", "opening", "features", "discriminator")
_COLUMNS = ("", "mouth PSNR dB", "SSIM", "sharpness", "opening r", "lag 0", "wide from closed dB")
_ACROSS = 10
"""Pictures in a row of the sheet."""

Crops = NDArray[np.uint8]


def plot_losses(history: Path, file: Path) -> None:
    """Draw the curves of a history that `trainer.Journal` wrote into a PNG file."""
    import matplotlib  # Slow to import, and needed only here.

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with history.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    samples = [int(row["samples"]) for row in rows]
    figure, axes = pyplot.subplots(2, 3, figsize=(11, 5.5), layout="constrained")
    for axis, name in zip(axes.flat, _PLOTTED, strict=True):
        axis.plot(samples, [float(row[name]) for row in rows], linewidth=0.8)
        axis.set_title(name)
        axis.set_xlabel("samples")
        axis.grid(alpha=0.3)
    figure.savefig(file, dpi=90)
    pyplot.close(figure)


def contact_sheet(people: Sequence[HeldOut], drawn: Sequence[Crops], file: Path) -> None:
    """Write a picture of truth, reference and drawing, one below the other, for every person.

    Args:
        people: Held out.
        drawn: What a model drew for each: (F, 96, 96, 3).
        file: Of the picture, a JPEG.
    """
    rows = []
    for person, crops in zip(people, drawn, strict=True):
        chosen = np.linspace(0, len(crops) - 1, _ACROSS).round().astype(int)
        rows += [np.hstack(list(pictures[chosen])) for pictures in (person.truth, person.reference, crops)]
        rows.append(np.full((6, rows[-1].shape[1], 3), 255, dtype=np.uint8))
    sheet = cv2.cvtColor(np.vstack(rows[:-1]), cv2.COLOR_RGB2BGR)
    written, encoded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert written
    file.write_bytes(encoded.tobytes())


def markdown_table(scores: Sequence[Score]) -> str:
    """The scores as a table in Markdown."""
    lines = [" | ".join(_COLUMNS), " | ".join("---" for _ in _COLUMNS)]
    for score in scores:
        numbers = (
            f"{score.psnr_db:.2f}",
            f"{score.ssim:.3f}",
            f"{score.sharpness:.2f}",
            f"{score.opening_r:.3f}",
            f"{100 * score.on_time:.0f} %",
            f"{score.wide_psnr_db:.2f}",
        )
        lines.append(" | ".join([score.name, *numbers]))
    return "".join(f"| {line} |\n" for line in lines)
