"""The speaker's face through a clip, out of all that was detected: chosen, gaps bridged, steadied.

Knows nothing of pictures: it works on `Detections`.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from heygem.errors import NoFaceError, Text
from heygem.faces import Smoothing
from heygem.faces.detections import Detections
from heygem.faces.face import FaceTrack
from heygem.faces.people import Person, centre_of, people_in, size_of
from heygem.faces.smoothing import smooth_run

_BRIDGED_GAP_S = 0.5
"""Longest gap in which the face is taken to have moved straight on."""
_FADE_S = 0.16
"""How long what is drawn takes to vanish before a longer gap, and to come back after it."""
_JUMP = 0.6
"""Faces of neighbouring frames that are further apart, in face sizes, are not joined by any movement."""
_GAP_JUMP = 1.5
"""The same for faces with a gap between them."""


def build_track(detections: Detections, *, face: str, smooth: Smoothing, fps: Fraction) -> FaceTrack:
    """Follow one person through each scene of a clip.

    Args:
        detections: All faces of the clip.
        face: largest (by area, weighted by presence), first (to appear), leftmost, or a number counted from 0 in order
            of appearance, then from left to right; chosen anew in each scene.
        smooth: How boxes and landmarks are smoothed; never across a cut, a jump or a long gap.
        fps: Frames per second.

    Raises:
        NoFaceError: no frame shows a face, or no scene shows as many people as `face` wants.
    """
    count = len(detections)
    boxes = np.full((count, 4), np.nan, dtype=np.float32)
    landmarks = np.full((count, 5, 2), np.nan, dtype=np.float32)
    weight = np.zeros(count, dtype=np.float32)
    found = np.zeros(count, dtype=bool)
    most_people = 0
    for start, stop in detections.scenes():
        people = people_in(detections.of_frames(start, stop), start, fps)
        most_people = max(most_people, len(people))
        person = _choose(people, face)
        if person is None:
            continue
        boxes[person.frames], landmarks[person.frames] = person.boxes, person.landmarks
        found[person.frames] = True
        runs = _fill_gaps(boxes, landmarks, person, fps)
        for first, end in runs:
            boxes[first:end], landmarks[first:end] = smooth_run(boxes[first:end], landmarks[first:end], smooth, fps)
            weight[first:end] = 1
        _fade(weight, runs, start, stop, fps)
    if not found.any():
        raise _no_face(detections, face, most_people)
    return FaceTrack(boxes, landmarks, weight, found, detections.detector)


def gaps(track: FaceTrack, fps: Fraction) -> list[tuple[float, float]]:
    """Start and end, in seconds, of every stretch in which there is no face and the picture stays as it is."""
    ranges = []
    for is_gap, group in groupby(range(len(track)), key=lambda frame: bool(track.weight[frame] == 0)):
        if is_gap:
            frames = list(group)
            ranges.append((float(frames[0] / fps), float((frames[-1] + 1) / fps)))
    return ranges


def _choose(people: list[Person], face: str) -> Person | None:
    """Who is meant, of the people of a scene in order of appearance; None if that is nobody."""
    if not people:
        return None
    if face == "largest":
        return max(people, key=Person.area)
    if face == "leftmost":
        return min(people, key=Person.mean_x)
    index = 0 if face == "first" else int(face)
    return people[index] if index < len(people) else None


def _fill_gaps(
    boxes: NDArray[np.float32], landmarks: NDArray[np.float32], person: Person, fps: Fraction
) -> list[tuple[int, int]]:
    """Interpolate short gaps in place.

    Returns:
        First frame and frame after the last of each run of frames that one movement joins.
    """
    starts, ends = [person.frames[0]], []
    for before, after in pairwise(person.frames):
        missing = after - before - 1
        jump = float(np.linalg.norm(centre_of(boxes[after]) - centre_of(boxes[before]))) / size_of(boxes[before])
        if missing > _BRIDGED_GAP_S * fps or jump > (_GAP_JUMP if missing else _JUMP):
            ends.append(before + 1)
            starts.append(after)
            continue
        for values in (boxes, landmarks):
            for frame in range(before + 1, after):
                share = (frame - before) / (missing + 1)
                values[frame] = (1 - share) * values[before] + share * values[after]
    return list(zip(starts, [*ends, person.frames[-1] + 1], strict=True))


def _fade(weight: NDArray[np.float32], runs: list[tuple[int, int]], start: int, stop: int, fps: Fraction) -> None:
    """Lower the weight, in place, where a run begins or ends at a gap: neither at a scene's end nor at another run."""
    length = max(1, round(_FADE_S * fps))
    ramp = (np.arange(length, dtype=np.float32) + 1) / (length + 1)
    firsts, ends = {first for first, _ in runs}, {end for _, end in runs}
    for first, end in runs:
        steps = min(length, end - first)
        if first not in ends | {start}:
            weight[first : first + steps] = np.minimum(weight[first : first + steps], ramp[:steps])
        if end not in firsts | {stop}:
            weight[end - steps : end] = np.minimum(weight[end - steps : end], ramp[:steps][::-1])


def _no_face(detections: Detections, face: str, most_people: int) -> NoFaceError:
    if most_people:
        return NoFaceError(
            Text(
                f"没有第 {face} 号人脸：画面中最多有 {most_people} 个人，从 0 开始编号。",
                f"There is no face number {face}: at most {most_people} people are seen, numbered from 0.",
            ),
            hint=Text("请选择较小的序号或 largest。", "Choose a smaller number, or largest."),
            code="no_such_face",
        )
    detector = detections.detector.partition("/")[0]
    return NoFaceError(
        Text(
            f"在 {len(detections)} 帧中没有找到人脸（检测器：{detector}）。",
            f"No face was found in {len(detections)} frames (detector: {detector}).",
        ),
        hint=Text("请使用能看清说话人正脸的视频。", "Use a video that shows the speaker's face clearly."),
    )
