"""What makes the training of a speaker take seconds: a narrow net that has learnt nothing yet, and a short recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from paper_clip import PaperDetector

from heygem.errors import NOTHING, Text
from heygem.jobs import make_speaker
from heygem.jobs.choose_engines import Chosen
from heygem.model_manager import ModelKey, ModelSpec
from heygem.nets.blocks import Widths
from heygem.nets.warp_net import WarpNet
from heygem.training import speaker
from heygem.training.export import export
from heygem.training.speaker_training import SPEAKER

TINY = replace(SPEAKER, samples=240, batch=8, rate=2.5e-3, warm_up_steps=5)
WIDTHS = Widths(face=(4, 6, 12, 16, 24, 32, 32), audio=(8, 12, 16, 24, 32), decoder=(32, 32, 32, 24, 16, 8, 4), head=4)


@contextmanager
def narrow_default(file: Path) -> Iterator[None]:
    """A net in place of the embedded default; its audio tower hears loudness anyway."""
    torch.manual_seed(0)
    export(WarpNet(WIDTHS).state_dict(), WIDTHS, "", file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speaker, "ENGINE", replace(speaker.ENGINE, bundled=file))
        yield


@contextmanager
def tiny_jobs(file: Path) -> Iterator[None]:
    """Jobs that train on one core, by an even shorter recipe, and see the paper face."""
    key = ModelKey("detector", "paper", "cpu", "")
    spec = ModelSpec(key=key, fingerprint=lambda: "", load=PaperDetector, nbytes=lambda _: 0)
    detector = Chosen(spec, Text("纸", "paper"), NOTHING, True, 16)
    with narrow_default(file), pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_speaker, "choose_detector", lambda *of: detector)
        patch.setattr(make_speaker, "train_speaker", partial(speaker.train_speaker, recipe=replace(TINY, samples=40)))
        patch.setattr("heygem.training.hardware.processors", lambda: 1)
        yield
