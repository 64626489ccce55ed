"""The one door to basicsr: initialiser and picture metrics. Imported on first use, never at start.

basicsr 1.4.2 imports all of its datasets, and one of them asks for ``torchvision.transforms.functional_tensor``, which
torchvision 0.17 removed (BasicSR issue 711). The only function it wants from there now lives in
``torchvision.transforms.functional``, so a module of the old name is registered that offers that function.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from torch import nn

_REMOVED_MODULE = "torchvision.transforms.functional_tensor"


def default_init_weights(module: nn.Module, *, bias: float, negative_slope: float) -> None:
    """Set the linear and convolution layers of `module` to He's normal weights and a constant bias, in place.

    Args:
        module: Any module; its other layers stay as they are.
        bias: Value of every bias.
        negative_slope: Slope below zero of the leaky ReLU that follows; 1 for none.

    Raises:
        ImportError: basicsr is not installed.
    """
    _prepare()
    from basicsr.archs.arch_util import default_init_weights

    default_init_weights(module, scale=1, bias_fill=bias, a=negative_slope, mode="fan_in", nonlinearity="leaky_relu")


def calculate_psnr(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB over all channels; infinite for equal pictures.

    Args:
        first, second: (H, W, C) uint8, C is 1 or 3.

    Raises:
        ImportError: basicsr is not installed.
    """
    _prepare()
    from basicsr.metrics import calculate_psnr

    return float(calculate_psnr(first, second, crop_border=0))


def calculate_ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Structural similarity, mean of the channels; 1 for equal pictures (Wang et al. 2004).

    Args:
        first, second: (H, W, C) uint8, C is 1 or 3, both sides at least 11.

    Raises:
        ImportError: basicsr is not installed.
    """
    _prepare()
    from basicsr.metrics import calculate_ssim

    return float(calculate_ssim(first, second, crop_border=0))


def _prepare() -> None:
    """Make basicsr importable, and import it."""
    if "basicsr" in sys.modules:
        return
    if _REMOVED_MODULE not in sys.modules and importlib.util.find_spec(_REMOVED_MODULE) is None:
        from torchvision.transforms.functional import rgb_to_grayscale

        stand_in = ModuleType(_REMOVED_MODULE)
        stand_in.rgb_to_grayscale = rgb_to_grayscale  # type: ignore[attr-defined]
        sys.modules[_REMOVED_MODULE] = stand_in
    with warnings.catch_warnings():
        # Its NIQE metric still imports scipy.ndimage.filters.
        warnings.filterwarnings("ignore", message=".*scipy.ndimage", category=DeprecationWarning)
        importlib.import_module("basicsr")
