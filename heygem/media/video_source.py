"""A clip as a stream of frames: at a constant rate, upright, in 8-bit 4:2:0, and as long as the speech needs it.

Knows ffmpeg's pipe; knows nothing of faces. Memory is flat in the length of the clip.
"""

from __future__ import annotations

import logging
import mmap
from collections import deque
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heygem.errors import MediaError, Text
from heygem.frame import Frame
from heygem.media import Extend
from heygem.media.ffmpeg_args import decode_args, decode_part_args
from heygem.media.probe import probe_video
from heygem.media.process import FfmpegProcess, last_line

log = logging.getLogger(__name__)

BLOCK_FRAMES = 48
"""Frames held at once while a clip runs backwards: 150 MB at 1080p."""

SEEK_MARGINS = (4, 250)
"""Frames before the wanted one from which decoding starts. Deinterlacing needs two; the second margin is for transport
streams and the like, which are entered somewhere near the place, and for pictures that are refreshed bit by bit."""

_ENOUGH = 0.95
"""Share of the promised frames that makes a clip with a damaged end usable."""


class VideoSource:
    """A clip that can be read again and again, forwards and backwards.

    Args:
        path: The clip.
        fps: Frames per second at which it is read; None takes the clip's own.

    Raises:
        MediaError: it is no clip; see `probe_video`.
    """

    def __init__(self, path: Path, *, fps: Fraction | None = None) -> None:
        self.path = path
        info = probe_video(path)
        self.info = info if fps is None else replace(info, fps=fps, estimated_frames=max(1, round(info.duration * fps)))
        self._margins = deque(SEEK_MARGINS)

    @property
    def enters_exactly(self) -> bool:
        """No way into the middle of the file has failed yet: running backwards is quick."""
        return bool(self._margins)

    def frames(self) -> Generator[Frame, None, None]:
        """Each frame of the clip once. Closing the iterator ends the decoder at once.

        Yields:
            Frames with a buffer of their own, on the CPU.

        Raises:
            MediaError: with code unreadable if nothing decodes, damaged if much of the clip is missing.
        """
        count = 1 if self.info.is_still else None
        yielded = 0
        with FfmpegProcess(decode_args(self.path, self.info, count=count), pipe="out") as process:
            while (frame := self._next_frame(process)) is not None:
                yield frame
                yielded += 1
            status = process.finish()
            self._judge_end(yielded, status, process.complaints())

    def extended(self, count: int, extend: Extend, length: int) -> Generator[tuple[int, Frame], None, None]:
        """As many frames as the speech needs, each with its number in the clip.

        A frame that comes again has exactly the same values, and a buffer of its own.

        Args:
            count: Frames wanted: fewer than the clip has, or more.
            extend: What follows the clip's end: backwards and forwards (without repeating the frames at the turns),
                from the start again, or its last frame.
            length: Frames in the clip: as many as `frames` yields.

        Raises:
            MediaError: as for `frames`; and with code damaged if the clip has fewer than `length` frames.
        """
        if length < 1:
            raise ValueError(f"A clip has at least one frame, got {length}.")
        if length == 1 or extend == "freeze":
            endless = self._frozen(length)
        elif extend == "loop":
            endless = self._looped(length)
        else:
            endless = self._pingpong(length)
        with closing(endless):
            yield from islice(endless, count)

    def _frozen(self, length: int) -> Generator[tuple[int, Frame], None, None]:
        last: Frame | None = None
        for index, frame in self._forwards(length):
            if index == length - 1:
                last = _copy(frame)
            yield index, frame
        while last is not None:
            yield length - 1, _copy(last)

    def _looped(self, length: int) -> Generator[tuple[int, Frame], None, None]:
        while True:
            yield from self._forwards(length)

    def _pingpong(self, length: int) -> Generator[tuple[int, Frame], None, None]:
        checksums = np.zeros(length, np.uint64)
        while True:
            for index, frame in self._forwards(length):
                checksums[index] = _checksum(frame)  # before the frame is given away to be drawn into
                yield index, frame
            for stop in range(length - 1, 1, -BLOCK_FRAMES):
                start = max(1, stop - BLOCK_FRAMES)
                block = self._block(start, checksums[start:stop])
                while block:
                    yield start + len(block) - 1, block.pop()

    def _forwards(self, length: int) -> Generator[tuple[int, Frame], None, None]:
        """The first `length` frames with their numbers."""
        number = 0
        with closing(self.frames()) as frames:
            for number, frame in enumerate(islice(frames, length), start=1):
                yield number - 1, frame
        if number < length:
            raise self._damaged(f"{number} frames where there were {length}")

    def _block(self, start: int, checksums: NDArray[np.uint64]) -> list[Frame]:
        """The frames from number `start` on, exactly those that have `checksums`.

        How exactly a file can be entered in its middle depends on the container, the encoder and the recorder. Instead
        of rules that would have exceptions, what comes is compared with what was seen on the way forwards; where it
        differs, the clip is read from its beginning instead, from then on: slow, and right.
        """
        while self._margins:
            args = decode_part_args(self.path, self.info, start=start, count=len(checksums), margin=self._margins[0])
            with FfmpegProcess(args, pipe="out") as process:
                block = list(iter(lambda: self._next_frame(process), None))
            if _match(block, checksums):
                return block
            self._margins.popleft()
            if not self._margins:
                log.warning("%s cannot be entered exactly in its middle; running backwards is slow", self.path.name)
        with closing(self.frames()) as frames:
            block = list(islice(frames, start, start + len(checksums)))
        if len(block) != len(checksums):
            raise self._damaged(f"frames after {start + len(block)} are gone")
        if not _match(block, checksums):
            log.warning("%s: damaged pictures decode differently each time", self.path.name)
        return block

    def _next_frame(self, process: FfmpegProcess) -> Frame | None:
        """The next frame from the pipe; None at its end."""
        width, height = self.info.shown_width, self.info.shown_height
        chroma = (self.info.width // 2) * (self.info.height // 2)
        data = _buffer(width * height + 2 * chroma)
        if process.read_into(data.numpy().data) < len(data):
            return None
        return Frame(_padded(data, width, height), self.info.width, self.info.height, self.info.colour)

    def _judge_end(self, yielded: int, status: int, complaints: str) -> None:
        """Tell the end of a clip from a failure. ffmpeg alone does not: it may report success for half a clip."""
        if yielded == 0:
            raise MediaError(
                Text(f"“{self.path.name}”的画面无法解码。", f"No picture of {self.path.name!r} can be decoded."),
                hint=Text("请重新导出后再上传。", "Export the clip again."),
            ) from RuntimeError(complaints)
        if status == 0 and not complaints:
            return
        if status < 0 or yielded < _ENOUGH * self.info.estimated_frames:
            raise self._damaged(f"{yielded} of {self.info.estimated_frames} frames") from RuntimeError(complaints)
        log.warning("%s: damaged, %d frames read: %s", self.path.name, yielded, last_line(complaints))

    def _damaged(self, found: str) -> MediaError:
        return MediaError(
            Text(
                f"“{self.path.name}”已损坏或不完整（{found}）。", f"{self.path.name!r} is damaged or cut off ({found})."
            ),
            hint=Text("请重新上传，或重新导出。", "Upload it again, or export it again."),
            code="damaged",
        )


def _padded(data: Tensor, width: int, height: int) -> Tensor:
    """A raw 4:2:0 picture with its last column and row of luma repeated where they are odd; chroma is complete then.

    ffmpeg's pad filter would cut an odd column off instead.
    """
    right, bottom = width % 2, height % 2
    if not right and not bottom:
        return data
    luma, chroma = data[: width * height].view(height, width), data[width * height :]
    luma = torch.cat([luma, luma[:, -1:]], 1) if right else luma
    luma = torch.cat([luma, luma[-1:]], 0) if bottom else luma
    return torch.cat([luma.flatten(), chroma])


def _buffer(size: int) -> Tensor:
    """Memory for a picture, (size,) uint8, that goes back to the system with it.

    Pictures come from one thread and are let go by another for as long as the clip lasts; on the heap that frays, and
    the process grows by tens of megabytes.
    """
    return torch.frombuffer(mmap.mmap(-1, size), dtype=torch.uint8)


def _copy(frame: Frame) -> Frame:
    return replace(frame, data=frame.data.clone())


def _checksum(frame: Frame) -> np.uint64:
    """Sum of the frame's bytes, eight at a time: 0.3 ms at 1080p, and two pictures of one clip do not share it."""
    data = frame.data.numpy()
    whole = len(data) // 8 * 8
    return np.uint64(data[:whole].view(np.uint64).sum(dtype=np.uint64) ^ data[whole:].sum(dtype=np.uint64))


def _match(block: list[Frame], checksums: NDArray[np.uint64]) -> bool:
    return len(block) == len(checksums) and all(
        _checksum(frame) == expected for frame, expected in zip(block, checksums, strict=True)
    )
