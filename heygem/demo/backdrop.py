"""A room out of focus behind a presenter: wall, window, shelf, plant, lamps. Knows nothing of people."""

from __future__ import annotations

import cv2
import numpy as np

from heygem.demo.fields import Vectors, step

_ROWS, _COLUMNS = 270, 480


def backdrop(seed: int) -> Vectors:
    """(270, 480, 3) linear light: the room with the number `seed`."""
    rng = np.random.default_rng((seed, 2))
    room = _wall(rng)
    if rng.random() < 0.25:
        return room
    if rng.random() < 0.6:
        _shelf(room, rng)
    if rng.random() < 0.5:
        _window(room, rng)
    if rng.random() < 0.5:
        _plant(room, rng)
    room = cv2.GaussianBlur(room, (0, 0), rng.uniform(5, 11)).astype(np.float32)
    if rng.random() < 0.6:
        _lamps(room, rng)
    return cv2.GaussianBlur(room, (0, 0), 2).astype(np.float32)


def _wall(rng: np.random.Generator) -> Vectors:
    """A wall that is lit from one side and darker at the floor."""
    u = rng.uniform
    tone = u(0.06, 0.38) * np.array([1, u(0.88, 1.08), u(0.75, 1.25)])
    down, across = np.mgrid[:_ROWS, :_COLUMNS] / np.array([_ROWS, _COLUMNS])[:, None, None]
    lit = 1 + u(-0.7, 0.7) * (across - 0.5) - u(0.1, 0.6) * (down - 0.4)
    glow = u(0.1, 0.6) * np.exp(-(((across - u(0.2, 0.8)) / 0.35) ** 2) - ((down - u(0.1, 0.5)) / 0.4) ** 2)
    result: Vectors = (tone * (lit + glow)[..., None]).astype(np.float32)
    return result


def _shelf(room: Vectors, rng: np.random.Generator) -> None:
    """Boards with books, on one side."""
    left = int(rng.choice([-40, 300]) + rng.integers(-20, 20))
    width, board = int(rng.integers(150, 230)), int(rng.integers(50, 72))
    wood = rng.uniform(0.03, 0.16) * np.array([1.0, 0.7, 0.45])
    cv2.rectangle(room, (left, 0), (left + width, _ROWS), (0.5 * wood).tolist(), -1)
    for top in range(int(rng.integers(-20, 20)), _ROWS, board):
        x = left + 6
        while x < left + width - 8:
            book, tall = int(rng.integers(5, 15)), int(board * rng.uniform(0.5, 0.85))
            colour = rng.uniform(0.04, 0.35) * rng.uniform(0.5, 1.2, 3)
            if rng.random() < 0.85:
                cv2.rectangle(room, (x, top + board - tall), (x + book, top + board - 4), colour.tolist(), -1)
            x += book + 1
        cv2.rectangle(room, (left, top + board - 4), (left + width, top + board), (1.6 * wood).tolist(), -1)


def _window(room: Vectors, rng: np.random.Generator) -> None:
    """Daylight behind bars, on one side."""
    left, top = int(rng.choice([20, 330]) + rng.integers(-15, 15)), int(rng.integers(-30, 20))
    width, height = int(rng.integers(90, 140)), int(rng.integers(140, 200))
    sky = rng.uniform(0.8, 1.3) * np.array([0.92, 1.0, 1.08])
    down = step(0, 1, np.linspace(0, 1, height))[:, None, None]
    pane = sky * (1 - 0.35 * down) * np.ones((height, width, 1))
    rows, columns = slice(max(0, top), top + height), slice(left, min(_COLUMNS, left + width))
    room[rows, columns] = pane[max(0, -top) :, : columns.stop - columns.start].astype(np.float32)
    frame = [0.5, 0.5, 0.5]
    cv2.line(room, (left + width // 2, top), (left + width // 2, top + height), frame, 4)
    cv2.line(room, (left, top + height // 2), (left + width, top + height // 2), frame, 4)


def _plant(room: Vectors, rng: np.random.Generator) -> None:
    """Leaves around a stem, in a corner."""
    foot = np.array([rng.choice([40.0, 440.0]) + rng.uniform(-20, 20), _ROWS])
    for _ in range(int(rng.integers(14, 26))):
        angle, length = rng.uniform(-2.5, -0.6), rng.uniform(60, 150)
        tip = foot + length * np.array([np.cos(angle), np.sin(angle)])
        green = rng.uniform(0.4, 1.1) * np.array([0.05, 0.14, 0.04])
        axes = (int(rng.integers(18, 34)), int(rng.integers(5, 10)))
        centre = (int(tip[0]), int(tip[1]))
        cv2.ellipse(room, centre, axes, float(np.degrees(angle)), 0, 360, green.tolist(), -1, cv2.LINE_AA)


def _lamps(room: Vectors, rng: np.random.Generator) -> None:
    """Far lights as discs, as a wide lens draws them."""
    radius = int(rng.integers(7, 14))
    tint = np.array([1.0, rng.uniform(0.7, 0.95), rng.uniform(0.4, 0.9)])
    for _ in range(int(rng.integers(4, 14))):
        glow = np.zeros_like(room)
        centre = (int(rng.integers(0, _COLUMNS)), int(rng.integers(0, _ROWS * 2 // 3)))
        cv2.circle(glow, centre, radius, (rng.uniform(0.08, 0.4) * tint).tolist(), -1, cv2.LINE_AA)
        room += glow
