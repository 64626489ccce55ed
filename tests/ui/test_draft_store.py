"""Drafts outlive the page and the server."""

import json
from fractions import Fraction
from threading import Thread

import pytest

from heygem.ui import draft_store
from heygem.ui.batch_draft import Draft, DraftClip
from heygem.ui.draft_store import DraftStore, known_id

ID = "0123456789abcdef" * 2


@pytest.fixture
def store(tmp_path):
    return DraftStore(tmp_path)


def with_clip(name):
    return lambda draft: draft.with_clips([DraftClip.of(draft_path(name), name, {"crf": 20, "fps": Fraction(25)})])


def draft_path(name):
    return draft_store.Path("/up") / name


def test_another_server_has_the_draft_exactly(store, tmp_path):
    _, draft = store.change(ID, with_clip("片 'a'.mp4"))
    assert DraftStore(tmp_path).get(ID) == draft and draft.clips[0].options.fps == Fraction(25)
    assert [path.name for path in (tmp_path / "drafts").iterdir()] == [f"{ID}.json"]


def test_ids_are_long_and_anything_else_gets_a_new_one(store, tmp_path):
    assert known_id(ID) == ID
    for strange in ("", None, "../../x", {"a": 1}, ID + "0"):
        assert known_id(strange) != known_id(strange) and len(known_id(strange)) == 32
    store.change("../x", with_clip("a.mp4"))
    assert store.get("../x") == Draft() and list(tmp_path.rglob("*.json")) == []


def test_changes_of_many_threads_are_all_there(store):
    threads = [Thread(target=store.change, args=(ID, with_clip(f"{n}.mp4"))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.get(ID).clips) == 20


def test_what_is_refused_changes_nothing(store):
    store.change(ID, with_clip("a.mp4"))
    with pytest.raises(ZeroDivisionError):
        store.change(ID, lambda draft: 1 / 0)
    assert len(store.get(ID).clips) == 1


@pytest.mark.parametrize(
    "content", ["", "{", '{"clips": 1}', json.dumps({"clips": [{"id": "a"}]}), json.dumps({"options": {"crf": 99}})]
)
def test_a_damaged_draft_begins_anew_and_is_told(tmp_path, content, caplog):
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / f"{ID}.json").write_text(content)
    store = DraftStore(tmp_path)
    assert store.get(ID) == Draft() and "cannot be read" in caplog.text
    store.change(ID, with_clip("a.mp4"))
    assert len(DraftStore(tmp_path).get(ID).clips) == 1


def test_those_not_in_memory_are_read_again(store, monkeypatch):
    monkeypatch.setattr(draft_store, "_IN_MEMORY", 1)
    store.change(ID, with_clip("a.mp4"))
    store.get("f" * 32)
    assert list(store._known) == ["f" * 32] and len(store.get(ID).clips) == 1
