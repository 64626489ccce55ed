"""What a list says, and everything that is wrong with it, at once."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from heygem.errors import InputError, OptionError
from heygem.jobs.batch_list import BatchLine, read_batch_list
from heygem.pipeline.options import RenderOptions

ALL_OPTIONS = {
    "lips": "demo",
    "enhancer": "none",
    "enhancer_strength": "0.5",
    "detector": "haar",
    "face": "1",
    "pads": "1 -2 3  4",
    "smooth": "none",
    "mask": "box",
    "extend": "loop",
    "tail": "wav2lip",
    "sync_offset_ms": "-40",
    "fps": "30000/1001",
    "crf": "20",
    "codec": "hevc",
    "label_position": "top-left",
    "label_duration_s": "5.5",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("clips/主播.mp4", "a, b.mp4", "speech.wav", "own.pth"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def read(folder: Path, text: str, encoding: str = "utf-8") -> list[BatchLine]:
    (folder / "jobs.csv").write_bytes(text.encode(encoding))
    return read_batch_list(folder / "jobs.csv")


def refused(folder: Path, text: str, encoding: str = "utf-8") -> InputError:
    with pytest.raises(InputError) as caught:
        read(folder, text, encoding)
    assert caught.value.code == "bad_batch_list" and "jobs.csv" in caught.value.text.zh
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_keep_their_numbers_names_and_options(folder: Path, encoding: str, end: str) -> None:
    lines = ["audio, video ,crf", "speech.wav,clips/主播.mp4,", "", ',"",', '"speech.wav"," a, b.mp4",30', ""]
    first, second = read(folder, end.join(lines), encoding)
    assert (first.line, second.line) == (2, 5)
    assert first.request.video == folder / "clips" / "主播.mp4" and first.request.audio == folder / "speech.wav"
    assert (first.request.video_name, first.request.audio_name) == ("clips/主播.mp4", "speech.wav")
    assert first.request.options == RenderOptions()
    assert second.request.video == folder / "a, b.mp4" and second.request.options == RenderOptions(crf=30)


def test_a_cell_may_span_lines(folder: Path) -> None:
    text = 'video,audio,crf\nclips/主播.mp4,speech.wav,"30\n"\nclips/主播.mp4,speech.wav,\n'
    assert [(line.line, line.request.options.crf) for line in read(folder, text)] == [(2, 30), (4, 18)]


def test_every_option_has_a_column(folder: Path) -> None:
    assert list(ALL_OPTIONS) == [field.name for field in fields(RenderOptions)]
    header, values = ",".join(ALL_OPTIONS), ",".join(ALL_OPTIONS.values())
    [line] = read(folder, f"video,audio,{header}\nclips/主播.mp4,speech.wav,{values}\n")
    options = line.request.options
    assert options.pads == (1, -2, 3, 4) and options.fps == Fraction(30000, 1001) and options.label_duration_s == 5.5
    assert options.crf == 20 and options.sync_offset_ms == -40 and options.face == "1"
    defaults = RenderOptions()
    assert all(getattr(options, name) != getattr(defaults, name) for name in ALL_OPTIONS)


def test_paths_start_at_the_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"video,audio,lips\nclips/主播.mp4,{folder / 'speech.wav'},own.pth\n"
    read(folder, text)
    monkeypatch.chdir(folder / "clips")
    [line] = read_batch_list(Path("../jobs.csv"))
    assert line.request.video.is_file() and line.request.audio == folder / "speech.wav"
    assert Path(line.request.options.lips).is_file()


def test_a_name_that_no_file_can_have_is_a_mistake_like_another(folder: Path) -> None:
    error = refused(folder, f"video,audio,lips\n{'v' * 5000},speech.wav,{'v' * 5000}\n")
    assert "Line 2: There is no video file vvv" in error.text.en


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    error = refused(
        folder,
        "video,audio,mask,pads,crf,fps\n"
        "clips/主播.mp4,gone.wav,circle,1 2 3,,\n"
        "clips/主播.mp4,speech.wav,box,,,25\n"
        ",speech.wav,,,99,1/0\n"
        "a,b,c,d,e,f,g\n",
    )
    for text, words in (
        (error.text.en, ["Line 2: There is no audio file gone.wav", "'circle'", "'1 2 3'", "Line 4: The cell video"]),
        (error.text.en, ["crf must be 0 to 51", "'1/0'", "Line 5: It has 7 cells", "Mistakes: 7."]),
        (error.text.zh, ["有 7 处错误", "第 2 行：找不到 audio 文件 gone.wav", "第 5 行"]),
    ):
        for word in words:
            assert word in text
    assert "Line 3" not in error.text.en and "第 3 行" not in error.text.zh


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("video,audio\n", "no job"),
        ("video\na.mp4\n", "no column audio"),
        ("video;audio\na.mp4;b.wav\n", "'video;audio'"),
        ("video,audio,masc\n", "'masc'; there are: video, audio, lips"),
        ("video,audio,video\n", "video comes twice"),
        ('video,audio\n"a.mp4,b.wav\n', "Line 2: This is not CSV"),
    ],
)
def test_a_list_of_another_shape(folder: Path, text: str, word: str) -> None:
    assert word in refused(folder, text).text.en


def test_another_encoding_is_refused_with_the_way_out(folder: Path) -> None:
    error = refused(folder, "video,audio\nclips/主播.mp4,speech.wav\n", "gbk")
    assert "GBK" in error.text.zh and "GBK" in error.text.en and "UTF-8" in error.hint.zh


def test_what_is_no_list(folder: Path) -> None:
    with (folder / "jobs.csv").open("wb") as file:
        file.truncate(2 * 10**9)
    with pytest.raises(InputError, match="too large"):
        read_batch_list(folder / "jobs.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_batch_list(folder / "none.csv")


@pytest.mark.parametrize("rate", ["1e400", "1e20000000", "9" * 5000, "-25", "25/0", "x", "0.5/0.001/2"])
def test_a_rate_that_is_none_is_told_and_not_reckoned(folder: Path, rate: str) -> None:
    with pytest.raises(InputError, match="fps has the value"):
        read(folder, f"video,audio,fps\nclips/主播.mp4,speech.wav,{rate}\n")


@pytest.mark.parametrize(("rate", "value"), [("29.97", Fraction(2997, 100)), (" 25 ", Fraction(25))])
def test_a_rate_may_be_written_in_each_usual_way(folder: Path, rate: str, value: Fraction) -> None:
    [line] = read(folder, f"video,audio,fps\nclips/主播.mp4,speech.wav,{rate}\n")
    assert line.request.options.fps == value


@pytest.mark.parametrize("options", [{"fps": Fraction(10**5000)}, {"fps": Fraction(-(10**5000))}, {"face": "9" * 5000}])
def test_numbers_without_measure_are_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        RenderOptions(**options)
