"""The folder that machines share, on fsspec's own file systems."""

import errno
import sys
from functools import partial

import fsspec
import pytest
from cut_store import CutStore

from heygem.cluster import file_store
from heygem.cluster.file_store import FileStore
from heygem.errors import EncodeError, JobCancelled, SettingsError, Text, WorkerLostError


@pytest.fixture(params=["file", "memory"])
def url(request, tmp_path):
    yield f"file://{tmp_path}/store" if request.param == "file" else "memory://store"
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip"
    path.write_bytes(b"picture" * 1000)
    return path


def names(url):
    fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return sorted(path.rpartition("store/")[2] for path in fs.find(root)) if fs.exists(root) else []


def test_what_is_put_can_be_got_and_dropped(url, clip, tmp_path):
    store = FileStore(url)
    store.put(clip, "run/in/clip")
    store.put(clip, "other/clip")
    assert names(url) == ["other/clip", "run/in/clip"]
    store.get("run/in/clip", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == clip.read_bytes()
    store.drop("run")
    store.drop("run")
    assert names(url) == ["other/clip"]


def test_a_file_appears_under_its_name_when_all_of_it_is_there(url, clip, tmp_path, monkeypatch):
    store = FileStore(url, sleep=lambda seconds: None)
    fs = fsspec.core.url_to_fs(url)[0]
    monkeypatch.setattr(type(fs), "mv", lambda *args, **more: (_ for _ in ()).throw(OSError("cut")))
    with pytest.raises(WorkerLostError) as caught:
        store.put(clip, "run/clip")
    assert caught.value.code == "store_failed" and names(url) == ["run/clip.part"]


def test_half_a_file_is_told_from_a_whole_one(cut_url, clip, tmp_path, monkeypatch):
    store = FileStore(cut_url, sleep=lambda seconds: None)
    store.put(clip, "run/clip")
    monkeypatch.setattr(FileStore, "_copy", lambda *both: None)
    with pytest.raises(WorkerLostError):
        store.get("run/clip", tmp_path / "copy")
    with pytest.raises(WorkerLostError):
        store.put(clip, "run/other")
    assert names(cut_url) == ["run/clip", "run/other.part"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip", "store"]


@pytest.mark.parametrize("first", range(6))  # of the calls that one file needs, in and out
def test_a_store_that_is_away_for_a_while_costs_nothing(cut_url, clip, tmp_path, first):
    waited = []
    store = FileStore(cut_url, sleep=waited.append)
    CutStore.cut = range(first, first + 3)
    store.put(clip, "run/clip")
    store.get("run/clip", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == clip.read_bytes() and names(cut_url) == ["run/clip"]
    assert waited and set(waited) <= {1.0, 4.0, 10.0} and CutStore.calls > CutStore.cut.stop


def test_a_store_that_stays_away_is_told_after_half_a_minute(cut_url, clip):
    waited = []
    CutStore.cut = range(1000)
    with pytest.raises(WorkerLostError) as caught:
        FileStore(cut_url, sleep=waited.append).put(clip, "run/clip")
    assert waited == [1.0, 4.0, 10.0, 20.0] and CutStore.calls == 5
    assert caught.value.code == "store_failed" and "run/clip" in caught.value.text.zh
    assert "run/clip" in caught.value.text.en and "HEYGEM_RAY_STORE" in caught.value.hint.en


def test_a_full_disk_is_told_at_once(cut_url, clip, tmp_path, monkeypatch):
    def fail(*both):
        raise OSError(errno.ENOSPC, "No space left on device")

    waited = []
    monkeypatch.setattr(FileStore, "_copy", fail)
    with pytest.raises(EncodeError) as caught:
        FileStore(cut_url, sleep=waited.append).put(clip, "run/clip")
    assert caught.value.code == "disk_full" and waited == []


def test_each_piece_is_told_of_and_may_be_the_last(url, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(file_store, "_PIECE_BYTES", 1000)
    pieces = []
    store = FileStore(url, on_piece=lambda: pieces.append(1))
    store.put(clip, "run/clip")
    store.get("run/clip", tmp_path / "copy")
    assert len(pieces) == 14

    def stop(error):
        raise error

    for error in (JobCancelled(), WorkerLostError(Text("停", "stalled"))):
        with pytest.raises(type(error)):
            FileStore(url, on_piece=partial(stop, error), sleep=stop).get("run/clip", tmp_path / "another")
    assert not [path for path in tmp_path.iterdir() if "another" in path.name]


@pytest.mark.parametrize("url", ["nonsense://there", "s3://bucket/heygem"])
def test_a_url_that_nothing_can_read_is_a_wrong_setting(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)  # not installed, whatever this machine has
    with pytest.raises(SettingsError, match="HEYGEM_RAY_STORE"):
        FileStore(url).check()
    FileStore("file:///anywhere").check()
