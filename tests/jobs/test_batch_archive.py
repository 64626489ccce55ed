"""ZIPs as they are sent, read back by zipfile."""

import io
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

from heygem.errors import Text
from heygem.jobs.batch_archive import archive_names, stream_archive
from heygem.jobs.job import Job, JobError, JobRequest, JobResult, JobStatus

ERROR = JobError("no_face", Text("没有人脸。", "No face."), Text("换一段。", "Use another."))


def job(name, content=None, folder=None, **more):
    request = JobRequest(Path("clip"), Path("speech"), video_name=name)
    if content is None:
        return Job("id", request, **{"status": JobStatus.QUEUED, "queued_s": 0.0, **more})
    output = folder / f"{len(list(folder.iterdir()))}.mp4"
    output.write_bytes(content)
    result = JobResult(output, None, Text("", ""))
    return Job("id", request, JobStatus.DONE, 0.0, result=result, ended_s=time.time())


def unzip(pieces):
    with ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def test_results_are_there_under_the_names_of_their_clips(tmp_path):
    jobs = [
        job("主播 🎬.mov", b"one", tmp_path),
        job("a.mp4", b"two" * 1_000_000, tmp_path),
        job("bad.mp4", status=JobStatus.FAILED, error=ERROR),
        job("a.mkv", b"three", tmp_path),
        job("late.mp4"),
    ]
    files = unzip(stream_archive(jobs))
    lines = files.pop("results.txt").decode("utf-8").splitlines()
    assert files == {"主播 🎬.mp4": b"one", "a.mp4": b"two" * 1_000_000, "a (2).mp4": b"three"}
    assert lines == [
        "主播 🎬.mp4  ✓",
        "a.mp4  ✓",
        "bad.mp4  没有人脸。 No face. 换一段。 Use another.",
        "a (2).mp4  ✓",
        "late.mp4  尚未开始 waits",
    ]


def test_it_is_sent_in_pieces_that_memory_bears(tmp_path):
    pieces = list(stream_archive([job("a.mp4", bytes(5_000_000), tmp_path)]))
    assert max(map(len, pieces)) < 1_100_000 and len(pieces) > 4


def test_a_result_that_is_deleted_while_it_is_sent_is_sent_whole(tmp_path):
    jobs = [job("a.mp4", bytes(3_000_000), tmp_path), job("b.mp4", b"b", tmp_path)]
    pieces = stream_archive(jobs)
    first = next(pieces)
    jobs[1].result.output.unlink()
    assert unzip([first, *pieces])["b.mp4"] == b"b"


def test_a_result_that_is_gone_is_told(tmp_path):
    jobs = [job("a.mp4", b"a", tmp_path), job("b.mp4", b"b", tmp_path)]
    jobs[0].result.output.unlink()
    files = unzip(stream_archive(jobs))
    assert "a.mp4" not in files and "a.mp4  结果已被删除 its result is gone" in files["results.txt"].decode("utf-8")


@pytest.mark.parametrize(
    ("clips", "names"),
    [
        (["a.mp4", "a.mp4", "a (2).mp4"], ["a.mp4", "a (2).mp4", "a (2) (2).mp4"]),
        (["A.mp4", "a.MP4", "É.mp4", "E\u0301.mp4"], ["A.mp4", "a (2).mp4", "É.mp4", "E\u0301 (2).mp4"]),
        (["../../etc/passwd", "..\\up.mp4", "/", ".."], ["passwd.mp4", "up.mp4", "_.mp4", "_ (2).mp4"]),
        (['a<b>:"|?*\x00.mp4', "con.mp4", "dot..mp4"], ["a_b_______.mp4", "_con.mp4", "dot.mp4"]),
        (["\udcff.mp4", "字" * 100], ["\ufffd.mp4", "字" * 66 + ".mp4"]),
    ],
)
def test_names_are_such_that_every_system_can_write_them(clips, names):
    assert archive_names([job(clip) for clip in clips]) == names
