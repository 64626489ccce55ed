"""How hair answers light. Knows nothing of where it grows."""

from __future__ import annotations

import numpy as np

from heygem.demo.fields import Field, Vectors
from heygem.demo.shading import Light

_SHEEN, _COAT = 22.0, 90.0
"""Sharpness of the coloured and of the white reflection."""


def shade_strands(points: Vectors, outwards: Vectors, albedo: Vectors, openness: Field, light: Light) -> Vectors:
    """(n, s, 3) linear colour of strands, by their direction (Kajiya & Kay 1989).

    Args:
        points: (n, s, 3), turned as they are seen.
        outwards: (n, s, 3) unit vectors away from what they grow on: which side is in shadow.
        albedo: (n, s, 3).
        openness: (n, s) share of the light that reaches them.
        light: Where light comes from.
    """
    along = np.gradient(points, axis=1).astype(np.float32)
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9
    lit = albedo * light.ambient * openness[..., None]
    for direction, colour, highlight in zip(light.directions, light.colours, light.highlights, strict=True):
        half = direction + np.array([0, 0, 1], np.float32)
        half /= np.linalg.norm(half)
        across = np.sqrt(np.clip(1 - (along @ direction) ** 2, 0, 1))
        shine = np.sqrt(np.clip(1 - (along @ half) ** 2, 0, 1))
        facing = np.clip((outwards @ direction + 0.35) / 1.35, 0, 1) * openness
        diffuse = albedo * (0.85 * across * facing)[..., None]
        sheen = albedo * (1.1 * highlight * shine**_SHEEN * facing)[..., None]
        coat = (0.035 * highlight * shine**_COAT * facing)[..., None]
        lit = lit + (diffuse + sheen + coat) * colour
    return lit.astype(np.float32)
