import logging
import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from synthetic_detections import box, clip

from heygem.faces import track_cache
from heygem.faces.detections import Detections
from heygem.faces.track_cache import DetectionCache

FPS = Fraction(25)
DETECTOR = "detector/1"
FOUND = clip([[box(100 + 7 * i)] for i in range(50)])


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one clip")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.npz"))


def test_what_was_put_is_got_by_content(video: Path, folder: Path, tmp_path: Path) -> None:
    cache = DetectionCache(folder, 10**7)
    assert cache.get(video, DETECTOR, FPS) is None
    cache.put(video, DETECTOR, FPS, FOUND)
    copy = tmp_path / "another name.mov"
    copy.write_bytes(video.read_bytes())
    for path in (video, copy):
        got = DetectionCache(folder, 10**7).get(path, DETECTOR, FPS)
        assert got is not None
        np.testing.assert_array_equal(got.boxes, FOUND.boxes)


def test_another_clip_of_the_same_name_is_another_clip(video: Path, folder: Path) -> None:
    cache = DetectionCache(folder, 10**7)
    cache.put(video, DETECTOR, FPS, FOUND)
    video.write_bytes(b"two clip")
    os.utime(video, ns=(0, 0))
    assert cache.get(video, DETECTOR, FPS) is None


def test_detector_frame_rate_and_format_belong_to_the_key(
    video: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DetectionCache(folder, 10**7)
    cache.put(video, DETECTOR, FPS, FOUND)
    assert cache.get(video, "detector/2", FPS) is None
    assert cache.get(video, DETECTOR, Fraction(30)) is None
    monkeypatch.setattr(track_cache, "_VERSION", track_cache._VERSION + 1)
    assert cache.get(video, DETECTOR, FPS) is None


def test_a_file_is_read_once(video: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    digest = track_cache.hashlib.file_digest

    def counted(file: object, name: str) -> object:
        read.append(name)
        return digest(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(track_cache.hashlib, "file_digest", counted)
    cache = DetectionCache(folder, 10**7)
    cache.put(video, DETECTOR, FPS, FOUND)
    cache.get(video, DETECTOR, FPS)
    cache.get(video, "detector/2", FPS)
    linked = video.with_name("another name.mp4")
    linked.hardlink_to(video)
    assert cache.get(linked, DETECTOR, FPS) is not None
    assert read == ["sha256"]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "parts"])
def test_damaged_entries_are_removed_and_logged(
    video: Path, folder: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = DetectionCache(folder, 10**7)
    cache.put(video, DETECTOR, FPS, FOUND)
    [entry] = entries(folder)
    if damage == "parts":
        np.savez(entry, counts=np.zeros(3))
    else:
        whole = entry.read_bytes()
        entry.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "text": b"<html>"}[damage])
    with caplog.at_level(logging.WARNING):
        assert cache.get(video, DETECTOR, FPS) is None
    assert entries(folder) == []
    assert entry.name in caplog.text
    cache.put(video, DETECTOR, FPS, FOUND)
    assert cache.get(video, DETECTOR, FPS) is not None


def changed_in_the_directory(entry: Path, at: int, byte: int) -> None:
    """Change a byte of what the archive's directory says of its first part."""
    whole = bytearray(entry.read_bytes())
    whole[whole.index(b"PK\x01\x02") + at] = byte
    entry.write_bytes(whole)


def without_an_array(entry: Path) -> None:
    with zipfile.ZipFile(entry) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(entry, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, b"no array" if name == "boxes.npy" else content)


@pytest.mark.parametrize(
    "damage",
    [
        partial(changed_in_the_directory, at=6, byte=0xFF),  # the version of the format
        partial(changed_in_the_directory, at=8, byte=0x01),  # that it is encrypted
        partial(changed_in_the_directory, at=10, byte=0xFF),  # how it is compressed
        without_an_array,
    ],
    ids=["version", "encrypted", "method", "array"],
)
def test_an_entry_that_says_something_unheard_of_is_damaged(
    video: Path, folder: Path, damage: Callable[[Path], None]
) -> None:
    cache = DetectionCache(folder, 10**7)
    cache.put(video, DETECTOR, FPS, FOUND)
    damage(entries(folder)[0])
    assert cache.get(video, DETECTOR, FPS) is None
    assert entries(folder) == []


def test_every_damaged_byte_is_survived(video: Path, folder: Path) -> None:
    cache = DetectionCache(folder, 10**7)
    cache.put(video, DETECTOR, FPS, FOUND)
    [entry] = entries(folder)
    whole = entry.read_bytes()
    for position in range(0, len(whole), 23):
        entry.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        got = cache.get(video, DETECTOR, FPS)
        assert got is None or len(got) == len(FOUND)


def test_the_least_recently_used_goes_first(video: Path, folder: Path) -> None:
    DetectionCache(folder, 10**7).put(video, "a", FPS, FOUND)
    [a] = entries(folder)
    cache = DetectionCache(folder, int(2.5 * a.stat().st_size))
    cache.put(video, "b", FPS, FOUND)
    [b] = set(entries(folder)) - {a}
    os.utime(a, ns=(1, 1))
    os.utime(b, ns=(2, 2))
    assert cache.get(video, "a", FPS) is not None  # used now, so b is the oldest
    cache.put(video, "c", FPS, FOUND)
    assert [cache.get(video, name, FPS) is not None for name in "abc"] == [True, False, True]


def test_nothing_unfinished_is_left_and_old_leavings_go(video: Path, folder: Path) -> None:
    folder.mkdir()
    old, young = folder / "dead.part", folder / "other-process.part"
    old.touch()
    young.touch()
    os.utime(old, ns=(0, 0))
    DetectionCache(folder, 10**7).put(video, DETECTOR, FPS, FOUND)
    assert list(folder.glob("*.part")) == [young]


def test_a_full_disk_is_logged_and_not_fatal(
    video: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(self: Detections, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Detections, "save", full)
    with caplog.at_level(logging.WARNING):
        DetectionCache(folder, 10**7).put(video, DETECTOR, FPS, FOUND)
    assert "No space left" in caplog.text
    assert list(folder.iterdir()) == []


def test_several_may_write_and_read_at_once(video: Path, folder: Path) -> None:
    def work(number: int) -> None:
        cache = DetectionCache(folder, 3000)  # so small that entries vanish all the time
        for turn in range(15):
            cache.put(video, f"d{(number + turn) % 5}", FPS, FOUND)
            got = cache.get(video, f"d{turn % 5}", FPS)
            assert got is None or len(got) == len(FOUND)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [None] * 4


def test_hashes_of_files_that_were_seen_long_ago_are_forgotten(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_cache, "_HASHES_KEPT", 3)
    cache = DetectionCache(folder, 10**7)
    for number in range(5):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(bytes([number]))
        cache.put(path, DETECTOR, FPS, FOUND)
    kept = [(tmp_path / f"{number}.mp4").stat().st_ino for number in (2, 3, 4)]
    assert [inode for _, inode, *_ in cache._hashes] == kept
    assert cache.get(tmp_path / "0.mp4", DETECTOR, FPS) is not None
