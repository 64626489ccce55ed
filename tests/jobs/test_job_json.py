import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from heygem.errors import Notice, Text
from heygem.jobs.job import JobError, JobProgress, JobRequest, JobResult
from heygem.jobs.job_json import from_json, to_json
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Stage

ROOT = Path("/srv/outputs")

VALUES = [
    JobRequest(ROOT / "0123/clip", Path("/elsewhere/speech"), video_name="我的 \"a\" & 'b'.mp4"),
    JobRequest(
        ROOT / "0123/clip",
        ROOT / "0123/speech",
        RenderOptions(fps=Fraction(30000, 1001), pads=(1, 2, 3, 4), sync_offset_ms=-12.5, enhancer_strength=1 / 3),
    ),
    JobProgress(Stage.DRAWING, 5, 20, 12.3, None),
    JobProgress(Stage.LOADING, 0, None),
    JobResult(ROOT / "0123/result.mp4", None, Text("好", "good")),
    JobResult(
        ROOT / "0123/result.mp4",
        ROOT / "0123/poster.jpg",
        Text("好", "good"),
        (Notice("few_faces", Text("少", "few")), Notice("quiet", Text("静", "quiet"), Text("大声", "louder"))),
    ),
    JobError("no_face", Text("没有人脸。", "No face."), Text("", "")),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back_exactly(value):
    back = from_json(type(value), to_json(value, ROOT), ROOT)
    assert back == value
    assert repr(back) == repr(value)  # 1 == 1.0 == True; a tuple is not a list


def test_paths_move_with_the_folder():
    text = to_json(VALUES[0], ROOT)
    moved = from_json(JobRequest, text, Path("/new"))
    assert (moved.video, moved.audio) == (Path("/new/0123/clip"), Path("/elsewhere/speech"))
    assert str(ROOT) not in text


def test_rows_of_an_older_version_can_be_read():
    old = json.loads(to_json(VALUES[1], ROOT))
    old["gone"] = {"a": 1}
    old["options"]["gone"] = 5
    del old["options"]["mask"], old["audio_name"]
    request = from_json(JobRequest, json.dumps(old), ROOT)
    assert request == VALUES[1]
    notice = from_json(Notice, '["code", ["字", "word"]]', ROOT)  # from before notices had hints
    assert notice == Notice("code", Text("字", "word"))


def test_what_has_no_form_is_refused():
    @dataclass
    class Odd:
        made_of: object

    with pytest.raises(TypeError, match="set"):
        to_json(Odd({1}), ROOT)
    with pytest.raises(ValueError):
        to_json(Odd(float("inf")), ROOT)
