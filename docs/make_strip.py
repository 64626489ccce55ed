"""Makes docs/strip.jpg, the pictures in the README: the first example of the page, before and after.

Run ``python -m docs.make_strip`` after a change of the embedded model or of the bundled examples.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from heygem.device import place
from heygem.faces.crop import box_map, cut
from heygem.frame import Frame
from heygem.jobs.produce import Producer
from heygem.media.video_source import VideoSource
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.settings import PROJECT_DIR, Settings
from heygem.ui.examples import EXAMPLES

log = logging.getLogger(__name__)

_DEMO = PROJECT_DIR / "models" / "demo"
_STRIP = Path(__file__).parent / "strip.jpg"
_FIRST_S, _STEP_S, _COLUMNS = 2.0, 0.2, 6
"""Which moments are shown: fixed, so that nobody is tempted to choose."""
_SIDE_PX, _GAP_PX = 240, 4
_REGION = 1.35
"""Side of what is shown, in widths of the face."""
_QUALITY = 85


def make_strip(path: Path) -> None:
    """Let the first example speak with the embedded model, and write clip (above) and result (below) to `path`."""
    example = EXAMPLES[0]
    clip = _DEMO / example.clip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "models").mkdir()
        settings = Settings(models_dir=folder / "models", cache_dir=folder / "cache")
        producer = Producer(ModelManager(10**9), settings, place("cpu", "fp32"))
        output = folder / "result.mp4"
        made = producer.produce(clip, _DEMO / example.speech, output, RenderOptions(), Silent())
        fps = made.report.fps
        moments = [round((_FIRST_S + _STEP_S * column) * fps) for column in range(_COLUMNS)]
        region = _region(made.report.track.boxes[moments])
        rows = [_row(source, moments, region) for source in (clip, output)]
    gap = np.full((_GAP_PX, rows[0].shape[1], 3), 255, np.uint8)
    strip = cv2.cvtColor(np.concatenate([rows[0], gap, rows[1]]), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(path), strip, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    log.info("%s: frames %s of %s, %d kB", path, moments, example.clip, path.stat().st_size // 1000)


def _region(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4,): a square around faces."""
    left, top, right, bottom = boxes.mean(0)
    half = _REGION * (right - left) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return np.array([x - half, y - half, x + half, y + half], np.float32)


def _row(video: Path, moments: Sequence[int], region: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Frames of `video` side by side, RGB."""
    shown = [_picture(frame, region) for index, frame in enumerate(VideoSource(video).frames()) if index in moments]
    gap = np.full((_SIDE_PX, _GAP_PX, 3), 255, np.uint8)
    return np.concatenate([part for picture in shown for part in (gap, picture)][1:], axis=1)


def _picture(frame: Frame, region: NDArray[np.float32]) -> NDArray[np.uint8]:
    rgb = cut([frame], [box_map(region, (0, 0, 0, 0), _SIDE_PX)], _SIDE_PX)[0]
    return (rgb.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def main() -> None:
    """Make the strip; the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=_STRIP, help="picture to write")
    choices = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    make_strip(choices.out)


if __name__ == "__main__":
    main()
