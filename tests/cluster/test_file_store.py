"""The folder that machines share, on fsspec's own file systems."""

import sys
from pathlib import Path

import fsspec
import pytest

from heygem.cluster.file_store import FileStore
from heygem.errors import SettingsError, WorkerLostError


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


def test_half_a_file_is_told_from_a_whole_one(url, clip, tmp_path, monkeypatch):
    store = FileStore(url, sleep=lambda seconds: None)
    store.put(clip, "run/clip")
    fs = fsspec.core.url_to_fs(url)[0]
    monkeypatch.setattr(type(fs), "get_file", lambda self, name, path, **more: Path(path).touch())
    with pytest.raises(WorkerLostError):
        store.get("run/clip", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_store_that_is_away_for_a_while_costs_nothing(url, clip, monkeypatch):
    waited = []
    store = FileStore(url, sleep=waited.append)
    fs = fsspec.core.url_to_fs(url)[0]
    put_file = type(fs).put_file

    def put_third_time(self, *args, **more):
        if len(waited) < 2:
            raise ConnectionError("the cable")
        return put_file(self, *args, **more)

    monkeypatch.setattr(type(fs), "put_file", put_third_time)
    store.put(clip, "run/clip")
    assert names(url) == ["run/clip"] and len(waited) == 2


@pytest.mark.parametrize("url", ["nonsense://there", "s3://bucket/heygem"])
def test_a_url_that_nothing_can_read_is_a_wrong_setting(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)  # not installed, whatever this machine has
    with pytest.raises(SettingsError, match="HEYGEM_RAY_STORE"):
        FileStore(url).check()
    FileStore("file:///anywhere").check()
