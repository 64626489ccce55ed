"""What is measured with: weights that a formula fills, clips and speech made of the bundled presenters' by ffmpeg.

Knows files; knows nothing of what is measured.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import torch

from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.settings import PROJECT_DIR
from tests.formula_weights import formula_state, write_gfpgan, write_parsenet

FPS = 25
PRESENTERS = ("lin", "victor", "amara")
_DEMO = PROJECT_DIR / "models" / "demo"
_CLIP_S = 12


class Size(NamedTuple):
    """Of a clip, pixels."""

    name: str
    width: int
    height: int


SIZES = (Size("480p", 854, 480), Size("720p", 1280, 720), Size("1080p", 1920, 1080))


class Materials:
    """Files in a folder; each is made when it is first asked for.

    Args:
        folder: Where they go.
        detector_file: Official weights of RetinaFace mobile0.25; None lets Haar find the faces, because a network that
            a formula filled finds none.

    Attributes:
        parsenet_sha256: Of the ParseNet in it.
        has_detector: RetinaFace can find the faces.
    """

    def __init__(self, folder: Path, detector_file: Path | None = None) -> None:
        self._folder = folder
        self._models = folder / "models"
        self._models.mkdir(parents=True)
        self._wav2lip, self._gfpgan = folder / "wav2lip.pth", folder / "gfpgan.pth"
        _write_wav2lip(self._wav2lip)
        write_gfpgan(self._gfpgan)
        parsenet = self._models / "parsing_parsenet.pth"
        write_parsenet(parsenet)
        self.parsenet_sha256 = hashlib.sha256(parsenet.read_bytes()).hexdigest()
        self.has_detector = detector_file is not None
        if detector_file is not None:
            shutil.copyfile(detector_file, self._models / "detection_mobilenet0.25_Final.pth")

    def settings(self) -> dict[str, str]:
        """HEYGEM_ variables that name the files."""
        return {
            "HEYGEM_MODELS_DIR": str(self._models),
            "HEYGEM_WAV2LIP_FILE": str(self._wav2lip),
            "HEYGEM_GFPGAN_FILE": str(self._gfpgan),
            "HEYGEM_CACHE_DIR": str(self._folder / "cache"),
        }

    def output(self, name: str) -> str:
        """Where a result goes."""
        (self._folder / "results").mkdir(exist_ok=True)
        return str(self._folder / "results" / f"{name}.mp4")

    def clip(self, seconds: float, size: Size = SIZES[1], presenter: str = PRESENTERS[0], start_s: float = 0.0) -> str:
        """A clip of a bundled presenter, without sound; one that is longer than theirs repeats it."""
        path = self._folder / f"clip-{presenter}-{size.name}-{seconds:g}-{start_s:g}.mp4"
        if not path.exists():
            scale = ["-vf", f"scale={size.width}:{size.height}:flags=lanczos", "-crf", "16", "-preset", "veryfast"]
            how = ["-c", "copy"] if seconds > _CLIP_S else [*scale, "-pix_fmt", "yuv420p"]
            again = ["-stream_loop", "-1"] if seconds > _CLIP_S else ["-ss", f"{start_s:g}"]
            _ffmpeg([*again, "-i", str(_DEMO / f"presenter-{presenter}.mp4")], seconds, ["-an", *how], path)
        return str(path)

    def speech(self, seconds: float) -> str:
        """A recording of speech; one that is longer than the bundled one repeats it."""
        path = self._folder / f"speech-{seconds:g}.wav"
        if not path.exists():
            _ffmpeg(["-stream_loop", "-1", "-i", str(_DEMO / "speech-en.wav")], seconds, [], path)
        return str(path)


def _ffmpeg(before: list[str], seconds: float, after: list[str], path: Path) -> None:
    command = [ffmpeg_binary(), "-v", "error", "-nostdin", *before, "-t", f"{seconds:g}", *after, str(path)]
    subprocess.run(command, check=True)


def _write_wav2lip(path: Path) -> None:
    """As long as the official file, two thirds of which are the state of its training."""
    state = formula_state("wav2lip")
    moments = {
        number: {"step": torch.tensor(1.0), "exp_avg": tensor.clone(), "exp_avg_sq": tensor.clone()}
        for number, tensor in enumerate(state.values())
    }
    module = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"state_dict": module, "optimizer": {"state": moments, "param_groups": []}}, path)
