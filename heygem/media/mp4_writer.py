"""ffmpeg making one mp4 of what it is fed: a whole file or none. Knows nothing of what is fed."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from heygem.disk import cannot_write, companion, disk_full, flush
from heygem.errors import EncodeError, MediaError, Text
from heygem.media import Codec
from heygem.media.ffmpeg_args import AAC_FRAME, Sound, aac_samples, sound_args
from heygem.media.open_file import open_container
from heygem.media.process import ENDING_S, FfmpegProcess, last_line

log = logging.getLogger(__name__)

_DISK_FULL = ("No space left on device", "Disk quota exceeded")
_WAIT_S = 0.2
"""Seconds between two looks at an ffmpeg that ends."""


class Mp4Writer:
    """One mp4 while it is written; use it in a ``with`` statement.

    The file appears under its name when the block ends without an error; nothing is left behind otherwise.

    Args:
        path: The result. Its folder exists.
        codec: How the picture is encoded.
        sound: What is heard; None writes no sound track.
        args_for: The arguments with which ffmpeg makes the file that it is given, with the sound out of the pipe of
            that number.
        on_wait: Called while ffmpeg brings its work to an end; what it raises ends ffmpeg.

    Raises:
        EncodeError: ffmpeg failed; with code disk_full if the disk is full.
        MediaError: with code damaged if the sound could not be read to its end.
    """

    def __init__(
        self,
        path: Path,
        codec: Codec,
        sound: Sound | None,
        args_for: Callable[[Path, int], Sequence[str]],
        *,
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self.frames = 0
        """How many pictures the file is to have; whoever feeds it counts them."""
        self._codec = codec
        self._sound = sound
        self._on_wait = on_wait
        self._part = companion(path, ".part")
        self._listener: FfmpegProcess | None = None
        with ExitStack() as children:
            pipe, pipes = 0, []
            if sound is not None:
                self._listener = children.enter_context(FfmpegProcess(sound_args(sound), pipe="out"))
                pipe = self._listener.stdout.fileno()
                pipes = [pipe]
            args = args_for(self._part, pipe)
            self._process = children.enter_context(FfmpegProcess(args, pipe="in", also_open=pipes))
            if self._listener is not None:
                self._listener.stdout.close()  # or it would wait for us to read when nobody else does any more
            self._children = children.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._children.close()
            self._part.unlink(missing_ok=True)

    def feed(self, data: memoryview) -> None:
        """Give all of `data` to ffmpeg.

        Raises:
            EncodeError: ffmpeg has given up.
        """
        try:
            self._process.write(data)
        except BrokenPipeError as error:
            self._process.finish()
            raise self._failure() from error

    def _finish(self) -> None:
        if self.frames == 0:
            raise EncodeError(
                Text(f"“{self.path.name}”没有任何画面可写。", f"No frame was written to {self.path.name!r}.")
            )
        patience_ends_s = time.monotonic() + ENDING_S
        while not self._process.ends_within(_WAIT_S) and time.monotonic() < patience_ends_s:
            self._on_wait()
        if self._process.finish(patience_s=0) != 0:
            raise self._failure()
        with open_container(self._part) as result:
            encoded = result.streams.video[0].frames
            heard = result.streams.audio[0].frames if result.streams.audio else 0
        self._check_sound(heard)
        if encoded != self.frames:
            raise EncodeError(
                Text(
                    f"结果应有 {self.frames} 帧，实际为 {encoded} 帧。",
                    f"The result has {encoded} frames instead of {self.frames}.",
                )
            )
        try:
            flush(self._part)
            self._part.replace(self.path)
            flush(self.path.parent)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        log.debug("%s: %d frames written", self.path.name, self.frames)

    def _check_sound(self, frames: int) -> None:
        """Whether the result has as many frames of AAC as its sound fills; encoders differ by one at their end."""
        if self._sound is None or self._listener is None:
            return
        wanted = math.ceil(aac_samples(self._sound) / AAC_FRAME) + 1  # the first is the encoder's own delay
        if abs(frames - wanted) > 1:
            self._listener.finish()
            name = self._sound.path.name
            raise MediaError(
                Text(
                    f"“{name}”的声音未能完整读取（{wanted} 段中得到 {frames} 段）。",
                    f"The sound of {name!r} could not be read as before: {frames} of {wanted} parts.",
                ),
                hint=Text("请重新上传，或重新导出。", "Upload it again, or export it again."),
                code="damaged",
            ) from RuntimeError(self._listener.complaints())

    def _failure(self) -> EncodeError:
        complaints = self._process.complaints()
        log.warning("ffmpeg failed while writing %s: %s", self.path.name, complaints)
        if any(words in complaints for words in _DISK_FULL):
            return disk_full(self.path)
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
