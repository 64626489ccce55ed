"""basicsr can be imported on a current torchvision, only where it is asked for, and gives known values."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from heygem.nets import basicsr_door


def test_a_fresh_interpreter_can_use_it_and_does_not_before() -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "import numpy as np\n"
        "from heygem.nets import basicsr_door, gfpgan\n"
        "assert 'basicsr' not in sys.modules\n"
        "picture = np.zeros((16, 16, 3), np.uint8)\n"
        "warnings.simplefilter('ignore')\n"
        "print(basicsr_door.calculate_psnr(picture, picture + 1))\n"
        "assert 'basicsr' in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(run.stdout) == pytest.approx(20 * math.log10(255))
    assert run.stderr == ""


def test_psnr_of_a_known_difference() -> None:
    grey = np.full((20, 30, 3), 100, np.uint8)
    other = grey.copy()
    other[:4] = 110
    assert basicsr_door.calculate_psnr(grey, other) == pytest.approx(10 * math.log10(255**2 / 20))
    assert basicsr_door.calculate_psnr(grey, grey) == math.inf


def test_ssim_of_flat_pictures_is_their_luminance_term() -> None:
    first, second = np.full((20, 30, 3), 100, np.uint8), np.full((20, 30, 3), 150, np.uint8)
    constant = (0.01 * 255) ** 2
    expected = (2 * 100 * 150 + constant) / (100**2 + 150**2 + constant)
    assert basicsr_door.calculate_ssim(first, second) == pytest.approx(expected)
    assert basicsr_door.calculate_ssim(first, first) == pytest.approx(1)


@pytest.mark.parametrize(("slope", "gain"), [(1, 1.0), (0.2, math.sqrt(2 / 1.04))])
def test_initial_weights_keep_the_size_of_activations(slope: float, gain: float) -> None:
    layer = torch.nn.Linear(400, 500)
    basicsr_door.default_init_weights(layer, bias=0.5, negative_slope=slope)
    assert layer.weight.std().item() == pytest.approx(gain / 20, rel=0.02)
    assert torch.equal(layer.bias, torch.full((500,), 0.5))
