"""The stages between decoding and encoding. Each takes an iterator of shots and is an iterator of shots.

Frames are changed in place: a frame belongs to the pipeline from the decoder to the encoder. Order is kept, and shots
without a face pass untouched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from heygem.arrays import Affine, Mask
from heygem.batch_memory import BatchMemory
from heygem.cores import each
from heygem.enhance.base import FaceEnhancer
from heygem.faces.crop import Patch, aligned_map, box_map, cut, paste
from heygem.faces.face import FaceTrack
from heygem.faces.mask import face_mask, lip_masks
from heygem.faces.parsing import FaceParser
from heygem.frame import Frame
from heygem.lipsync.base import AudioWindows, Drawn, LipSyncModel
from heygem.pipeline.halving import in_halves
from heygem.pipeline.options import RenderOptions

PARSE_EVERY = 5
"""Frames that share one parsed face mask. The crop follows the face, so the mask moves with it; parsing costs more than
enhancing, and a face changes its outline slowly. Measured on three clips by the outline of the skin, for want of a
truth: over four frames the soft mask changes by 0.7 to 2.1 % on average, over one frame by 0.3 to 0.8 %."""

_MOVED = 8 / 512
"""Share of the crop's side. Where landmarks moved farther since the mask was parsed, the head turned, or there was a
cut: the mask is parsed anew. Half of the mask's blur; in those clips 95 % moved 4.4 / 512 or less."""

_SOONER = 8
"""How many times smaller than the others the first batch of mouths is: the first picture is there so much sooner."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One output frame on its way through the pipeline.

    Attributes:
        index: Number in the result, from 0.
        frame: The picture.
        weight: How much of what is drawn is shown, 0..1; 0: there is no face.
        box, landmarks: The face, as in `faces.face.Face`; NaN where there is none.
    """

    index: int
    frame: Frame
    weight: float
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]


def with_faces(
    frames: Iterable[tuple[int, Frame]], track: FaceTrack, device: torch.device, *, first: int = 0
) -> Iterator[Shot]:
    """Number the frames, beginning with `first`, give each the face of its clip frame and move it to `device`."""
    for index, (at, frame) in enumerate(frames, start=first):
        yield Shot(index, frame.to(device), float(track.weight[at]), track.boxes[at], track.landmarks[at])


def speak(
    shots: Iterable[Shot],
    windows: AudioWindows,
    lips: LipSyncModel,
    batch: BatchMemory,
    *,
    fps: Fraction,
    options: RenderOptions,
) -> Iterator[Shot]:
    """Redraw mouths: frame n hears the recording at n / fps, less the sync offset."""
    offset_s = Fraction(options.sync_offset_ms) / 1000
    for group in in_batches(shots, batch.size, first=max(1, batch.size // _SOONER)):
        faces = [shot for shot in group if shot.weight > 0]
        if faces:
            maps = [box_map(shot.box, options.pads, lips.crop_size) for shot in faces]
            crops = cut([shot.frame for shot in faces], maps, lips.crop_size)
            heard = windows.at([shot.index / fps - offset_s for shot in faces])
            masks = lip_masks(options.mask, [shot.landmarks for shot in faces], maps, lips.crop_size, crops.device)
            parts = in_halves(len(faces), batch, lambda part: lips.draw(crops[part], heard[part]))  # noqa: B023
            patches = (patch for drawn in parts for patch in _patches(drawn))
            shown = (mask * shot.weight for shot, mask in zip(faces, masks, strict=True))
            _paste_each(faces, maps, patches, shown, lips.device)
        yield from group


def sharpen(
    shots: Iterable[Shot],
    enhancer: FaceEnhancer,
    parser: FaceParser | None,
    batch: BatchMemory,
    *,
    strength: float,
) -> Iterator[Shot]:
    """Restore detail in whole faces. With a parser the mask follows their outline, else it is an oval."""
    masks = _FaceMasks(parser, enhancer.crop_size, enhancer.device)
    for group in in_batches(shots, batch.size):
        faces = [shot for shot in group if shot.weight > 0]
        if faces:
            maps = [aligned_map(shot.landmarks, enhancer.crop_size) for shot in faces]
            crops = cut([shot.frame for shot in faces], maps, enhancer.crop_size)
            parts = in_halves(len(faces), batch, lambda part: enhancer.enhance(crops[part]))  # noqa: B023
            colours = torch.cat(parts)
            shown = (
                masks.of(shot.index, _mapped(affine, shot.landmarks), colour) * (shot.weight * strength)
                for shot, affine, colour in zip(faces, maps, colours, strict=True)
            )
            _paste_each(faces, maps, map(Patch, colours), shown, enhancer.device)
        yield from group


def in_batches(shots: Iterable[Shot], size: int, *, first: int | None = None) -> Iterator[list[Shot]]:
    """Lists of `size` shots, the first of them of `first` where that is given; the last may be shorter."""
    group: list[Shot] = []
    room = first or size
    for shot in shots:
        group.append(shot)
        if len(group) == room:
            yield group
            group, room = [], size
    if group:
        yield group


def _paste_each(
    shots: Sequence[Shot], maps: Sequence[Affine], patches: Iterable[Patch], masks: Iterable[Mask], device: torch.device
) -> None:
    frames = [shot.frame for shot in shots]
    pieces = list(zip(frames, maps, patches, masks, strict=True))
    each(lambda piece: paste(*piece), pieces, device, pixels=frames[0].width * frames[0].height)


class _FaceMasks:
    """The mask that an enhanced face is pasted with: parsed anew every `PARSE_EVERY` frames, or when the face moved.

    Whatever came before, it is parsed anew at the multiples of `PARSE_EVERY`: so a part that begins there has the masks
    that it has within the whole.
    """

    def __init__(self, parser: FaceParser | None, size: int, device: torch.device) -> None:
        self._parser = parser
        self._size = size
        self._mask: Mask = face_mask(size, device)
        self._parsed_at = self._shown_at = -PARSE_EVERY
        self._parsed_points: NDArray[np.float64] = np.zeros((5, 2))

    def of(self, index: int, points: NDArray[np.float64], colour: torch.Tensor) -> Mask:
        """(1, S, S) for shot `index`, whose enhanced crop is `colour` (3, S, S) with its landmarks at `points`."""
        if self._parser is not None and self._is_due(index, points):
            self._mask = self._parser.parse(colour[None])[0]
            self._parsed_at, self._parsed_points = index, points
        self._shown_at = index
        return self._mask

    def _is_due(self, index: int, points: NDArray[np.float64]) -> bool:
        was_away = index > self._shown_at + 1
        is_turn = index // PARSE_EVERY != self._parsed_at // PARSE_EVERY
        return was_away or is_turn or np.abs(points - self._parsed_points).max() > _MOVED * self._size


def _mapped(affine: Affine, landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Landmarks of a frame in pixels of the crop."""
    return np.column_stack([landmarks, np.ones(len(landmarks))]) @ np.asarray(affine, np.float64).T


def _patches(drawn: Drawn) -> Iterator[Patch]:
    for i, colour in enumerate(drawn.colour):
        opacity = None if drawn.opacity is None else drawn.opacity[i]
        flow = None if drawn.flow is None else drawn.flow[i]
        yield Patch(colour, opacity, flow)
