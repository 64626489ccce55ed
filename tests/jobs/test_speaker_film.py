"""What a killed process leaves of a film of a speaker is known as unfinished; a finished one has nothing beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from paper_clip import openings, write_clip

from heygem.jobs.marking import Marking
from heygem.jobs.speaker_film import write_film
from heygem.media.audio_file import AudioFile
from heygem.settings import Settings
from heygem.training.speaker_score import HeldOutDrawings

FRAMES = 30


def test_all_that_lies_beside_it_meanwhile_would_be_swept(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", openings(FRAMES), openings(FRAMES))
    crops = np.full((10, 96, 96, 3), 128, np.uint8)
    drawings = HeldOutDrawings(np.arange(20, FRAMES, dtype=np.int32), 0, crops, crops, crops)
    output = tmp_path / "job" / "result.mp4"
    output.parent.mkdir()
    seen: set[str] = set()

    def look(done: int, total: int) -> None:
        assert total == 10
        seen.update(path.name for path in output.parent.iterdir())

    marking = Marking.of(Settings())
    assert write_film(drawings, clip, output, marking=marking, content_id="1", on_frame=look) == 10
    assert seen and all(".part" in name for name in seen), "the janitor's rule"
    assert list(output.parent.iterdir()) == [output]
    assert float(AudioFile(output).duration) == pytest.approx(0.4, abs=0.001)
