"""The examples of the page."""

from pathlib import Path

import pytest

from heygem.media.audio_file import AudioFile
from heygem.media.probe import probe_video
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings
from heygem.ui.examples import EXAMPLES, take_example
from heygem.ui.text import LABELS
from heygem.ui.uploads import Uploads


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.key)
def test_an_example_is_a_speech_and_a_clip_that_may_be_submitted(example, tmp_path: Path):
    speech, clip = take_example(example, tmp_path)
    assert 5 < AudioFile(Path(speech)).duration < 20
    assert probe_video(Path(clip)).height == 720
    assert example.key in LABELS
    assert Uploads(tmp_path, Settings()).request(clip, speech, RenderOptions()).video_name == example.clip


def test_it_is_put_there_once(tmp_path: Path):
    speech, _ = take_example(EXAMPLES[0], tmp_path)
    Path(speech).write_bytes(b"mine")
    assert take_example(EXAMPLES[0], tmp_path)[0] == speech
    assert Path(speech).read_bytes() == b"mine"
    assert sorted(path.name for path in (tmp_path / "examples").iterdir()) == ["presenter-lin.mp4", "speech-zh.wav"]
