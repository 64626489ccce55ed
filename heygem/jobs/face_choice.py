"""Who can be chosen to speak, with a small picture of each, from the few frames of a first look. Knows no detector.

A job numbers the people of each scene in order of appearance, then from left to right. A few frames show that order
only where it cannot be otherwise: all are there in the first frame and stay, and nothing says that the shot changes.
Elsewhere no number is offered, because it might be another person's in the job: only the largest and the leftmost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from heygem.faces.face import Face
from heygem.faces.people import Person, centre_of, people_in, size_of
from heygem.faces.picture import Picture, small_jpeg, working_luma
from heygem.frame import Frame

_THUMBNAIL_PX = 96
_AROUND = 1.5
"""Side of a small picture in face sizes."""
_LUMA_PX = 32
_OTHER_SHOT = 16.0
"""Mean difference of a pixel from the first frame, of 255, that a speaker before a still camera does not reach."""
_STAYS = 0.5
"""Share of the frames in which somebody is seen who stays."""


@dataclass(frozen=True, slots=True)
class FaceChoice:
    """Somebody who can be chosen.

    Attributes:
        values: What `RenderOptions.face` takes for this person, the surest first.
        jpeg: A picture of the face, 96 pixels at most.
    """

    values: tuple[str, ...]
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """What is kept of one frame.

    Attributes:
        number: Of the frame in the clip.
        faces: All that were found.
        jpegs: A small picture of each.
        luma: The whole frame, tiny.
    """

    number: int
    faces: tuple[Face, ...]
    jpegs: tuple[bytes, ...]
    luma: Picture

    @classmethod
    def of(cls, number: int, frame: Frame, faces: Sequence[Face]) -> SampledFrame:
        """Keep a few kilobytes of `frame`."""
        jpegs = tuple(_thumbnail(frame, face.box) for face in faces)
        return cls(number, tuple(faces), jpegs, working_luma(frame, _LUMA_PX))


def face_choices(frames: Sequence[SampledFrame], fps: Fraction) -> tuple[FaceChoice, ...]:
    """Everybody who can be chosen, from left to right; nobody if there is no face.

    Args:
        frames: A first look at a clip, in order.
        fps: How many of them there are to a second of the clip.
    """
    people = people_in([_arrays(frame.faces) for frame in frames], 0, fps)
    if not people:
        return ()
    values: dict[int, list[str]] = {}
    if _are_numbers_sure(frames, people):
        values = {index: [str(index)] for index, person in enumerate(people) if person.frames[0] == 0}
    values.setdefault(max(range(len(people)), key=lambda index: people[index].area()), []).append("largest")
    values.setdefault(min(range(len(people)), key=lambda index: people[index].mean_x()), []).append("leftmost")
    order = sorted(values, key=lambda index: people[index].mean_x())
    return tuple(FaceChoice(tuple(values[index]), _picture_of(people[index], frames)) for index in order)


def _are_numbers_sure(frames: Sequence[SampledFrame], people: Sequence[Person]) -> bool:
    """Whether all who are there in the first frame of the clip are numbered in a job as they are here."""
    first = frames[0]
    at_first = [person for person in people if person.frames[0] == 0]
    one_shot = all(np.abs(frame.luma.astype(np.int16) - first.luma).mean() < _OTHER_SHOT for frame in frames)
    stay = all(len(person.frames) >= _STAYS * len(frames) for person in at_first)
    return first.number == 0 and len(first.faces) == len(at_first) and one_shot and stay


def _arrays(faces: Sequence[Face]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (n, 4) and landmarks (n, 5, 2)."""
    boxes = np.array([face.box for face in faces], dtype=np.float32).reshape(-1, 4)
    return boxes, np.array([face.landmarks for face in faces], dtype=np.float32).reshape(-1, 5, 2)


def _picture_of(person: Person, frames: Sequence[SampledFrame]) -> bytes:
    """The largest picture of somebody."""
    at, box = max(zip(person.frames, person.boxes, strict=True), key=lambda seen: size_of(seen[1]))
    frame = frames[at]
    return next(jpeg for face, jpeg in zip(frame.faces, frame.jpegs, strict=True) if np.array_equal(face.box, box))


def _thumbnail(frame: Frame, box: NDArray[np.float32]) -> bytes:
    """A square around a face as a JPEG, cut where the frame ends."""
    half = _AROUND * size_of(box) / 2
    x, y = centre_of(box)
    left, right = _even(x - half, x + half, frame.width)
    top, bottom = _even(y - half, y + half, frame.height)
    chroma = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
    planes = (frame.y[top:bottom, left:right], frame.u[chroma], frame.v[chroma])
    data = torch.cat([plane.flatten().cpu() for plane in planes])
    return small_jpeg(Frame(data, right - left, bottom - top, frame.colour), _THUMBNAIL_PX)


def _even(start: float, stop: float, length: int) -> tuple[int, int]:
    """The nearest even numbers within 0..length; at least two pixels, whatever a detector says."""
    first = min(max(0, round(start / 2) * 2), length - 2)
    return first, max(first + 2, min(length, round(stop / 2) * 2))
