"""What a newcomer can try at once: presenters and speeches that come with the project, see models/README.md."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from heygem.settings import PROJECT_DIR

_FOLDER = PROJECT_DIR / "models" / "demo"


@dataclass(frozen=True, slots=True)
class Example:
    """A speech and a clip that go together; `key` is its entry in `text.LABELS`."""

    key: str
    speech: str
    clip: str


EXAMPLES = (
    Example("example_lin", "speech-zh.wav", "presenter-lin.mp4"),
    Example("example_victor", "speech-en.wav", "presenter-victor.mp4"),
    Example("example_amara", "speech-en-2.wav", "presenter-amara.mp4"),
)


def take_example(example: Example, uploads_dir: Path) -> tuple[str, str]:
    """Put an example where uploads lie: nothing else on the server may be submitted.

    Returns:
        Paths of the speech and of the clip.
    """
    folder = uploads_dir / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for name in (example.speech, example.clip):
        if not (folder / name).exists():
            part = folder / f".{name}.part"
            shutil.copyfile(_FOLDER / name, part)
            part.replace(folder / name)
        taken.append(str(folder / name))
    return taken[0], taken[1]
