"""Draw meshes and strands into a picture with a depth buffer. Knows nothing of what they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from heygem.demo.compiled import compiled
from heygem.demo.fields import Field, Vectors

FAR = -9.0
"""Depth of an empty pixel; larger is nearer."""


@compiled
def _draw_triangle(
    points: Vectors,
    colours: Vectors,
    alpha: Field,
    first: tuple[int, int],
    second: tuple[int, int],
    third: tuple[int, int],
    picture: Vectors,
    depth: Field,
) -> None:
    a0, a1, a2 = alpha[first], alpha[second], alpha[third]
    x0, y0, z0 = points[first[0], first[1], 0], points[first[0], first[1], 1], points[first[0], first[1], 2]
    x1, y1, z1 = points[second[0], second[1], 0], points[second[0], second[1], 1], points[second[0], second[1], 2]
    x2, y2, z2 = points[third[0], third[1], 0], points[third[0], third[1], 1], points[third[0], third[1], 2]
    left = max(0, math.ceil(min(x0, x1, x2) - 1e-3))
    right = min(depth.shape[1] - 1, math.floor(max(x0, x1, x2) + 1e-3))
    top = max(0, math.ceil(min(y0, y1, y2) - 1e-3))
    bottom = min(depth.shape[0] - 1, math.floor(max(y0, y1, y2) + 1e-3))
    area = (y1 - y2) * (x0 - x2) + (x2 - x1) * (y0 - y2)
    if a0 + a1 + a2 <= 0.003 or abs(area) < 1e-9:
        return
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            w0 = ((y1 - y2) * (x - x2) + (x2 - x1) * (y - y2)) / area
            w1 = ((y2 - y0) * (x - x2) + (x0 - x2) * (y - y2)) / area
            w2 = 1 - w0 - w1
            z = w0 * z0 + w1 * z1 + w2 * z2
            a = w0 * a0 + w1 * a1 + w2 * a2
            if min(w0, w1, w2) < -1e-4 or z < depth[y, x] - 1e-6 or a <= 0.003:
                continue
            if a > 0.6:
                depth[y, x] = z
            for k in range(3):
                value = w0 * colours[first[0], first[1], k] + w1 * colours[second[0], second[1], k]
                value += w2 * colours[third[0], third[1], k]
                picture[y, x, k] = picture[y, x, k] * (1 - a) + value * a


@compiled
def draw_mesh(points: Vectors, colours: Vectors, alpha: Field, picture: Vectors, depth: Field) -> None:
    """Blend a grid of quads over `picture`, where nothing in `depth` is nearer.

    Args:
        points: (r, c, 3): column, row and depth of each vertex, in pixels.
        colours: (r, c, 3), linear light.
        alpha: (r, c): how much it covers; above 0.6 it also hides what lies behind.
        picture: (H, W, 3) linear light, changed.
        depth: (H, W), changed.
    """
    rows, columns = alpha.shape
    for i in range(rows - 1):
        for j in range(columns - 1):
            _draw_triangle(points, colours, alpha, (i, j), (i, j + 1), (i + 1, j), picture, depth)
            _draw_triangle(points, colours, alpha, (i + 1, j + 1), (i + 1, j), (i, j + 1), picture, depth)


@compiled
def _draw_segment(
    points: Field,
    colours: Field,
    alpha: NDArray[np.float32],
    thickness: NDArray[np.float32],
    s: int,
    picture: Vectors,
    depth: Field,
    slack: float,
) -> None:
    x0, y0 = points[s, 0], points[s, 1]
    dx, dy = points[s + 1, 0] - x0, points[s + 1, 1] - y0
    square = dx * dx + dy * dy
    if square < 1e-9:
        return
    reach = max(thickness[s], thickness[s + 1], 0.5) + 0.5
    left = max(0, math.ceil(min(x0, x0 + dx) - reach))
    right = min(depth.shape[1] - 1, math.floor(max(x0, x0 + dx) + reach))
    top = max(0, math.ceil(min(y0, y0 + dy) - reach))
    bottom = min(depth.shape[0] - 1, math.floor(max(y0, y0 + dy) + reach))
    per_length, per_square = 1 / math.sqrt(square), 1 / square
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            t = ((x - x0) * dx + (y - y0) * dy) * per_square
            across = abs((x - x0) * dy - (y - y0) * dx) * per_length
            # Half open: a pixel between two segments of a strand belongs to one of them.
            if t < 0 or t >= 1 or across > reach:
                continue
            half = thickness[s] * (1 - t) + thickness[s + 1] * t
            cover = min(1.0, max(0.0, max(half, 0.5) + 0.5 - across)) * min(1.0, half / 0.5)
            a = cover * (alpha[s] * (1 - t) + alpha[s + 1] * t)
            z = points[s, 2] * (1 - t) + points[s + 1, 2] * t
            if a <= 0.004 or z < depth[y, x] - slack:
                continue
            if a > 0.5:
                depth[y, x] = max(z, depth[y, x])
            for k in range(3):
                value = colours[s, k] * (1 - t) + colours[s + 1, k] * t
                picture[y, x, k] = picture[y, x, k] * (1 - a) + value * a


@compiled
def draw_strands(
    points: Vectors,
    colours: Vectors,
    alpha: Field,
    thickness: NDArray[np.float32],
    picture: Vectors,
    depth: Field,
    slack: float,
) -> None:
    """Blend soft lines over `picture`, where nothing in `depth` is nearer.

    Args:
        points: (n, s, 3): column, row and depth of s points along each of n strands, in pixels.
        colours: (n, s, 3), linear light.
        alpha: (n, s): how much a strand covers at its middle.
        thickness: (n, s) half width in pixels; a strand thinner than a pixel covers less instead.
        picture: (H, W, 3) linear light, changed.
        depth: (H, W), changed where a strand covers more than half.
        slack: How far behind a surface a strand may lie and still be drawn: what grows on a surface touches it.
    """
    strands, nodes = alpha.shape
    for n in range(strands):
        for s in range(nodes - 1):
            _draw_segment(points[n], colours[n], alpha[n], thickness[n], s, picture, depth, slack)
