"""One job from files to file. Read this first."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import MappingProxyType

from heygem.errors import ShareDrawn
from heygem.faces.face import FaceTrack
from heygem.faces.track import build_track
from heygem.faces.track_cache import DetectionCache
from heygem.media.video_source import VideoSource
from heygem.pipeline.drawing import Drawing, Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Progress, Stage
from heygem.pipeline.segments import draw_in_segments
from heygem.pipeline.shares import GROUNDWORK, LONG_SEGMENTS, SEGMENT_S, WHOLE, Share
from heygem.pipeline.tracking import find_in_first

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a job did.

    Attributes:
        frames, fps: Length and rate of the result.
        width, height: Its size in pixels.
        track: Where the face was, in as much of the clip as is shown.
        was_tracked_before: The clip's faces were found in the cache.
        tracking_s, drawing_s: Seconds that the two passes took.
        first: Number of its first frame in the whole result: 0 but for a preview.
    """

    frames: int
    fps: Fraction
    width: int
    height: int
    track: FaceTrack
    was_tracked_before: bool
    tracking_s: float
    drawing_s: float
    first: int = 0


def render(
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
    segment_s: Fraction = SEGMENT_S,
    share: Share = WHOLE,
) -> Report:
    """Write `output`: the picture of `video`, speaking `speech`.

    The result lasts as long as the speech. Few frames are held at a time; what grows with length is the spectrogram
    and a few numbers per frame.

    Args:
        video: The clip.
        speech: What is said.
        output: The video to make.
        engines: The loaded models.
        options: The user's choices.
        cache: The faces of clips that were seen before.
        progress: Somebody who watches.
        is_labelled: Draw the visible label.
        metadata: What the container of the result says of it, by key.
        segment_s: Seconds of a long result that are lost at the most when the job is cut short and runs again.
        share: What to draw of a long result, if several draw it. A short one is drawn by one alone.

    Raises:
        InputError: the clip cannot be used, or shows no face; nothing is drawn then.
        ModelError: the device cannot run the models.
        EncodeError: the result cannot be written; nothing is left of it.
        ShareDrawn: the segments of a share are beside where the result will be.
        JobUnwound: from `progress`.
    """
    source = VideoSource(video, fps=options.fps)
    fps = source.info.fps
    count = ceil(speech.audio.duration * fps)

    started = time.monotonic()
    detections, was_cached = find_in_first(count, source, engines.searcher, cache, progress)
    track = build_track(detections, face=options.face, smooth=options.smooth, fps=fps)
    tracked = time.monotonic()
    log.info("face in %.0f %% of %d frames (%s)", 100 * track.coverage, len(track), track.detector)

    drawing = Drawing(source, track, speech, engines, options, count, is_labelled)
    if share == GROUNDWORK:
        raise ShareDrawn
    if count <= LONG_SEGMENTS * drawing.frames_in(segment_s):
        with drawing.sink(output, speech.audio, metadata) as sink:
            drawing.draw(range(count), sink, progress)
            progress.tick(Stage.FINISHING, 0)
    else:
        draw_in_segments(drawing, output, metadata, progress, segment_s=segment_s, share=share)
    return Report(
        frames=count,
        fps=fps,
        width=source.info.width,
        height=source.info.height,
        track=track,
        was_tracked_before=was_cached,
        tracking_s=tracked - started,
        drawing_s=time.monotonic() - tracked,
    )
