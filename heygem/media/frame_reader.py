"""Raw pictures out of an ffmpeg child, one frame at a time. Knows the pipe and its memory; nothing of clips' ends.

Pictures come from one thread and are let go by others for as long as the clip lasts. On the heap that frays, and the
process grows by tens of megabytes; new pages for each cost a third of the reading. So pages are used again as soon as
nobody holds their frame any more, and go back to the system with the last frame of their reader.
"""

from __future__ import annotations

import mmap
import weakref
from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

from heygem.frame import Frame
from heygem.media.media_info import VideoInfo
from heygem.media.process import FfmpegProcess

_AT_ONCE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
"""All pages of a picture's memory by one call, and shared with nobody."""


class FrameReader(FfmpegProcess):
    """A decoder that writes raw 4:2:0 pictures.

    Args:
        args: Arguments after the program's name, as `ffmpeg_args.decode_args` makes them.
        info: The clip's.
    """

    def __init__(self, args: Sequence[str], info: VideoInfo) -> None:
        super().__init__(args, pipe="out")
        self._info = info
        chroma = (info.width // 2) * (info.height // 2)
        self._memory = _PictureMemory(info.shown_width * info.shown_height + 2 * chroma)

    def next_frame(self) -> Frame | None:
        """The next frame, on the CPU, in memory that nobody else holds; None at the end.

        Raises:
            MediaError: with code stalled, as for `read_into`.
        """
        data = self._memory.take()
        if self.read_into(data.numpy().data) < len(data):
            return None
        picture = _padded(data, self._info.shown_width, self._info.shown_height)
        return Frame(picture, self._info.width, self._info.height, self._info.colour)


class _PictureMemory:
    """Memory for pictures of `size` bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free: deque[mmap.mmap] = deque()

    def take(self) -> Tensor:
        """(size,) uint8 with any values; free again when nothing refers to it or to a view of it."""
        pages = self._free.pop() if self._free else mmap.mmap(-1, self._size, flags=_AT_ONCE)
        # The tensor and its views hold this one object, so its end is theirs.
        held = memoryview(pages)
        weakref.finalize(held, self._free.append, pages).atexit = False
        return torch.frombuffer(held, dtype=torch.uint8)


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
