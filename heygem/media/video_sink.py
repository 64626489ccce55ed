"""Frames and a sound into one mp4, in one encode: a whole file or none. Knows ffmpeg's pipe; knows no faces."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import torch

from heygem.frame import Frame
from heygem.media import Codec
from heygem.media.audio_file import AudioFile
from heygem.media.colour_tags import ColourTags
from heygem.media.ffmpeg_args import Sound, encode_args
from heygem.media.mp4_writer import Mp4Writer

_CPU = torch.device("cpu")


class VideoSink(Mp4Writer):
    """Writes an mp4 while frames come; use it in a ``with`` statement.

    The file appears under its name when the block ends without an error; nothing is left behind otherwise. The picture
    has as many frames as were written, the sound as many samples as its source, and both begin at 0.

    Args:
        path: The result. Its folder exists.
        width, height: Of the frames, pixels.
        fps: Frames per second.
        tags: Colour tags of the frames.
        sample_aspect: Width of a pixel divided by its height.
        audio: The sound that goes with the picture, or a part of one; None writes none.
        crf: Quality, 0 (best) to 51.
        codec: How the picture is encoded.
        metadata: What the container says of the file, by key.

    Raises:
        EncodeError: ffmpeg failed; with code disk_full if the disk is full.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        fps: Fraction,
        tags: ColourTags,
        sample_aspect: Fraction = Fraction(1),
        audio: AudioFile | Sound | None,
        crf: int = 18,
        codec: Codec = "h264",
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._size = (width, height)
        sound = audio.sound if isinstance(audio, AudioFile) else audio
        super().__init__(
            path,
            codec,
            sound,
            lambda part, pipe: encode_args(
                part,
                width=width,
                height=height,
                fps=fps,
                tags=tags,
                sample_aspect=sample_aspect,
                crf=crf,
                codec=codec,
                sound=sound,
                sound_pipe=pipe,
                metadata=metadata,
            ),
        )

    def write(self, frame: Frame) -> None:
        """Append a frame from any device; it may be changed afterwards.

        Raises:
            EncodeError: ffmpeg has given up.
        """
        if (frame.width, frame.height) != self._size:
            raise ValueError(f"Expected a frame of {self._size}, got {(frame.width, frame.height)}.")
        self.feed(frame.data.to(_CPU).contiguous().numpy().data)
        self.frames += 1
