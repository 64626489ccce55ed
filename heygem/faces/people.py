"""Which faces of a scene are the same person's: by place, movement and size, never by looks.

Knows nothing of pictures, and not whose face is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

_REACH = 0.5
"""How far from where it is expected a face may be found in the next frame, in face sizes."""
_REACH_PER_MISSED_FRAME = 0.05
_MAX_REACH = 1.2
_MAX_SIZE_STEP = 0.5
"""Largest difference of the logarithms of two sizes in a row."""
_VELOCITY_FRAMES = 5
"""Movement is measured over so many frames: over fewer, a detector's jitter looks like movement."""
_BRIDGE_S = 1.0
"""How long a person is expected to go on moving where nobody sees him, as when one walks behind another."""
_REUNION_COST = 2.0
"""Distance in face sizes, plus twice the difference of the logarithms of the sizes, up to which somebody who appears
is one who vanished earlier."""
_SHORTEST_S = 0.2
"""Who is seen for less is not a person but a detector's error."""


@dataclass(slots=True)
class Person:
    """Where one person's face was seen in a scene.

    Attributes:
        frames: Frame numbers, rising.
        boxes: (4,) of each of them.
        landmarks: (5, 2) of each of them.
    """

    frames: list[int] = field(default_factory=list)
    boxes: list[NDArray[np.float32]] = field(default_factory=list)
    landmarks: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, frame: int, box: NDArray[np.float32], landmarks: NDArray[np.float32]) -> None:
        """The face was seen here."""
        self.frames.append(frame)
        self.boxes.append(box)
        self.landmarks.append(landmarks)

    def append(self, later: Person) -> None:
        """`later` is the same person."""
        self.frames += later.frames
        self.boxes += later.boxes
        self.landmarks += later.landmarks

    def area(self) -> float:
        """Sum over the frames, in square pixels."""
        boxes = np.array(self.boxes)
        return float(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).sum())

    def mean_x(self) -> float:
        """Where the face is on average, in pixels from the left."""
        return float(np.mean([centre_of(box)[0] for box in self.boxes]))

    def expected_at(self, frame: int) -> NDArray[np.float64]:
        """Centre of the face if the movement of the last frames goes on."""
        first = max(0, len(self.frames) - _VELOCITY_FRAMES)
        last = centre_of(self.boxes[-1])
        span = self.frames[-1] - self.frames[first]
        velocity = (last - centre_of(self.boxes[first])) / span if span else np.zeros(2)
        return last + velocity * (frame - self.frames[-1])


def centre_of(box: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2,) x, y of a box's centre."""
    return (box[:2].astype(np.float64) + box[2:]) / 2


def size_of(box: NDArray[np.float32]) -> float:
    """Geometric mean of a box's sides, in pixels; at least 1."""
    width, height = np.maximum(box[2:] - box[:2], 1)
    return float(np.sqrt(width * height))


def people_in(
    scene: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]], start: int, fps: Fraction
) -> list[Person]:
    """Sort the faces of a scene by person.

    Args:
        scene: Boxes (n, 4) and landmarks (n, 5, 2) of each frame.
        start: Number of its first frame.
        fps: Frames per second.

    Returns:
        In order of appearance, then from left to right. Who is seen for an instant only is left out.
    """
    bridge = max(1, round(_BRIDGE_S * fps))
    trails: list[Person] = []
    frame = start
    for frame, (boxes, landmarks) in enumerate(scene, start):
        open_trails = [trail for trail in trails if frame - trail.frames[-1] <= bridge]
        taken = _match(open_trails, boxes, frame)
        for index, (box, points) in enumerate(zip(boxes, landmarks, strict=True)):
            if index in taken:
                taken[index].add(frame, box, points)
            else:
                trails.append(Person([frame], [box], [points]))
    shortest = min(max(3, ceil(_SHORTEST_S * fps)), ceil((frame + 1 - start) / 2))
    people = [person for person in _reunite(trails) if len(person.frames) >= shortest]
    return sorted(people, key=lambda person: (person.frames[0], centre_of(person.boxes[0])[0]))


def _match(trails: list[Person], boxes: NDArray[np.float32], frame: int) -> dict[int, Person]:
    """Whose face each box is, by its index; the surest pairs first."""
    pairs = []
    for number, trail in enumerate(trails):
        expected, size = trail.expected_at(frame), size_of(trail.boxes[-1])
        missed = frame - trail.frames[-1] - 1
        reach = min(_MAX_REACH, _REACH + _REACH_PER_MISSED_FRAME * missed)
        for index, box in enumerate(boxes):
            distance = float(np.linalg.norm(centre_of(box) - expected)) / size
            step = abs(float(np.log(size_of(box) / size)))
            if distance < reach and step < _MAX_SIZE_STEP:
                pairs.append((distance + step, number, index))
    matched: set[int] = set()
    taken: dict[int, Person] = {}
    for _, number, index in sorted(pairs):
        if number not in matched and index not in taken:
            matched.add(number)
            taken[index] = trails[number]
    return taken


def _reunite(trails: list[Person]) -> list[Person]:
    """Join trails of one person who was not seen for a while, or who jumped; `trails` in order of appearance."""
    people: list[Person] = []
    for trail in trails:
        costs = [
            (_reunion_cost(person, trail), number)
            for number, person in enumerate(people)
            if person.frames[-1] < trail.frames[0]
        ]
        cost, number = min(costs, default=(np.inf, -1))
        if cost < _REUNION_COST:
            people[number].append(trail)
        else:
            people.append(trail)
    return people


def _reunion_cost(earlier: Person, later: Person) -> float:
    before, after = earlier.boxes[-1], later.boxes[0]
    distance = float(np.linalg.norm(centre_of(after) - centre_of(before))) / size_of(before)
    return distance + 2 * abs(float(np.log(size_of(after) / size_of(before))))
