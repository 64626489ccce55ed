"""A clip as a stream of frames: at a constant rate, upright, in 8-bit 4:2:0, and as long as the speech needs it.

Knows nothing of faces. Memory is flat in the length of the clip.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

from heygem.errors import MediaError, Text
from heygem.frame import Frame
from heygem.media import Extend
from heygem.media.ffmpeg_args import decode_args, decode_part_args
from heygem.media.frame_reader import FrameReader
from heygem.media.media_info import ENOUGH
from heygem.media.picture_sums import PictureSums
from heygem.media.probe import probe_video
from heygem.media.process import last_line

log = logging.getLogger(__name__)

BLOCK_FRAMES = 48
"""Frames held at once while a clip runs backwards or is entered: 150 MB at 1080p. No codec looks so far back."""

SEEK_MARGINS = (4, 250)
"""Frames before the wanted one from which decoding starts. Deinterlacing needs two; the second margin is for transport
streams and the like, which are entered somewhere near the place, and for pictures that are refreshed bit by bit."""

_HEAD_FRAMES = 2
"""Frames from the clip's beginning that are kept: whoever reads it again need not wait for a decoder to get going."""

SOON_READ_S = 60
"""Seconds of a clip up to which reading all of them is quicker than entering them a dozen times."""


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
        self._head: tuple[Frame, ...] = ()

    @property
    def enters_exactly(self) -> bool:
        """No way into the middle of the file has failed yet: running backwards and starting late are quick."""
        return bool(self._margins)

    def frames(self) -> Generator[Frame, None, None]:
        """Each frame of the clip once. Closing the iterator ends the decoder at once.

        Yields:
            Frames with a buffer of their own, on the CPU.

        Raises:
            MediaError: with code unreadable if nothing decodes, damaged if much of the clip is missing.
        """
        count = 1 if self.info.is_still else None
        with FrameReader(decode_args(self.path, self.info, count=count), self.info) as reader:
            head = known = self._head
            yield from map(_copy, known)
            for number, frame in enumerate(self._rest(reader, 0)):
                if number < len(known):
                    continue
                if number < _HEAD_FRAMES:
                    head = self._head = (*head, _copy(frame))
                yield frame

    def sample(self, count: int, *, within: int | None = None) -> Generator[tuple[int, Frame], None, None]:
        """A few frames spread evenly over the clip, for a first look: quick, and only about where they are said to be.

        Args:
            count: How many; fewer come from a short clip, or one that cannot be entered everywhere.
            within: Frames at the clip's beginning over which they are spread; None: all.

        Yields:
            The number of a frame, and the frame. At least one.

        Raises:
            MediaError: as for `frames`.
        """
        length, found = min(self.info.estimated_frames, within or self.info.estimated_frames), 0
        numbers = sorted({part * length // count for part in range(count)})
        if length <= SOON_READ_S * self.info.fps:
            with closing(self.frames()) as frames:
                up_to_last = islice(frames, numbers[-1] + 1)
                yield from ((number, frame) for number, frame in enumerate(up_to_last) if number in numbers)
            return
        for number in numbers:
            args = decode_part_args(self.path, self.info, start=number, count=1, margin=SEEK_MARGINS[0])
            with FrameReader(args, self.info) as reader:
                frame = reader.next_frame()
            if frame is not None:
                found += 1
                yield number, frame
        if not found:
            with closing(self.frames()) as frames:
                yield 0, next(frames)

    def extended(
        self, count: int, extend: Extend, length: int, *, start: int = 0, sums: PictureSums | None = None
    ) -> Generator[tuple[int, Frame], None, None]:
        """As many frames as the speech needs, each with its number in the clip.

        A frame that comes again has exactly the same values, and a buffer of its own. What is begun at `start` goes on
        exactly as if it had been begun at 0; it is quick where `sums` has the pictures before, and decodes them
        otherwise.

        Args:
            count: Frames wanted: fewer than the clip has, or more.
            extend: What follows the clip's end: backwards and forwards (without repeating the frames at the turns),
                from the start again, or its last frame.
            length: Frames in the clip: as many as `frames` yields.
            start: Frames to leave out at the beginning, of the clip together with what follows its end.
            sums: What is known of the clip's pictures; what is seen of them is added.

        Raises:
            MediaError: as for `frames`; and with code damaged if the clip has fewer than `length` frames.
        """
        if length < 1:
            raise ValueError(f"A clip has at least one frame, got {length}.")
        sums = PictureSums() if sums is None else sums
        if length == 1 or extend == "freeze":
            endless = self._frozen(length, min(start, length - 1), sums)
        elif extend == "loop":
            endless = self._looped(length, start % length, sums)
        else:
            endless = self._pingpong(length, start % (2 * length - 2), sums)
        with closing(endless):
            yield from islice(endless, count)

    def _frozen(self, length: int, start: int, sums: PictureSums) -> Generator[tuple[int, Frame], None, None]:
        last: Frame | None = None
        for index, frame in self._forwards(start, length, sums):
            if index == length - 1:
                last = _copy(frame)
            yield index, frame
        while last is not None:
            yield length - 1, _copy(last)

    def _looped(self, length: int, start: int, sums: PictureSums) -> Generator[tuple[int, Frame], None, None]:
        while True:
            yield from self._forwards(start, length, sums)
            start = 0

    def _pingpong(self, length: int, start: int, sums: PictureSums) -> Generator[tuple[int, Frame], None, None]:
        while True:
            yield from self._forwards(start, length, sums)
            yield from self._backwards(min(length - 1, 2 * length - 1 - start), sums)
            start = 0

    def _backwards(self, stop: int, sums: PictureSums) -> Generator[tuple[int, Frame], None, None]:
        """The frames before number `stop`, the last one first, but for the clip's first."""
        if len(sums) < stop:
            for _ in self._forwards(0, stop, sums):
                pass
        for end in range(stop, 1, -BLOCK_FRAMES):
            start = max(1, end - BLOCK_FRAMES)
            block = self._block(start, end, sums)
            while block:
                yield start + len(block) - 1, block.pop()

    def _forwards(self, start: int, stop: int, sums: PictureSums) -> Generator[tuple[int, Frame], None, None]:
        """The frames from number `start` to before number `stop`, each with its number."""
        number = start
        if start < stop:
            with closing(self._from(start, stop, sums)) as frames:
                for number, frame in enumerate(islice(frames, stop - start), start=start + 1):
                    sums.note(number - 1, frame)
                    yield number - 1, frame
            if number < stop:
                raise self._damaged(f"{number} frames where there were {stop}")

    def _from(self, start: int, stop: int, sums: PictureSums) -> Generator[Frame, None, None]:
        """The frames from number `start` on, up to at least number `stop`."""
        first = max(0, start - BLOCK_FRAMES)
        while first and len(sums) >= start and sums.differ(first, start) and self._margins:
            # What comes after equals what would have come, if all that it can refer to does: the frames before.
            args = decode_part_args(self.path, self.info, start=first, count=stop - first, margin=self._margins[0])
            with FrameReader(args, self.info) as reader:
                before = list(islice(iter(reader.next_frame, None), start - first))
                if len(before) == start - first and sums.match(first, before):
                    del before
                    yield from self._rest(reader, start)
                    return
            self._give_up_a_margin()
        with closing(self.frames()) as frames:
            for number, frame in enumerate(islice(frames, start)):
                sums.note(number, frame)
            yield from frames

    def _block(self, start: int, stop: int, sums: PictureSums) -> list[Frame]:
        """The frames from number `start` to before number `stop`, exactly those that are known.

        How exactly a file can be entered in its middle depends on the container, the encoder and the recorder. Instead
        of rules that would have exceptions, what comes is compared with what was seen on the way forwards; where it
        differs, the clip is read from its beginning instead, from then on: slow, and right.
        """
        while self._margins:
            args = decode_part_args(self.path, self.info, start=start, count=stop - start, margin=self._margins[0])
            with FrameReader(args, self.info) as reader:
                block = list(iter(reader.next_frame, None))
            if len(block) == stop - start and sums.match(start, block):
                return block
            self._give_up_a_margin()
        with closing(self.frames()) as frames:
            block = list(islice(frames, start, stop))
        if len(block) != stop - start:
            raise self._damaged(f"frames after {start + len(block)} are gone")
        if not sums.match(start, block):
            log.warning("%s: damaged pictures decode differently each time", self.path.name)
        return block

    def _give_up_a_margin(self) -> None:
        self._margins.popleft()
        if not self._margins:
            log.warning(
                "%s cannot be entered exactly in its middle; running backwards and going on are slow", self.path.name
            )

    def _rest(self, reader: FrameReader, number: int) -> Generator[Frame, None, None]:
        """The frames that `reader` has yet to give, the first of which has `number`."""
        while (frame := reader.next_frame()) is not None:
            yield frame
            number += 1
        self._judge_end(number, reader.finish(), reader.complaints())

    def _judge_end(self, yielded: int, status: int, complaints: str) -> None:
        """Tell the end of a clip from a failure. ffmpeg alone does not: it may report success for half a clip."""
        if yielded == 0:
            raise MediaError(
                Text(f"“{self.path.name}”的画面无法解码。", f"No picture of {self.path.name!r} can be decoded."),
                hint=Text("请重新导出后再上传。", "Export the clip again."),
            ) from RuntimeError(complaints)
        if status == 0 and not complaints:
            return
        if status < 0 or yielded < ENOUGH * self.info.estimated_frames:
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


def _copy(frame: Frame) -> Frame:
    return replace(frame, data=frame.data.clone())
