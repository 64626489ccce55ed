"""The contract of a face enhancer."""

from __future__ import annotations

from typing import Protocol

import torch

from heygem.arrays import Crops


class FaceEnhancer(Protocol):
    """Restores detail in aligned face crops. Weights stay on the device between calls."""

    @property
    def device(self) -> torch.device:
        """Where `enhance` wants its crops."""
        ...

    @property
    def crop_size(self) -> int:
        """Side of the crops, aligned to the template of `faces.crop.aligned_map`, in pixels."""
        ...

    def enhance(self, faces: Crops) -> Crops:
        """Restored crops.

        Args:
            faces: (N, 3, S, S) float32 RGB 0..1 on `device`, S is `crop_size`.

        Returns:
            The same shape and range.

        Raises:
            torch.OutOfMemoryError: N crops do not fit on the device.
        """
        ...
