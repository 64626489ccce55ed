"""Frames and a sound into one mp4, in one encode: a whole file or none. Knows ffmpeg's pipe; knows no faces."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import av
import torch

from heygem.errors import EncodeError, Text
from heygem.frame import Frame
from heygem.media import Codec
from heygem.media.audio_file import AudioFile
from heygem.media.colour_tags import ColourTags
from heygem.media.ffmpeg_args import encode_args
from heygem.media.process import FfmpegProcess, last_line

log = logging.getLogger(__name__)

_CPU = torch.device("cpu")


class VideoSink:
    """Writes an mp4 while frames come; use it in a ``with`` statement.

    The file appears under its name when the block ends without an error; nothing is left behind otherwise. The picture
    has as many frames as were written, the sound as many samples as its source, and both begin at 0.

    Args:
        path: The result. Its folder exists.
        width, height: Of the frames, pixels.
        fps: Frames per second.
        tags: Colour tags of the frames.
        sample_aspect: Width of a pixel divided by its height.
        audio: The sound that goes with the picture; None writes none.
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
        audio: AudioFile | None,
        crf: int = 18,
        codec: Codec = "h264",
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path = path
        self.frames = 0
        self._size = (width, height)
        self._codec = codec
        self._part = path.with_name(f".{path.name[-200:]}.part")
        args = encode_args(
            self._part,
            width=width,
            height=height,
            fps=fps,
            tags=tags,
            sample_aspect=sample_aspect,
            crf=crf,
            codec=codec,
            sound=None if audio is None else audio.sound,
            metadata=metadata,
        )
        self._process = FfmpegProcess(args, pipe="in")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._process.close()
            self._part.unlink(missing_ok=True)

    def write(self, frame: Frame) -> None:
        """Append a frame from any device; it may be changed afterwards.

        Raises:
            EncodeError: ffmpeg has given up.
        """
        if (frame.width, frame.height) != self._size:
            raise ValueError(f"Expected a frame of {self._size}, got {(frame.width, frame.height)}.")
        try:
            self._process.write(frame.data.to(_CPU).contiguous().numpy().data)
        except BrokenPipeError as error:
            self._process.finish()
            raise self._failure() from error
        self.frames += 1

    def _finish(self) -> None:
        if self.frames == 0:
            raise EncodeError(
                Text(f"“{self.path.name}”没有任何画面可写。", f"No frame was written to {self.path.name!r}.")
            )
        status = self._process.finish()
        if status != 0:
            raise self._failure()
        with av.open(str(self._part)) as result:
            encoded = result.streams.video[0].frames
        if encoded != self.frames:
            raise EncodeError(
                Text(
                    f"结果应有 {self.frames} 帧，实际为 {encoded} 帧。",
                    f"The result has {encoded} frames instead of {self.frames}.",
                )
            )
        _flush(self._part)
        self._part.replace(self.path)
        _flush(self.path.parent)
        log.debug("%s: %d frames written", self.path.name, self.frames)

    def _failure(self) -> EncodeError:
        complaints = self._process.complaints()
        log.warning("ffmpeg failed while writing %s: %s", self.path.name, complaints)
        if "No space left on device" in complaints:
            return EncodeError(
                Text(
                    f"磁盘已满，无法写入“{self.path.name}”。",
                    f"The disk is full: {self.path.name!r} cannot be written.",
                ),
                hint=Text("请清理磁盘后重试。", "Free some space and try again."),
                code="disk_full",
            )
        hint = Text("详情见日志。", "The log has the details.")
        if self._codec.endswith("nvenc"):
            hint = Text(
                "此处可能没有可用的 NVENC；请改用 h264 或 hevc。",
                "NVENC may be missing here; use h264 or hevc instead.",
            )
        reason = last_line(complaints)
        return EncodeError(
            Text(f"写入“{self.path.name}”失败：{reason}", f"Writing {self.path.name!r} failed: {reason}"), hint=hint
        )


def _flush(path: Path) -> None:
    """Make sure that `path`, a file or a folder, is on the disk and not only on its way there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
