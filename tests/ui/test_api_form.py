"""A form with files goes to the disk as it arrives, and no further than is allowed."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect

from heygem.errors import InputError, QueueError
from heygem.ui import api_form
from heygem.ui.api_form import MAX_TEXT_BYTES, FormReceiver, receive_form

TYPE = "multipart/form-data; boundary=edge"


def part(disposition, content):
    return b"--edge\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"


def file(name, content, field="video"):
    return part(f'name="{field}"; filename="{name}"', content)


END = b"--edge--\r\n"


@pytest.fixture
def receiver(tmp_path):
    made = FormReceiver(TYPE, tmp_path / "in", max_file_bytes=1000, max_files=3)
    yield made
    made.close()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_files_and_fields_arrive_whole_however_they_are_cut(receiver, size):
    content = bytes(range(256)) + b"\r\n--edg\r\n--edge"  # almost a boundary, and one without its line
    body = (
        file("clip.mp4", content[:-8])
        + part('name="options"', '{"中": 1}'.encode())
        + file("a.wav", b"", "audio")
        + END
    )
    for start in range(0, len(body), size):
        receiver.feed(body[start : start + size])
    receiver.finish()
    assert [(one.field, one.name, one.path.read_bytes()) for one in receiver.files] == [
        ("video", "clip.mp4", content[:-8]),
        ("audio", "a.wav", b""),
    ]
    assert receiver.texts == {"options": '{"中": 1}'}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\videos\\\\clip.mp4", "clip.mp4"),
        ("/", None),
        ("..", None),
        ("", None),
        (" . ", None),
        ("-rf.mp4", "-rf.mp4"),
        ("<script>.mp4", "<script>.mp4"),
        ("a\x00b\x1b[31m\u202e.mp4", "ab[31m.mp4"),
        ("中文😀.mp4", "中文😀.mp4"),
        ("片" * 300, "片" * 66),
    ],
)
def test_a_name_is_never_a_path(receiver, tmp_path, name, kept):
    body = file(name, b"x") + END
    if kept is None:
        with pytest.raises(InputError):
            receiver.feed(body)
        return
    receiver.feed(body)
    assert (receiver.files[0].name, receiver.files[0].path) == (kept, tmp_path / "in" / "0" / kept)
    assert receiver.files[0].path.read_bytes() == b"x"


def test_fields_are_apart(receiver):
    receiver.feed(part('name="a"', b"1") + part('name="b"', b"2") + END)
    assert receiver.texts == {"a": "1", "b": "2"}


def test_two_files_of_one_name_are_two(receiver):
    receiver.feed(file("a", b"1") + file("a", b"2") + END)
    assert [one.path.read_bytes() for one in receiver.files] == [b"1", b"2"]


def test_a_file_may_have_its_limit_and_not_a_byte_more(receiver):
    receiver.feed(file("a", b"x" * 1000) + file("b", b"x" * 1000))
    with pytest.raises(InputError) as refused:
        receiver.feed(file("c", b"x" * 1001))
    assert refused.value.code == "too_big"
    assert receiver.files[2].path.stat().st_size <= 1000


def test_more_files_or_text_than_is_allowed_is_refused(receiver, tmp_path):
    with pytest.raises(InputError) as refused:
        receiver.feed(b"".join(file("a", b"x") for _ in range(4)))
    assert refused.value.code == "too_much"
    assert len(list((tmp_path / "in").iterdir())) == 3
    other = FormReceiver(TYPE, tmp_path / "other", max_file_bytes=1000, max_files=3)
    with pytest.raises(InputError, match="too long"):
        other.feed(part('name="options"', b"x" * (MAX_TEXT_BYTES + 1)))
    with pytest.raises(InputError):
        FormReceiver(TYPE, tmp_path / "many", max_file_bytes=1, max_files=3).feed(
            b"".join(part(f'name="{n}"', b"") for n in range(9)) + END
        )


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x"]
)
def test_what_is_no_form_is_refused(tmp_path, kind):
    with pytest.raises(InputError) as refused:
        FormReceiver(kind, tmp_path, max_file_bytes=1, max_files=1)
    assert refused.value.code == "bad_form"


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", file("a", b"x"), file("a", b"x")[:-20], b"--edge\r\n" + b"h" * 9999]
)
def test_half_a_form_is_refused(receiver, body):
    with pytest.raises(InputError) as refused:
        receiver.feed(body)
        receiver.finish()
    assert refused.value.code == "bad_form"


def test_a_full_disk_is_told_as_one(receiver, monkeypatch):
    receiver.feed(file("a", b"x")[:-2])
    receiver.close()
    receiver._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115, PTH123
    with pytest.raises(QueueError) as refused:
        receiver.feed(b"more" * 100)
    assert refused.value.code == "disk_full"


def test_when_the_sender_goes_away_nothing_stays_open(receiver, monkeypatch):
    monkeypatch.setattr(api_form, "_PIECE_BYTES", 64)

    async def body():
        yield file("a", b"x" * 100)[:-2]
        assert receiver._file is not None
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        asyncio.run(receive_form(body(), receiver))
    assert receiver._file is None


def test_no_more_than_a_piece_is_held_in_memory(receiver, monkeypatch):
    monkeypatch.setattr(api_form, "_PIECE_BYTES", 64)
    fed = []
    monkeypatch.setattr(receiver, "feed", lambda data: fed.append(len(data)))
    monkeypatch.setattr(receiver, "finish", lambda: None)

    async def body():
        for _ in range(10):
            yield b"x" * 60

    asyncio.run(receive_form(body(), receiver))
    assert fed == [120] * 5
