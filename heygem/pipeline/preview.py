"""The hardest five seconds of a result, drawn before anybody waits for all of it.

Its frames are those of the whole result: same pictures of the clip, same sound heard, same label; an encoder then makes
its own of them. Only what they need is searched for faces, where all that is shown would take long, unless that shows
nobody; two things can then differ from the whole result, and never more:

* How far ``steady`` smooths is measured over an unbroken run of a face, which is shorter here: over 0.04 to 0.1 s in
  either case. A face that is detected evenly comes out the same; the other ways of smoothing always do.
* Who is the largest, or number N, is told from these seconds alone. With one person before the camera that is the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heygem.errors import MediaError, NoFaceError, Text
from heygem.faces.face import FaceTrack
from heygem.faces.people import size_of
from heygem.faces.track import build_track
from heygem.faces.track_cache import DetectionCache
from heygem.media.media_info import ENOUGH
from heygem.media.picture_sums import PictureSums
from heygem.media.video_source import VideoSource
from heygem.pipeline.drawing import Drawing, Engines, Speech
from heygem.pipeline.hardest_part import face_difficulty, frames_shown, hardest_part, of_nearest, speech_activity
from heygem.pipeline.options import PREVIEW_S, RenderOptions
from heygem.pipeline.progress import Progress, Stage
from heygem.pipeline.render import Report
from heygem.pipeline.stages import PARSE_EVERY
from heygem.pipeline.tracking import detect, find_in_first, find_in_part, known_in_first

log = logging.getLogger(__name__)

_SHORT_S = 15
"""Length of a clip, or of what is shown of it, up to which all of it is searched: the job needs that anyway."""

_MARGIN_S = 2
"""Seconds around the part that are searched: what smooths, bridges and fades looks 0.6 s ahead at the most, and who is
who settles in the first second."""

_SAMPLES = 24
"""Frames of a longer clip that are looked at to find the part."""


def render_preview(
    video: Path,
    speech: Speech,
    output: Path,
    *,
    engines: Engines,
    options: RenderOptions,
    cache: DetectionCache,
    progress: Progress,
    is_labelled: bool = True,
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> Report:
    """Write the hardest part of what `render` would write; all of it, if that is no longer.

    The label is shown throughout, however long it is in the whole result: this is a video of its own.

    Args:
        video, speech, output, engines, options, cache, progress, is_labelled, metadata: As for `render`.

    Returns:
        What was done. The track is that of the part's own frames.

    Raises:
        HeyGemError, JobUnwound: as for `render`.
    """
    source = VideoSource(video, fps=options.fps)
    fps = source.info.fps
    count = ceil(speech.audio.duration * fps)
    rate_hz = engines.lips.sample_rate_hz
    activity = speech_activity(speech.audio.pieces(rate_hz), rate_hz, fps, count)

    started = time.monotonic()
    sums = PictureSums()
    known = known_in_first(count, source, engines.searcher, cache)
    was_known = known is not None
    if known is None and min(source.info.duration, count / fps) <= _SHORT_S:
        known, _ = find_in_first(count, source, engines.searcher, cache, progress)
    if known is None:
        difficulty = _glimpse(source, count, engines, progress)
        part = _hardest(activity[: len(difficulty)], difficulty, fps)
        try:
            track = _track_of(part, source, engines, options, sums, progress)
        except NoFaceError:
            log.info("no such face from %.1f to %.1f s: all is searched", part.start / fps, part.stop / fps)
            known, _ = find_in_first(count, source, engines.searcher, cache, progress)
    if known is not None:
        track = build_track(known, face=options.face, smooth=options.smooth, fps=fps)
        difficulty = face_difficulty(track.boxes, track.landmarks)
        part = _hardest(activity, difficulty[frames_shown(count, options.extend, len(track))], fps)
    tracked = time.monotonic()
    log.info("seconds %.1f to %.1f of %.1f are hardest", part.start / fps, part.stop / fps, count / fps)

    shown = replace(options, label_duration_s=None)
    drawing = Drawing(source, track, speech, engines, shown, len(part), is_labelled, first=part.start)
    heard = speech.audio.part(part.start / fps, part.stop / fps)
    with drawing.sink(output, heard, metadata) as sink, closing(drawing.decoded(part, sums)) as decoded:
        drawing.draw(part, sink, progress, decoded)
        progress.tick(Stage.FINISHING, 0)
    return Report(
        frames=len(part),
        fps=fps,
        width=source.info.width,
        height=source.info.height,
        track=_some(track, frames_shown(part.stop, options.extend, len(track))[part.start :]),
        was_tracked_before=was_known,
        tracking_s=tracked - started,
        drawing_s=time.monotonic() - tracked,
        first=part.start,
    )


def _hardest(activity: NDArray[np.float64], difficulty: NDArray[np.float64], fps: Fraction) -> range:
    # Face masks are parsed at the part's first frame, as they are in the whole result at a multiple of this.
    length = ceil(PREVIEW_S * fps / PARSE_EVERY) * PARSE_EVERY
    return hardest_part(activity, difficulty, length, step=PARSE_EVERY)


def _glimpse(source: VideoSource, count: int, engines: Engines, progress: Progress) -> NDArray[np.float64]:
    """How hard about each frame of a long clip is, up to number `count`, from a few that are looked at.

    The clip's end is left out, and so is all that comes when the clip has ended: how many frames a clip has is not
    known before all of it is decoded, and what comes again is the same faces.
    """
    numbers: list[int] = []
    boxes: list[NDArray[np.float32]] = []
    landmarks: list[NDArray[np.float32]] = []
    with closing(source.sample(_SAMPLES, within=count)) as frames:
        for number, frame in frames:
            progress.tick(Stage.TRACKING, len(numbers), _SAMPLES)
            [faces] = detect([frame], engines.searcher)
            face = max(faces, key=lambda face: size_of(face.box), default=None)
            numbers.append(number)
            boxes.append(np.full(4, np.nan, np.float32) if face is None else face.box)
            landmarks.append(np.full((5, 2), np.nan, np.float32) if face is None else face.landmarks)
    seen = face_difficulty(np.array(boxes), np.array(landmarks))
    return of_nearest(seen, np.array(numbers), min(count, int(ENOUGH * source.info.estimated_frames)))


def _track_of(
    part: range, source: VideoSource, engines: Engines, options: RenderOptions, sums: PictureSums, progress: Progress
) -> FaceTrack:
    """Where the face is in a part of the first pass through the clip; nothing is known of what lies before."""
    fps = source.info.fps
    margin = round(_MARGIN_S * fps)
    # In the batches of a search of all: what a detector sees may depend on the other pictures of a batch.
    batch = engines.detector.batch
    around = range(max(0, part.start - margin) // batch * batch, ceil((part.stop + margin) / batch) * batch)
    found = find_in_part(source, around, engines.searcher, sums, progress)
    if around.start + len(found) < part.stop:
        raise MediaError(
            Text(f"“{source.path.name}”比文件头所说的短。", f"{source.path.name!r} is shorter than its header says."),
            hint=Text("请重新导出，或直接生成整段视频。", "Export it again, or generate the whole video."),
            code="damaged",
        )
    track = build_track(found, face=options.face, smooth=options.smooth, fps=fps)
    before = around.start
    return FaceTrack(
        boxes=np.pad(track.boxes, ((before, 0), (0, 0)), constant_values=np.nan),
        landmarks=np.pad(track.landmarks, ((before, 0), (0, 0), (0, 0)), constant_values=np.nan),
        weight=np.pad(track.weight, (before, 0)),
        found=np.pad(track.found, (before, 0)),
        detector=track.detector,
    )


def _some(track: FaceTrack, numbers: NDArray[np.int64]) -> FaceTrack:
    return FaceTrack(
        track.boxes[numbers], track.landmarks[numbers], track.weight[numbers], track.found[numbers], track.detector
    )
