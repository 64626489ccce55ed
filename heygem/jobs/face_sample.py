"""What a detector sees in a few frames of a clip: a first look before pass 1 reads them all. Knows no models' home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from heygem.errors import NOTHING, Notice, Text
from heygem.faces.detect import FaceDetector
from heygem.faces.people import size_of
from heygem.jobs.face_choice import FaceChoice, SampledFrame, face_choices
from heygem.jobs.notices import coverage_notices, size_notices
from heygem.media.video_source import VideoSource

SAMPLES = 16
"""Frames that are searched."""

_BESIDE = 1 / 3
"""A face of at least this share of the largest one's size is somebody beside the speaker, and not a poster behind."""


@dataclass(frozen=True, slots=True)
class FaceSample:
    """What was seen.

    Attributes:
        looked_at: Frames.
        with_face: Frames with a face.
        size_px: Median over those frames of the largest face: the geometric mean of its sides, pixels; 0 without one.
        people: Most faces of about one size in a frame.
        gaps_s: From when to when no face was seen, seconds; as coarse as the sample.
        choices: Who can be chosen to speak, from left to right.
    """

    looked_at: int
    with_face: int
    size_px: float
    people: int
    gaps_s: tuple[tuple[float, float], ...]
    choices: tuple[FaceChoice, ...]

    @property
    def share(self) -> float:
        """Share of the frames with a face, 0..1."""
        return self.with_face / self.looked_at

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What a user should know of it."""
        if not self.with_face:
            text = Text("抽查的画面中没有人脸。", f"None of {self.looked_at} frames looked at shows a face.")
            return (
                Notice("no_face", text, Text("请换一段正脸的视频。", "Use a clip that shows a face from the front.")),
            )
        several: tuple[Notice, ...] = ()
        if self.people > 1:
            text = Text(
                f"画面中有 {self.people} 个人，默认选最大的脸。",
                f"The clip shows {self.people} people; the largest face speaks by default.",
            )
            hint = Text("可在选项“哪张脸”中指定别人。", "The option “Whose face” chooses another.")
            several = (Notice("several_people", text, hint if len(self.choices) > 1 else NOTHING),)
        return (*coverage_notices(self.share), *size_notices(self.size_px), *several)


def sample_faces(source: VideoSource, detector: FaceDetector, shown: int) -> FaceSample:
    """Search a few frames that are spread evenly over a clip.

    Args:
        source: The clip.
        detector: Who looks.
        shown: Frames of it that a result shows; what lies beyond them is not looked at.

    Raises:
        MediaError: the clip cannot be decoded.
        torch.OutOfMemoryError: a single frame does not fit on the device.
    """
    sample = source.sample(SAMPLES, within=shown)
    frames = [SampledFrame.of(number, frame, *detector.detect([frame])) for number, frame in sample]
    length_s = min(source.info.duration, shown / source.info.fps)
    sizes = [sorted((size_of(face.box) for face in frame.faces), reverse=True) for frame in frames]
    largest = [of_frame[0] for of_frame in sizes if of_frame]
    times_s = [float(frame.number / source.info.fps) for frame in frames]
    return FaceSample(
        looked_at=len(frames),
        with_face=len(largest),
        size_px=median(largest) if largest else 0.0,
        people=max(
            (sum(size >= _BESIDE * of_frame[0] for size in of_frame) for of_frame in sizes if of_frame), default=0
        ),
        gaps_s=_gaps([bool(frame.faces) for frame in frames], times_s, float(length_s)),
        choices=face_choices(frames, len(frames) / max(length_s, 1 / source.info.fps)),
    )


def _gaps(seen: Sequence[bool], times_s: Sequence[float], end_s: float) -> tuple[tuple[float, float], ...]:
    """From when to when no face was seen: each frame stands for the time up to half-way to its neighbours."""
    halves = [(before + after) / 2 for before, after in pairwise(times_s)]
    edges = [0.0, *halves, end_s]
    runs = [[index for index, _ in run] for is_seen, run in groupby(enumerate(seen), lambda at: at[1]) if not is_seen]
    return tuple((round(edges[run[0]], 2), round(edges[run[-1] + 1], 2)) for run in runs)
