"""That all of a frame's way over a GPU stays on it, in number formats that fit: by torch's tensors without values.

They know their device and format, and refuse what a GPU would refuse: this needs no GPU, and tells nothing of values.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from heygem.batch_memory import BatchMemory
from heygem.colour_space import ColourSpace
from heygem.device import Placement
from heygem.enhance.gfpgan import GfpganModel
from heygem.faces.parsing import FaceOrNot, FaceParser, InnerLogits
from heygem.frame import Frame
from heygem.lipsync import demo
from heygem.lipsync.demo import DemoModel, WarpNetHeads
from heygem.lipsync.wav2lip import Wav2LipModel
from heygem.nets.blocks import Widths
from heygem.nets.gfpgan import GFPGAN
from heygem.nets.warp_net import WarpNet
from heygem.nets.wav2lip import Wav2Lip
from heygem.pipeline.label import labelled
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.stages import Shot, sharpen, speak
from heygem.speech.windows import MelWindows
from heygem.weights.load import read_metadata

PLACEMENT = Placement(torch.device("cuda", 0), torch.float16)
LANDMARKS = np.array([[560, 300], [720, 300], [640, 380], [580, 450], [700, 450]], np.float32)
BOX = np.array([500, 200, 780, 520], np.float32)


@pytest.fixture(autouse=True)
def fake_cuda(monkeypatch):
    """cuDNN's own operations have no stand-ins; those that torch has for the same are refused and taken alike."""
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        yield


def on_gpu(make):
    """A network where and in what format `heygem.runtime.network.ready` leaves it."""
    torch.set_default_dtype(PLACEMENT.precision)
    try:
        with PLACEMENT.device:
            return make().eval()
    finally:
        torch.set_default_dtype(torch.float32)


def demo_heads():
    widths = Widths.from_json(read_metadata(demo.ENGINE.bundled)["widths"])
    return WarpNetHeads(WarpNet(widths))


def parse_network():
    from facexlib.parsing.parsenet import ParseNet

    return FaceOrNot(InnerLogits(ParseNet(in_size=512, out_size=512, parsing_ch=19), for_cpu=False))


LIPS = {
    "wav2lip": lambda: Wav2LipModel(on_gpu(Wav2Lip), PLACEMENT),
    "demo": lambda: DemoModel(on_gpu(demo_heads), PLACEMENT, Fraction(0)),
}


def shots(count) -> Iterator[Shot]:
    for index in range(count):
        frame = Frame(torch.zeros(1280 * 720 * 3 // 2, dtype=torch.uint8), 1280, 720, ColourSpace())
        yield Shot(index, frame.to(PLACEMENT.device), 1.0, BOX, LANDMARKS)


@pytest.mark.parametrize(
    ("lips", "mask", "has_parser"),
    [("wav2lip", "box", False), ("wav2lip", "lower-face", True), ("demo", "mouth", True)],
)
def test_frames_never_leave_the_gpu_and_nothing_waits_for_it(lips, mask, has_parser):
    enhancer = GfpganModel(on_gpu(GFPGAN), PLACEMENT)
    parser = FaceParser(on_gpu(parse_network), PLACEMENT) if has_parser else None
    windows = MelWindows(np.zeros((80, 400), np.float32))
    drawn = speak(shots(3), windows, LIPS[lips](), BatchMemory(2), fps=Fraction(25), options=RenderOptions(mask=mask))
    drawn = sharpen(drawn, enhancer, parser, BatchMemory(2), strength=0.8)
    drawn = labelled(drawn, "top-right", fps=Fraction(25), duration_s=None, sample_aspect=Fraction(1))
    assert [(shot.frame.data.device, shot.frame.data.dtype) for shot in drawn] == [(PLACEMENT.device, torch.uint8)] * 3
