"""ONE FRAME OF A PRESENTER: from who, pose and articulation to a picture with its face box and landmarks.

Read this first: it draws the layers from the back to the front. Knows nothing of sounds, clips or networks.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from heygem.demo.backdrop import backdrop
from heygem.demo.body import ear, paint_bust, shape_bust
from heygem.demo.clothes import collar, dress
from heygem.demo.expression import Mouth, head_normals, posed
from heygem.demo.eyes import paint_eyes
from heygem.demo.facial_hair import grow_beard, grow_brows, lashes
from heygem.demo.fields import Field, Vectors
from heygem.demo.glasses import draw_glasses
from heygem.demo.hair import Strands, grow_hair
from heygem.demo.head import shape_head
from heygem.demo.identity import Identity
from heygem.demo.lit_strands import shade_strands
from heygem.demo.mouth import interior
from heygem.demo.raster import FAR, draw_mesh, draw_strands
from heygem.demo.scalp import outward
from heygem.demo.shading import CLOTH_WRAP, SKIN_WRAP, Light, Surface, developed, normals_of, shaded
from heygem.demo.skin import paint_face
from heygem.demo.view import STILL, Camera, Pose, projected, rotation, seen, turned

_SUPERSAMPLING = 2
_NECK_SWAY, _CHEST_SWAY = 0.5, 0.12
"""Share of the head's movement that they follow."""


@dataclass(frozen=True)
class Portrait:
    """A frame and what is known of it.

    Attributes:
        rgb: (H, W, 3) uint8.
        box: (4,) float32: left, top, right, bottom of the face, forehead to chin, as a detector answers it.
        landmarks: (5, 2) float32: left eye, right eye, nose, left and right mouth corner, as seen in the picture.
        opening: Distance between the lips, head units.
    """

    rgb: NDArray[np.uint8]
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    opening: float


class Presenter:
    """Draws one person.

    Args:
        person: Who.
        light: The light; that of the person's seed by default.
        room: What is behind, (h, w, 3) linear light; that of the person's seed by default.
        detail: Density of the meshes: 1 for crops of 96 pixels, 2.2 for 720p.
    """

    def __init__(
        self, person: Identity, *, light: Light | None = None, room: Vectors | None = None, detail: float = 1.0
    ) -> None:
        self.person = person
        self.light = Light.of(person.seed) if light is None else light
        self._room = backdrop(person.seed) if room is None else room
        rng = np.random.default_rng((person.seed, 3))
        self._head = shape_head(person, rng, detail)
        self._face = paint_face(person, self._head, rng, detail)
        bust = shape_bust(person, detail)
        self._bust, self._loose = dress(person, bust, paint_bust(person, bust, rng), rng), bust.loose
        self._collar = list(collar(person, detail))
        self._ears = [ear(person, side, detail) for side in (-1, 1)]
        self._detail = detail
        self._brows = grow_brows(person, self._head, rng, detail)
        self._beard = grow_beard(person, self._head, rng, detail)
        self._hair = grow_hair(person, rng, detail)
        self._hair_outwards = outward(person, self._hair.points)
        self._last: tuple[tuple[Pose, Camera], _Canvas, _Seen] | None = None

    def frame(
        self,
        articulation: NDArray[np.float32],
        pose: Pose = STILL,
        blink: float = 0.0,
        gaze: tuple[float, float] = (0.0, 0.0),
        *,
        size: tuple[int, int],
        camera: Camera | None = None,
        grain: float = 0.0,
        blur_px: float = 0.0,
        grain_seed: int = 0,
    ) -> Portrait:
        """One frame; the same arguments give the same picture.

        Args:
            articulation: (8,) as in `articulation.CHANNELS`.
            pose: How the head is held.
            blink: 0 open, 1 shut.
            gaze: Where to look, -1..1 to the right and down.
            size: Height and width in pixels.
            camera: What to see; head and shoulders by default.
            grain: Standard deviation of the sensor's noise, as a share of white.
            blur_px: Sigma of the lens's blur.
            grain_seed: Which noise.
        """
        height, width = size
        view = camera or Camera(0, 0.28, 0.264 * height, width, height)
        mouth = Mouth.of(self.person, articulation)
        linear = self._draw(mouth, pose, blink, gaze, view.times(_SUPERSAMPLING))
        small = cv2.resize(linear, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        rng = np.random.default_rng((self.person.seed, 4, grain_seed))
        rgb = developed(small, self.light.exposure, rng, grain=grain, blur_px=blur_px)
        return Portrait(rgb, self.face_box(pose, view), self._landmarks(mouth, pose, view), mouth.opening)

    def face_box(self, pose: Pose, camera: Camera) -> NDArray[np.float32]:
        """(4,): where a detector would see the face, whatever the mouth does."""
        middle = projected(np.array([[0, 0.12, 0.5]], np.float32), pose, camera)[0, :2]
        half, above, below = 0.72, 1.06, self.person.chin - 0.08
        scale = camera.px_per_unit
        return np.array(
            [middle[0] - half * scale, middle[1] - above * scale, middle[0] + half * scale, middle[1] + below * scale],
            np.float32,
        )

    def _landmarks(self, mouth: Mouth, pose: Pose, camera: Camera) -> NDArray[np.float32]:
        person = self.person
        corner = person.mouth_width * mouth.stretch
        corner_y = person.mouth_y + 0.22 * mouth.drop
        eye_z = self._depth(person.eye_x, person.eye_y)
        mouth_z = self._depth(person.mouth_width, person.mouth_y)
        points = [[-person.eye_x, person.eye_y, eye_z], [person.eye_x, person.eye_y, eye_z]]
        points += [[0, person.nose_y, self._depth(0, person.nose_y)]]
        points += [[-corner, corner_y, mouth_z], [corner, corner_y, mouth_z]]
        return projected(np.array(points, np.float32), pose, camera)[:, :2]

    def _depth(self, x: float, y: float) -> float:
        row = int(np.argmin(np.abs(self._head.flat_y[:, 0] - y)))
        column = int(np.argmin(np.abs(self._head.points[row, :, 0] - x)))
        return float(self._head.points[row, column, 2])

    def _draw(self, mouth: Mouth, pose: Pose, blink: float, gaze: tuple[float, float], camera: Camera) -> Vectors:
        """(H, W, 3) linear light."""
        canvas, hair = self._around(pose, camera)
        seam_z = float(self._head.points[self._head.seam_row, self._head.points.shape[1] // 2, 2])
        for surface in interior(self.person, mouth, seam_z):
            canvas.draw(surface, wrap=SKIN_WRAP)
        self._draw_face(canvas, mouth, blink, gaze)
        draw_glasses(self.person, pose, camera, self.light, canvas.picture)
        canvas.blend(hair)
        return canvas.picture

    def _around(self, pose: Pose, camera: Camera) -> tuple[_Canvas, _Seen]:
        """What is behind the face, drawn, and the hair over it: the same for every mouth in this pose."""
        if self._last is None or self._last[0] != (pose, camera):
            canvas = self._behind(pose, camera)
            self._last = (pose, camera), canvas, canvas.see(self._hair, self._hair_outwards)
        _, canvas, hair = self._last
        return canvas.copy(), hair

    def _behind(self, pose: Pose, camera: Camera) -> _Canvas:
        canvas = _Canvas(self._room, self.light, pose, camera)
        canvas.draw(self._bust, loose=self._loose, wrap=SKIN_WRAP)
        for surface in self._collar:
            canvas.draw(surface, loose=np.float32(0.6))
        for surface in self._ears:
            canvas.draw(surface, wrap=SKIN_WRAP)
        return canvas

    def _draw_face(self, canvas: _Canvas, mouth: Mouth, blink: float, gaze: tuple[float, float]) -> None:
        points = posed(self._head, self.person, mouth)
        normals = head_normals(self._head, self.person, points)
        apart = np.clip(6 * mouth.opening, 0, 1) * np.exp(-self._head.seam_distance / 0.014) * self._head.lip_profile
        face = replace(
            self._face,
            points=points,
            albedo=self._face.albedo.copy(),
            gloss=self._face.gloss.copy(),
            openness=self._face.openness * (1 - 0.35 * apart),
        )
        side = float(np.sign(self.light.directions[0, 0]))
        paint_eyes(self.person, face, normals, blink=blink, gaze=gaze, light_side=side)
        row = self._head.seam_row
        canvas.draw(_rows(face, slice(0, row)), normals[:row], wrap=SKIN_WRAP)
        canvas.draw(_rows(face, slice(row, None)), normals[row:], wrap=SKIN_WRAP)
        growths = [growth.on(points) for growth in (self._brows, self._beard) if growth is not None]
        for strands in (*growths, lashes(self.person, points, self._head, blink, self._detail)):
            canvas.blend(canvas.see(strands, outward(self.person, strands.points)), slack=0.06)


@dataclass(frozen=True)
class _Seen:
    """Strands as they are seen and lit from one side; arguments of `draw_strands`."""

    points: Vectors
    colours: Vectors
    alpha: Field
    thickness: Field


class _Canvas:
    """A picture in the making, and the view that everything is drawn with."""

    def __init__(self, room: Vectors, light: Light, pose: Pose, camera: Camera) -> None:
        size = (camera.width, camera.height)
        self.picture = cv2.resize(room, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        self.depth = np.full((camera.height, camera.width), FAR, np.float32)
        self._light, self._pose, self._camera = light, pose, camera

    def draw(
        self,
        surface: Surface,
        normals: Vectors | None = None,
        *,
        loose: Field | np.float32 | None = None,
        wrap: NDArray[np.float32] = CLOTH_WRAP,
    ) -> None:
        """Draw `surface`.

        Args:
            surface: What.
            normals: Its normals before the head turned; computed if None, and then it is seen from both sides.
            loose: 0 where it follows as the neck does, 1 as the chest does; None: it is part of the head.
            wrap: How far light reaches around it.
        """
        if loose is None:
            points = turned(surface.points, self._pose)
        else:
            share = np.asarray(loose)[..., None]
            points = turned(surface.points, self._pose, _NECK_SWAY) * (1 - share)
            points = points + turned(surface.points, self._pose, _CHEST_SWAY) * share
        points = points.astype(np.float32)
        if normals is None:
            facing = normals_of(points)
            facing = np.where(facing[..., 2:3] < -0.5, -facing, facing)
        else:
            facing = normals @ rotation(self._pose).T
        lit = shaded(surface, facing, self._light, wrap)
        draw_mesh(seen(points, self._camera), lit, surface.alpha, self.picture, self.depth)

    def see(self, strands: Strands, outwards: Vectors) -> _Seen:
        """Turn and light `strands`, which grow on the head; `outwards` are the normals of what they grow on."""
        turn = rotation(self._pose)
        points = turned(strands.points, self._pose).astype(np.float32)
        facing = (outwards @ turn.T).astype(np.float32)
        lit = shade_strands(points, facing, strands.albedo, strands.openness, self._light)
        thickness = (strands.thickness * self._camera.px_per_unit).astype(np.float32)
        return _Seen(seen(points, self._camera), lit, strands.alpha, thickness)

    def blend(self, hair: _Seen, slack: float = 0.03) -> None:
        """Draw strands where nothing is nearer than `slack` before them."""
        draw_strands(hair.points, hair.colours, hair.alpha, hair.thickness, self.picture, self.depth, slack)

    def copy(self) -> _Canvas:
        """The same picture so far, to be drawn on separately."""
        twin = copy.copy(self)
        twin.picture, twin.depth = self.picture.copy(), self.depth.copy()
        return twin


def _rows(surface: Surface, rows: slice) -> Surface:
    """Some rows of a surface."""
    return Surface(
        surface.points[rows],
        surface.albedo[rows],
        surface.gloss[rows],
        surface.polish[rows],
        surface.openness[rows],
        surface.alpha[rows],
    )
