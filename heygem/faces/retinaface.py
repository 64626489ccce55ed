"""RetinaFace (Deng et al. 2020, arXiv:1905.00641): faces with five landmarks, by facexlib's network.

One of two doors to facexlib; the other is parsing.py. Knows its networks and the format of their official weights;
finds and downloads nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heygem.device import Placement, precision_name
from heygem.errors import Text, WeightsRefusedError
from heygem.faces.face import Face
from heygem.faces.picture import working_pictures
from heygem.frame import Frame
from heygem.runtime.network import Input
from heygem.weights.load import load_network

Backbone = Literal["resnet50", "mobile0.25"]

_LONG_SIDE_PX = 640
"""Faces are searched in pictures of this size: it finds those of 1/20 of the picture's width and costs 1 % of a job."""
_SCORE_THRESHOLD = 0.7
"""Real faces score 0.95 and more; hands and patterns rarely get beyond 0.6."""
_OVERLAP_THRESHOLD = 0.4
"""Boxes that overlap more (intersection over union) are the same face; facexlib's own value."""
_MEAN_BGR = (104.0, 117.0, 123.0)
"""What the networks were trained to have subtracted."""
_STEPS_PX = (8, 16, 32)
_ANCHOR_SIDES_PX = ((16, 32), (64, 128), (256, 512))
_VARIANCES = (0.1, 0.2)
"""Scales of the networks' offsets: of centres and landmarks, of sizes (as in SSD, arXiv:1512.02325)."""
_BATCH = {"cpu": 8, "cuda": 32}
_INPUTS = (Input(shape=(-1, 3, -1, -1), example=(1, 3, 128, 128)),)


class RetinaFaceDetector:
    """A `faces.detect.FaceDetector` that keeps its network on the device.

    Args:
        network: Of `retinaface_network`, on the device and in the number format of `placement`.
        placement: Where `network` is.
        name: Of backbone and weights.
    """

    def __init__(self, network: nn.Module, placement: Placement, name: str) -> None:
        self._network = network
        self._placement = placement
        self._name = name

    @property
    def identity(self) -> str:
        """Changes whenever the same picture could give other faces."""
        computed = precision_name(self._placement.precision)
        if self._placement.converted_dir is not None:
            computed += "/openvino"
        return f"{self._name}/{computed}/{_LONG_SIDE_PX}px/score{_SCORE_THRESHOLD}/overlap{_OVERLAP_THRESHOLD}"

    @property
    def batch(self) -> int:
        """Frames that `detect` likes to get at once."""
        return _BATCH[self._placement.kind]

    @property
    def at_once(self) -> int:
        """Batches that it likes to have in hand at once: its network takes all cores, or the GPU's memory."""
        return 1

    @torch.inference_mode()
    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Faces of each frame, best score first.

        Args:
            frames: Pictures of one size, on any device.

        Raises:
            torch.OutOfMemoryError: they do not fit on the device; nothing is kept of them.
        """
        if not frames:
            return []
        pictures = working_pictures([frame.to(self._placement.device) for frame in frames], _LONG_SIDE_PX)
        mean = pictures.new_tensor(_MEAN_BGR)[:, None, None]
        inputs = (pictures.flip(1) - mean).to(self._placement.precision, memory_format=torch.channels_last)
        offsets, confidences, landmark_offsets = self._network(inputs)
        scores = confidences[..., 1].float()
        which_frame, which_anchor = torch.nonzero(scores > _SCORE_THRESHOLD, as_tuple=True)
        boxes, landmarks = decode(
            offsets[which_frame, which_anchor].float(),
            landmark_offsets[which_frame, which_anchor].float(),
            anchors(pictures.shape[2], pictures.shape[3]).to(scores.device)[which_anchor],
        )
        size = boxes.new_tensor([frames[0].width, frames[0].height])
        return _best_of_each(
            boxes * size.repeat(2), landmarks * size, scores[which_frame, which_anchor], which_frame, len(frames)
        )


def load_retinaface(backbone: Backbone, path: Path, placement: Placement, sha256: str) -> RetinaFaceDetector:
    """A detector with its network on the device.

    mobile0.25 always computes in fp32: it is small, and bf16 costs it 46 dB.

    Args:
        backbone: Which network the weights are for.
        path: The official file.
        placement: Where to compute, in which number format, by what.
        sha256: Of the file; goes into the detector's identity.

    Raises:
        DeviceError: OpenVINO was to compute, and cannot.
        WeightsRefusedError: the file holds something else.
    """
    if backbone == "mobile0.25":
        placement = replace(placement, precision=torch.float32)
    network = load_network(partial(retinaface_network, backbone), path, _INPUTS, placement)
    return RetinaFaceDetector(network, placement, f"retinaface-{backbone}-{sha256[:12]}")


def retinaface_network(backbone: Backbone, tensors: Mapping[str, Tensor]) -> nn.Module:
    """facexlib's network with these weights, fp32, in evaluation mode, batch normalisation folded.

    It maps (N, 3, H, W) BGR 0..255 less the mean to offsets (N, A, 4), probabilities of background and face (N, A, 2)
    and landmark offsets (N, A, 10) for the A anchors of `anchors`.

    Raises:
        WeightsRefusedError: the tensors are not those of this network.
    """
    # Here and not above: the import takes seconds because of torchvision, and most of the program needs no detector.
    from facexlib.detection.retinaface import RetinaFace

    with warnings.catch_warnings(), torch.device("meta"):
        # facexlib says pretrained=False to torchvision, which fetches nothing but calls that way deprecated.
        warnings.simplefilter("ignore", UserWarning)
        network: nn.Module = RetinaFace(network_name=backbone, device="meta")
    try:
        network.load_state_dict(dict(tensors), strict=True, assign=True)
    except RuntimeError as error:
        raise WeightsRefusedError(
            Text(
                f"这些权重不是 RetinaFace {backbone} 的权重。",
                f"These weights are not those of RetinaFace {backbone}.",
            ),
            hint=Text("请重新下载官方文件。", "Download the official file again."),
        ) from error
    network.float().eval().requires_grad_(False)
    _fold_batch_norms(network)
    return network


def _fold_batch_norms(network: nn.Module) -> None:
    """Fold every batch normalisation into the convolution before it: the same numbers with a layer less."""
    for parent in network.modules():
        # facexlib and torchvision declare the layers of these networks in the order in which they run.
        for (name, layer), (norm_name, norm) in pairwise(list(parent.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(layer, norm))
                setattr(parent, norm_name, nn.Identity())


@lru_cache(maxsize=8)
def anchors(height: int, width: int) -> Tensor:
    """Boxes that the network's offsets are relative to, for pictures of this size.

    Returns:
        (A, 4) float32: centre x, centre y, width, height as shares of the picture's width and height; by step, row,
        column and side, as the network's outputs are.
    """
    levels = []
    for step, sides in zip(_STEPS_PX, _ANCHOR_SIDES_PX, strict=True):
        rows, columns, side = np.meshgrid(
            np.arange(-(-height // step)), np.arange(-(-width // step)), np.array(sides), indexing="ij"
        )
        centres = [(columns + 0.5) * step / width, (rows + 0.5) * step / height]
        levels.append(np.stack([*centres, side / width, side / height], axis=-1).reshape(-1, 4))
    return torch.from_numpy(np.concatenate(levels).astype(np.float32))


def decode(offsets: Tensor, landmark_offsets: Tensor, anchor: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes and landmarks from what the network says about K anchors.

    Args:
        offsets: (K, 4).
        landmark_offsets: (K, 10).
        anchor: (K, 4) of `anchors`.

    Returns:
        (K, 4) left, top, right, bottom and (K, 5, 2) x, y, as shares of the picture's width and height.
    """
    centre, size = anchor[:, :2], anchor[:, 2:]
    box_centre = centre + offsets[:, :2] * _VARIANCES[0] * size
    half = size * torch.exp(offsets[:, 2:] * _VARIANCES[1]) / 2
    landmarks = centre[:, None] + landmark_offsets.view(-1, 5, 2) * _VARIANCES[0] * size[:, None]
    return torch.cat([box_centre - half, box_centre + half], dim=1), landmarks


def _best_of_each(
    boxes: Tensor, landmarks: Tensor, scores: Tensor, which_frame: Tensor, frame_count: int
) -> list[list[Face]]:
    """Of overlapping boxes of a frame the best one, as faces by frame, best first."""
    from torchvision.ops import batched_nms

    keep = batched_nms(boxes, scores, which_frame, _OVERLAP_THRESHOLD)  # best score first
    faces: list[list[Face]] = [[] for _ in range(frame_count)]
    kept = (part[keep].cpu().numpy() for part in (which_frame, boxes, landmarks, scores))
    for frame, box, points, score in zip(*kept, strict=True):
        faces[frame].append(Face(box, points, float(score)))
    return faces
