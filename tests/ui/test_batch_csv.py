"""A CSV list in the page: it names uploads, and files of the server where it may."""

from dataclasses import replace

import pytest

from heygem.errors import InputError
from heygem.settings import Settings
from heygem.ui.batch_csv import arranged, read_csv
from heygem.ui.batch_draft import Draft, DraftClip
from heygem.ui.uploads import Uploads


@pytest.fixture
def uploads(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name in ("a.mp4", "b 1.mp4", "same.mp4", "other/same.mp4", "speech.wav"):
        path = tmp_path / "up" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in ("sub/server.mp4", "a.mp4", "own.wav"):
        (tmp_path / "in" / name).touch()
    (tmp_path / "secret.mp4").touch()
    return Uploads(tmp_path / "up", Settings(max_batch_clips=6))


@pytest.fixture
def draft(uploads):
    names = ("a.mp4", "b 1.mp4", "same.mp4", "other/same.mp4")
    clips = tuple(DraftClip.of(uploads.folder / name, name.split("/")[-1]) for name in names)
    return Draft(clips, uploads.folder / "speech.wav")


def read(uploads, draft, *lines):
    csv = uploads.folder / "list.csv"
    csv.write_text("\n".join(lines), encoding="utf-8")
    return arranged(draft, read_csv(str(csv), draft, uploads, ["林"]), uploads)


def mistakes(uploads, draft, *lines):
    with pytest.raises(InputError) as caught:
        read(uploads, draft, *lines)
    assert caught.value.code == "bad_batch_list"
    return caught.value.text.en


def test_uploads_are_named_by_their_names_whatever_folder_the_list_says(uploads, draft):
    made = read(uploads, draft, "video,lips,crf", r"C:\clips\a.mp4,林,", 'x/"y"/b <1>.mp4,auto,20')
    assert [clip.path.name for clip in made.clips[:2]] == ["a.mp4", "b 1.mp4"]
    assert [clip.own for clip in made.clips] == [("lips",), ("lips", "crf"), (), ()]
    assert made.clips[0].options.lips == "林" and made.speech == draft.speech


def test_every_mistake_is_told_with_its_line(uploads, draft):
    said = mistakes(
        uploads,
        draft,
        "video,audio,lips,enhancer,crf",
        "gone.mp4,,,,",
        "same.mp4,none.wav,,,99",
        f"a.mp4,,{uploads.folder / 'a.mp4'},{uploads.folder / 'a.mp4'},",
        ",,,,20",
    )
    for words in (
        "Mistakes: 7.",
        "Line 2: There is no video file gone.mp4. Upload it on this page first.",
        "Line 3: 2 clips are called same.mp4.",
        "Line 3: There is no audio file none.wav.",
        "Line 3: crf must be",
        "Line 4: lips has the value",
        "Line 4: enhancer has the value",
        "Line 5: The cell video is empty.",
    ):
        assert words in said
    assert "gone.mp4" in mistakes(uploads, draft, "video", "a.mp4", "gone.mp4")


def test_files_of_the_server_only_where_they_are_allowed(uploads, draft, tmp_path):
    assert "sub/server.mp4" in mistakes(uploads, draft, "video", "sub/server.mp4")
    open_ = Uploads(uploads.folder, replace(uploads.settings, input_dir=tmp_path / "in"))
    made = read(open_, draft, "video,audio", "sub/server.mp4,own.wav", "a.mp4,speech.wav", "elsewhere/a.mp4,")
    server, upload, _ = made.clips[:3]
    assert server.path == tmp_path / "in/sub/server.mp4" and server.speech == tmp_path / "in/own.wav"
    assert server.speech_name == "own.wav"
    assert upload.path == uploads.folder / "a.mp4" and upload.speech is None  # an upload goes first
    for path in ("../secret.mp4", str(tmp_path / "secret.mp4")):
        assert "secret.mp4" in mistakes(open_, draft, "video", path)


def test_a_list_is_no_way_around_the_limit(uploads, draft):
    with pytest.raises(InputError, match="a batch takes 6") as caught:
        read(uploads, draft, "video", *["a.mp4"] * 4)  # three more are uploads that it does not name
    assert caught.value.code == "too_many_clips"


def test_a_list_that_is_far_too_long_is_refused_before_its_lines_are_read(uploads, draft):
    for line in ("a.mp4", "gone.mp4"):
        with pytest.raises(InputError, match="1000 clips; a batch takes 6"):
            read(uploads, draft, "video", *[line] * 1000)
    assert "It has 2000 columns" in mistakes(uploads, draft, ",".join(["video"] * 2000), "a.mp4")


def test_the_list_itself_is_an_upload(uploads, draft, tmp_path):
    (tmp_path / "list.csv").write_text("video\na.mp4")
    with pytest.raises(InputError) as caught:
        read_csv(str(tmp_path / "list.csv"), draft, uploads, [])
    assert caught.value.code == "not_uploaded"
