"""The film that a training of a speaker leaves: truth, embedded default and new model side by side, with the sound.

Knows drawings and a clip; knows nothing of how the model was trained.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from heygem.arrays import Waveform
from heygem.colour_space import ColourSpace
from heygem.demo.articulation import FPS
from heygem.demo.make_examples import as_frame
from heygem.errors import Text
from heygem.jobs.marking import Marking
from heygem.media.audio_file import AudioFile
from heygem.media.colour_tags import SDR
from heygem.media.video_sink import VideoSink
from heygem.media.wav_file import write_wav
from heygem.pipeline import label
from heygem.training.speaker_score import HeldOutDrawings

HEADER = Text("结尾部分，没有学过", "The end, not learnt from")
CAPTIONS = (Text("原片", "Clip"), Text("内置模型", "Built-in model"), Text("新模型", "New model"))
"""What stands above all pictures, and below each. The font holds these characters and no others."""

LONGEST_S = 30
"""Seconds of the end that are shown: more would tell nothing new."""

PANEL_PX, _GAP_PX = 256, 16
_HEADER_PX, _CAPTION_PX = 104, 72
_WIDTH_PX = len(CAPTIONS) * (PANEL_PX + _GAP_PX) + _GAP_PX
_HEIGHT_PX = _HEADER_PX + PANEL_PX + _CAPTION_PX
"""The header has room for the label, which would hide a mouth otherwise."""

_FONT_FILE = Path(label.__file__).parent / "fonts" / "captions.otf"
_HEADER_FONT_PX, _CAPTION_FONT_PX = 26, 21
_BACK, _INK = (20, 24, 36), (231, 234, 243)
_CRF = 18

Pictures = NDArray[np.uint8]


def write_film(
    drawings: HeldOutDrawings,
    clip: Path,
    output: Path,
    *,
    marking: Marking,
    content_id: str,
    on_frame: Callable[[int, int], None],
) -> int:
    """Write an mp4 of the end of a clip as it was, as the embedded default draws it, and as the new model does.

    The sound is the clip's own, in step with the lips. Where no face was seen, the last picture stays.

    Args:
        drawings: What is shown.
        clip: Has the sound.
        output: Is replaced; all or nothing. A file beside it is used on the way.
        marking: What every result gets.
        content_id: Unique name of the film, for its metadata.
        on_frame: Told the frames that are written, and how many will be; what it raises passes.

    Returns:
        Frames.

    Raises:
        MediaError: the sound cannot be read.
        EncodeError: it cannot be written.
    """
    first = int(drawings.frames[0])
    count = min(int(drawings.frames[-1]) - first + 1, LONGEST_S * FPS)
    # The picture that is shown at each moment: the last one by then.
    shown = np.searchsorted(drawings.frames - first, np.arange(count), side="right") - 1
    wav = output.with_name(f".{output.stem}.wav.part")  # which is swept if the process is killed
    try:
        _write_sound(clip, Fraction(first + drawings.late, FPS), Fraction(count, FPS), wav)
        with VideoSink(
            output,
            width=_WIDTH_PX,
            height=_HEIGHT_PX,
            fps=Fraction(FPS),
            tags=SDR,
            audio=AudioFile(wav),
            crf=_CRF,
            metadata=marking.metadata(content_id),
        ) as sink:
            picture = _background()
            mark = label.Label(_WIDTH_PX, _HEIGHT_PX, ColourSpace(), "top-right") if marking.is_visible else None
            for number, row in enumerate(shown):
                on_frame(number, count)
                _place(picture, [drawings.truth[row], drawings.default[row], drawings.model[row]])
                frame = as_frame(picture)
                if mark is not None:
                    mark.draw(frame)
                sink.write(frame)
        marking.sign(output)
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    finally:
        wav.unlink(missing_ok=True)
    return count


def _background() -> Pictures:
    """(H, W, 3) RGB: everything but the pictures."""
    picture = Image.new("RGB", (_WIDTH_PX, _HEIGHT_PX), _BACK)
    draw = ImageDraw.Draw(picture)
    for line, words in enumerate(HEADER):
        draw.text((_GAP_PX, 16 + 36 * line), words, fill=_INK, font=_font(_HEADER_FONT_PX))
    for panel, caption in enumerate(CAPTIONS):
        middle = _GAP_PX + panel * (PANEL_PX + _GAP_PX) + PANEL_PX // 2
        for line, words in enumerate(caption):
            font = _font(_CAPTION_FONT_PX)
            top = _HEADER_PX + PANEL_PX + 6 + 30 * line
            draw.text((middle - font.getlength(words) / 2, top), words, fill=_INK, font=font)
    return np.array(picture)


def _place(picture: Pictures, crops: list[Pictures]) -> None:
    """Put three crops (96, 96, 3) into the picture, enlarged."""
    for panel, crop in enumerate(crops):
        left = _GAP_PX + panel * (PANEL_PX + _GAP_PX)
        picture[_HEADER_PX : _HEADER_PX + PANEL_PX, left : left + PANEL_PX] = cv2.resize(
            crop, (PANEL_PX, PANEL_PX), interpolation=cv2.INTER_CUBIC
        )


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT_FILE), size_px, layout_engine=ImageFont.Layout.BASIC)


def _write_sound(clip: Path, start_s: Fraction, length_s: Fraction, wav: Path) -> None:
    """Write a part of a clip's sound, in mono and at its own rate; silence where there is none."""
    audio = AudioFile(clip)
    rate_hz = audio.info.rate_hz
    start, length = round(start_s * rate_hz), round(length_s * rate_hz)
    part: Waveform = np.zeros(length, np.float32)
    at = -start  # of the next piece, in the part
    with closing(audio.pieces(rate_hz)) as pieces:
        for piece in pieces:
            inside = piece[max(0, -at) : max(0, length - at)]
            part[max(0, at) : max(0, at) + len(inside)] = inside
            at += len(piece)
            if at >= length:
                break
    write_wav(wav, part, rate_hz)
