"""Where a checkpoint lies."""

from __future__ import annotations

from pathlib import Path

from heygem.errors import Text, WeightsMissingError
from heygem.weights.manifest import Checkpoint


def path_of(checkpoint: Checkpoint, models_dir: Path) -> Path:
    """Where the file lies under one of its names, or where it belongs if it is absent."""
    for filename in checkpoint.other_filenames:
        if not (models_dir / checkpoint.filename).exists() and (models_dir / filename).exists():
            return models_dir / filename
    return models_dir / checkpoint.filename


def locate(checkpoint: Checkpoint, models_dir: Path) -> Path:
    """Path of the file, unverified.

    Raises:
        WeightsMissingError: it is not in `models_dir`; the hint says how to get it.
    """
    path = path_of(checkpoint, models_dir)
    if path.exists():
        return path
    folder = models_dir.resolve()
    raise WeightsMissingError(
        Text(f"缺少模型文件 {checkpoint.filename}。", f"The model file {checkpoint.filename} is missing."),
        hint=Text(
            f"请运行 python -m heygem models download {checkpoint.name}，或把文件放到 {folder}。",
            f"Run python -m heygem models download {checkpoint.name}, or put the file into {folder}.",
        )
        if checkpoint.urls
        else Text(
            f"请用浏览器从 {checkpoint.page} 下载，放到 {folder}。",
            f"Fetch it from {checkpoint.page} with a browser and put it into {folder}.",
        ),
    )
