"""Pass 1: the faces in the frames of a clip that are shown. Knows the detector; not whose face is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil

import torch

from heygem.batch_memory import BatchMemory
from heygem.faces.cuts import SETTLED_AFTER, CutDetector
from heygem.faces.detect import FaceDetector
from heygem.faces.detections import Detections, find_faces
from heygem.faces.face import Face
from heygem.faces.track_cache import DetectionCache
from heygem.frame import Frame
from heygem.media.picture_sums import PictureSums
from heygem.media.video_source import VideoSource
from heygem.pipeline.halving import in_halves
from heygem.pipeline.prefetch import prefetch
from heygem.pipeline.progress import Progress, Stage

_HELD_BYTES = 270 * 1024 * 1024
"""Frames held at the most for a detector that likes several batches at once: two batches of 32 and half of one at
1080p. Where one batch and as much ahead need more, there is one at once."""

_AHEAD_BYTES = 200 * 1024 * 1024
"""Frames decoded ahead at the most, however many the detector takes at once: 16 at 4K."""

_TICK_FRAMES = 25
"""Frames that are passed over between two ticks."""


@dataclass(frozen=True, slots=True)
class Searcher:
    """A detector, the batch size that its device is known to bear, and the device that it wants frames on."""

    detector: FaceDetector
    batch: BatchMemory
    device: torch.device


def detect(frames: Sequence[Frame], searcher: Searcher) -> list[list[Face]]:
    """All faces of each frame; what does not fit on the device at once is searched in halves.

    Raises:
        OutOfMemoryError: not even one frame fits.
    """
    moved = [frame.to(searcher.device) for frame in frames]
    parts = in_halves(len(moved), searcher.batch, lambda part: searcher.detector.detect(moved[part]))
    return [faces for part in parts for faces in part]


def find_in_first(
    count: int, source: VideoSource, searcher: Searcher, cache: DetectionCache, progress: Progress
) -> tuple[Detections, bool]:
    """The faces of the clip's first frames, and whether they were known already; from now on they are.

    What lies behind is of no use to a result that is shorter than its clip. It is not read, and makes no difference to
    what is found, even where it is known.

    Args:
        count: Frames of the result; if the clip has no more, all of it is searched.
        source: The clip.
        searcher: Who looks.
        cache: The faces of clips that were seen before.
        progress: Somebody who watches.

    Raises:
        MediaError: the clip cannot be decoded.
        OutOfMemoryError: not even one frame fits on the device.
        JobUnwound: from `progress`.
    """
    # Whole batches: what a detector sees may depend on the other pictures of a batch.
    batch = searcher.detector.batch
    needed = ceil((count + SETTLED_AFTER) / batch) * batch
    frames = min(needed, source.info.estimated_frames)
    progress.tick(Stage.TRACKING, 0, frames)
    known = known_in_first(count, source, searcher, cache)
    if known is not None:
        return known, True
    with closing(source.frames()) as all_frames:
        found = _search(
            islice(all_frames, needed), source, searcher, lambda done: progress.tick(Stage.TRACKING, done, frames)
        )
    found = replace(found, is_whole=len(found) < needed)
    cache.put(source.path, searcher.detector.identity, source.info.fps, found)
    shown = found.first(count)
    assert shown is not None
    return shown, False


def known_in_first(count: int, source: VideoSource, searcher: Searcher, cache: DetectionCache) -> Detections | None:
    """What `find_in_first` would return without a search; None if it would have to search.

    Raises:
        OSError: the clip cannot be read.
    """
    known = cache.get(source.path, searcher.detector.identity, source.info.fps)
    return None if known is None else known.first(count)


def find_in_part(
    source: VideoSource, part: range, searcher: Searcher, sums: PictureSums, progress: Progress
) -> Detections:
    """The faces of some frames of the clip. What lies before is decoded and not searched; what lies after is not read.

    Nothing of it is kept for later jobs: only the faces of a clip's beginning are.

    Args:
        source: The clip.
        part: Numbers of its frames, in one piece; those that it does not have are left out.
        searcher: Who looks.
        sums: Gets the checksums of all pictures up to the last one, so that the part can be entered later.
        progress: Somebody who watches.

    Raises:
        MediaError, OutOfMemoryError, JobUnwound: as for `find_in_first`.
    """
    with closing(source.frames()) as frames:
        for number, frame in enumerate(islice(frames, part.start)):
            sums.note(number, frame)
            if number % _TICK_FRAMES == 0:
                progress.tick(Stage.TRACKING, number)
        wanted = (_noted(number, frame, sums) for number, frame in zip(part, frames, strict=False))
        return _search(wanted, source, searcher, lambda done: progress.tick(Stage.TRACKING, done, len(part)))


def _search(
    frames: Iterable[Frame], source: VideoSource, searcher: Searcher, on_batch: Callable[[int], None]
) -> Detections:
    """Search frames of a clip; meanwhile the next are decoded, and looked at for cuts."""
    cuts = CutDetector()
    at_once, depth = _in_hand(source, searcher.detector)
    with closing(prefetch(cuts.watching(frames), depth)) as ahead:
        return find_faces(
            ahead,
            searcher.detector,
            detect=lambda batch: detect(batch, searcher),
            on_batch=on_batch,
            cuts=cuts,
            at_once=at_once,
        )


def _noted(number: int, frame: Frame, sums: PictureSums) -> Frame:
    sums.note(number, frame)
    return frame


def _in_hand(source: VideoSource, detector: FaceDetector) -> tuple[int, int]:
    """Batches that are searched at once, and frames that are read ahead of them."""
    frame_bytes = source.info.width * source.info.height * 3 // 2
    several, batch = detector.at_once, detector.batch
    # The rest of the next batch is read while the others are searched.
    if several > 1 and (several * batch + batch // several) * frame_bytes <= _HELD_BYTES:
        return several, max(1, batch // several)
    return 1, max(1, min(batch, _AHEAD_BYTES // frame_bytes))
