from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.demo import voice
from heygem.demo.cast import CAST, Role
from heygem.demo.make_examples import SPEECHES, as_frame, make_speeches
from heygem.media.probe import probe_video

FOLDER = Path(__file__).parents[2] / "models" / "demo"


def test_a_picture_becomes_video_of_the_same_colours() -> None:
    rgb = np.zeros((4, 6, 3), np.uint8)
    rgb[:, :, 0], rgb[:, :, 1], rgb[:, :, 2] = 200, 90, 30
    frame = as_frame(rgb)
    matrix, offset = map(torch.from_numpy, frame.colour.to_rgb())
    yuv = torch.tensor([frame.y[1, 2], frame.u[1, 1], frame.v[1, 1]], dtype=torch.float64)
    assert (255 * (matrix @ yuv + offset)).tolist() == pytest.approx([200, 90, 30], abs=2)


def test_the_bundled_examples_are_what_the_command_makes() -> None:
    made = {f"{role.name}.mp4" for role in CAST} | {f"{speech.name}.wav" for speech in SPEECHES}
    assert made <= {path.name for path in FOLDER.iterdir()}
    described = (FOLDER.parent / "README.md").read_text(encoding="utf-8").split("## models/demo")[1]
    assert all(f"`{name}`" in described for name in made)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 12_000_000


@pytest.mark.parametrize("role", CAST, ids=lambda role: role.name)
def test_bundled_clips_are_720p(role: Role) -> None:
    info = probe_video(FOLDER / f"{role.name}.mp4")
    assert (info.width, info.height, info.fps) == (1280, 720, 25)
    assert 10 <= role.seconds <= 15


@pytest.mark.skipif(not voice.is_available(), reason="espeak-ng is not installed: pip install espeakng-loader")
def test_speeches_are_six_to_ten_seconds_at_16_khz(tmp_path: Path) -> None:
    make_speeches(tmp_path)
    for speech in SPEECHES:
        with wave.open(str(tmp_path / f"{speech.name}.wav")) as file:
            assert file.getframerate() == 16_000
            assert 6 <= file.getnframes() / 16_000 <= 10
