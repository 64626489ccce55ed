"""How surfaces answer light, and how light becomes a picture. Knows nothing of heads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from heygem.demo.compiled import compiled
from heygem.demo.fields import Field, Vectors, blurred

SKIN_WRAP = np.array([0.42, 0.26, 0.18], np.float32)
"""How far light wraps around skin, per colour: red travels furthest below the surface."""
CLOTH_WRAP = np.array([0.2, 0.2, 0.2], np.float32)


@dataclass(frozen=True)
class Light:
    """Where a presenter's light comes from: key, fill, rim and top.

    Attributes:
        directions: (4, 3) unit vectors towards the light; x right, y down, z to the viewer.
        colours: (4, 3) linear.
        highlights: (4,) strength of each light's reflections.
        ambient: (3,) linear.
        exposure: Factor on everything.
    """

    directions: NDArray[np.float32]
    colours: NDArray[np.float32]
    highlights: NDArray[np.float32]
    ambient: NDArray[np.float32]
    exposure: float

    @classmethod
    def of(cls, seed: int) -> Self:
        """The light with the number `seed`."""
        rng = np.random.default_rng((seed, 1))
        u = rng.uniform
        side = rng.choice([-1.0, 1.0])
        directions = np.array(
            [
                [side * u(0.1, 1.1), -u(0.2, 0.9), u(0.6, 1.1)],
                [-side * u(0.4, 1.2), -u(-0.1, 0.3), u(0.5, 1.0)],
                [-side * u(0.8, 1.4), -u(0.2, 0.8), -u(0.1, 0.6)],
                [0, -1, u(0.1, 0.4)],
            ]
        )
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        warmth, power = u(-1, 1), u(0.85, 1.25)
        key = np.array([1 + 0.14 * warmth, 1, 1 - 0.18 * warmth])
        fill = np.array([1 - 0.1 * warmth, 1, 1 + 0.12 * warmth])
        colours = power * np.array([key * u(0.75, 1.15), fill * u(0.12, 0.5), key * u(0, 0.5), fill * u(0.05, 0.3)])
        return cls(
            directions=directions.astype(np.float32),
            colours=colours.astype(np.float32),
            highlights=np.array([1, 0.6, 0.5, 0.3], np.float32),
            ambient=(np.array([1, 1, 1.05]) * u(0.12, 0.28) * power).astype(np.float32),
            exposure=float(u(0.85, 1.15)),
        )


@dataclass(frozen=True)
class Surface:
    """A mesh and what it is made of; all over the same (r, c) grid.

    Attributes:
        points: Where its vertices are, in head units.
        albedo: Linear colour.
        gloss: Strength of its reflections.
        polish: Sharpness of its reflections (Blinn's exponent).
        openness: Share of the surroundings' light that reaches it (ambient occlusion).
        alpha: How much it covers.
    """

    points: Vectors
    albedo: Vectors
    gloss: Field
    polish: Field
    openness: Field
    alpha: Field


@compiled
def _normals_into(points: Vectors, normals: Vectors) -> None:
    rows, columns, _ = points.shape
    for i in range(rows):
        above, below = max(i - 1, 0), min(i + 1, rows - 1)
        for j in range(columns):
            left, right = max(j - 1, 0), min(j + 1, columns - 1)
            ux = points[i, right, 0] - points[i, left, 0]
            uy = points[i, right, 1] - points[i, left, 1]
            uz = points[i, right, 2] - points[i, left, 2]
            vx = points[below, j, 0] - points[above, j, 0]
            vy = points[below, j, 1] - points[above, j, 1]
            vz = points[below, j, 2] - points[above, j, 2]
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            length = math.sqrt(nx * nx + ny * ny + nz * nz + 1e-18)
            normals[i, j, 0], normals[i, j, 1], normals[i, j, 2] = nx / length, ny / length, nz / length


def normals_of(points: Vectors) -> Vectors:
    """Unit normals of a grid of vertices; towards the viewer where columns run right and rows down."""
    normals = np.empty_like(points)
    _normals_into(np.ascontiguousarray(points), normals)
    return normals


@compiled
def _shade_into(
    normals: Vectors,
    albedo: Vectors,
    gloss: Field,
    polish: Field,
    openness: Field,
    directions: NDArray[np.float32],
    colours: NDArray[np.float32],
    highlights: NDArray[np.float32],
    wrap: NDArray[np.float32],
    ambient: NDArray[np.float32],
    lit: Vectors,
) -> None:
    rows, columns, _ = normals.shape
    for i in range(rows):
        for j in range(columns):
            nx, ny, nz = normals[i, j, 0], normals[i, j, 1], normals[i, j, 2]
            shine_r, shine_g, shine_b = 0.0, 0.0, 0.0
            fall_r, fall_g, fall_b = 0.0, 0.0, 0.0
            for k in range(directions.shape[0]):
                lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
                facing = nx * lx + ny * ly + nz * lz
                fall_r += max(0.0, (facing + wrap[0]) / (1 + wrap[0])) * colours[k, 0]
                fall_g += max(0.0, (facing + wrap[1]) / (1 + wrap[1])) * colours[k, 1]
                fall_b += max(0.0, (facing + wrap[2]) / (1 + wrap[2])) * colours[k, 2]
                if facing > 0:
                    length = math.sqrt(lx * lx + ly * ly + (lz + 1) * (lz + 1))
                    half = (nx * lx + ny * ly + nz * (lz + 1)) / length
                    if half > 0:
                        strength = gloss[i, j] * highlights[k] * half ** polish[i, j]
                        shine_r += strength * colours[k, 0]
                        shine_g += strength * colours[k, 1]
                        shine_b += strength * colours[k, 2]
            reach = openness[i, j]
            sky = (0.775 - 0.225 * ny) * reach
            grazing = 1 - abs(nz)
            edge = grazing * grazing * grazing * 0.1
            # Light that bounces inside a crease comes out red.
            lit[i, j, 0] = albedo[i, j, 0] * (fall_r * reach**0.7 + ambient[0] * sky)
            lit[i, j, 1] = albedo[i, j, 1] * (fall_g * reach + ambient[1] * sky)
            lit[i, j, 2] = albedo[i, j, 2] * (fall_b * reach + ambient[2] * sky)
            lit[i, j, 0] += (shine_r + edge * ambient[0]) * reach
            lit[i, j, 1] += (shine_g + edge * ambient[1]) * reach
            lit[i, j, 2] += (shine_b + edge * ambient[2]) * reach


def shaded(surface: Surface, normals: Vectors, light: Light, wrap: NDArray[np.float32] = CLOTH_WRAP) -> Vectors:
    """Linear colour of each vertex: wrapped diffuse light, Blinn's highlights, ambient light and a bright edge.

    Args:
        surface: Its points are not used.
        normals: Of the surface, as it is turned now.
        light: Where light comes from.
        wrap: (3,) how far light reaches around the surface, per colour.
    """
    lit = np.empty_like(normals)
    _shade_into(
        np.ascontiguousarray(normals),
        surface.albedo,
        surface.gloss,
        surface.polish,
        surface.openness,
        light.directions,
        light.colours,
        light.highlights,
        wrap,
        light.ambient,
        lit,
    )
    return lit


def developed(
    linear: Vectors, exposure: float, rng: np.random.Generator, *, grain: float = 0.0, blur_px: float = 0.0
) -> NDArray[np.uint8]:
    """What a camera makes of light: soft shoulder, gamma, blur and grain.

    Args:
        linear: (H, W, 3) linear light.
        exposure: Factor on it.
        rng: Of the grain.
        grain: Standard deviation of the sensor's noise, as a share of white.
        blur_px: Sigma of the lens's blur.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    x = np.clip(linear, 0, 8) * exposure
    if blur_px > 0:
        x = blurred(x, blur_px)
    x = np.clip(1.28 * x * (1 + 0.06 * x) / (1 + 0.42 * x), 0, 1) ** (1 / 2.2)
    if grain > 0:
        x = x + grain * rng.standard_normal(x.shape, dtype=np.float32)
    rgb: NDArray[np.uint8] = (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)
    return rgb
