"""Lip engines: what they show their networks, what they hear, and that they keep the contract."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from formula_weights import formula_state, uniform, write_wav2lip
from heygem.device import Placement, multiplies_bf16
from heygem.errors import UnknownEngineError, WeightsRefusedError
from heygem.lipsync import lip_engine, lip_engines
from heygem.lipsync.base import with_mouth_hidden
from heygem.nets.wav2lip import Wav2Lip

CPU = Placement(torch.device("cpu"), torch.float32)


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(int(16_000 * seconds)).astype(np.float32) * 0.1


def test_the_list_of_engines() -> None:
    assert list(lip_engines()) == ["demo", "wav2lip"]
    assert lip_engine("wav2lip").checkpoint == "wav2lip"
    assert not [one for one in lip_engines().values() if "official" in one.label.en]  # it runs users' own weights too
    bundled = lip_engine("demo").bundled
    assert bundled is not None and bundled.is_file()
    with pytest.raises(UnknownEngineError, match="sadtalker"):
        lip_engine("sadtalker")


def test_the_lower_half_is_hidden_and_the_reference_is_whole() -> None:
    faces = torch.rand(2, 3, 96, 96) * 1.4 - 0.2
    seen = with_mouth_hidden(faces)
    assert seen.shape == (2, 6, 96, 96)
    assert torch.equal(seen[:, 3:], faces.clamp(0, 1))
    assert torch.equal(seen[:, :3, :48], faces.clamp(0, 1)[:, :, :48])
    assert (seen[:, :3, 48:] == 0).all()


@pytest.mark.parametrize("form", ["module", "bare"])
def test_wav2lip_draws_what_its_network_draws_with_red_and_blue_in_their_places(tmp_path: Path, form: str) -> None:
    path = tmp_path / "wav2lip.pth"
    write_wav2lip(path, form)  # type: ignore[arg-type]
    model = lip_engine("wav2lip").load(path, CPU)
    net = Wav2Lip()
    net.load_state_dict(formula_state("wav2lip"))
    rgb = uniform(3, (2, 3, 96, 96), 0, 1)
    heard = uniform(1, (2, 1, 80, 16), -4, 4)
    with torch.inference_mode():
        wanted = net.eval()(heard, with_mouth_hidden(rgb.flip(1))).flip(1)
    drawn = model.draw(rgb, heard)
    assert drawn.opacity is None and drawn.flow is None
    assert float((drawn.colour - wanted).abs().max()) < 1e-5


def test_the_embedded_default_follows_the_sound(tmp_path: Path) -> None:
    engine = lip_engine("demo")
    assert engine.bundled is not None
    model = engine.load(engine.bundled, CPU)
    windows = model.listen([noise(1.0), np.zeros(16_000, np.float32)], tail="silence")
    faces = torch.rand(2, 3, 96, 96)
    drawn = model.draw(faces[:1].repeat(2, 1, 1, 1), windows.at([Fraction(1, 2), Fraction(3, 2)]))
    assert drawn.opacity is not None and drawn.flow is not None
    assert drawn.colour.shape == (2, 3, 96, 96) and drawn.flow.shape == (2, 2, 96, 96)
    assert float(drawn.opacity.min()) >= 0 and float(drawn.opacity.max()) <= 1
    assert float((drawn.colour[0] - drawn.colour[1]).abs().max()) > 0.01


def test_the_embedded_default_draws_by_openvino_what_it_draws_by_torch(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="OPENVINO IS NOT INSTALLED: pip install -r requirements-cpu.txt")
    engine = lip_engine("demo")
    assert engine.bundled is not None
    faces = torch.nn.functional.interpolate(uniform(2, (3, 3, 12, 12), 0.2, 0.8), size=96, mode="bilinear")
    heard = uniform(1, (3, 1, 80, 16), -4, 4)
    wanted = engine.load(engine.bundled, CPU).draw(faces, heard)
    least_db = {torch.float32: 100.0} | ({torch.bfloat16: 45.0} if multiplies_bf16() else {})
    for precision, db in least_db.items():
        drawn = engine.load(engine.bundled, Placement(CPU.device, precision, tmp_path)).draw(faces, heard)
        for part in ("colour", "opacity", "flow"):
            one, other = getattr(drawn, part), getattr(wanted, part)
            span = other.max() - other.min()
            assert 10 * torch.log10(span**2 / (one - other).square().mean()) >= db, (precision, part)


def test_wav2lip_hears_from_its_frame_on_and_the_default_around_it(tmp_path: Path) -> None:
    path = tmp_path / "wav2lip.pth"
    write_wav2lip(path)
    bundled = lip_engine("demo").bundled
    assert bundled is not None
    click = np.zeros(32_000, np.float32)
    click[16_000:16_080] = 0.5  # at 1 s
    for model, first_s in ((lip_engine("wav2lip").load(path, CPU), 0.8), (lip_engine("demo").load(bundled, CPU), 0.88)):
        windows = model.listen([click], tail="silence")
        loud = [float(windows.at([Fraction(n, 80)]).max()) > -1 for n in range(160)]
        assert loud.index(True) / 80 == pytest.approx(first_s, abs=0.03)
        assert (len(loud) - 1 - loud[::-1].index(True)) / 80 == pytest.approx(first_s + 0.2, abs=0.04)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wav2lip.pth"
    write_wav2lip(path)
    bundled = lip_engine("demo").bundled
    assert bundled is not None
    with pytest.raises(WeightsRefusedError):
        lip_engine("wav2lip").load(bundled, CPU)
    with pytest.raises(WeightsRefusedError):
        lip_engine("demo").load(path, CPU)
