from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from heygem.errors import Text, WeightsMissingError, WeightsRefusedError
from heygem.weights import hashes, verify
from heygem.weights.hashes import SIDECAR, sha256_of
from heygem.weights.manifest import CHECKPOINTS, Checkpoint
from heygem.weights.verify import find_weights, verify_own, verify_present

CONTENT = b"PK\x03\x04" + bytes(5000)
ONE = Checkpoint(
    name="net",
    filename="net.pth",
    bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    urls=("http://example.org/net.pth",),
    page="http://example.org",
    licence=Text("", ""),
    purpose=Text("", ""),
    other_filenames=("old_net.pth",),
    stand_ins=("spare",),
)
SPARE = replace(ONE, name="spare", filename="spare.pth", other_filenames=(), stand_ins=())
HTML = b"\n<!DOCTYPE html><html><body>Sign in</body></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:ca9a\nsize 435801865\n"


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(CHECKPOINTS, "net", ONE)
    monkeypatch.setitem(CHECKPOINTS, "spare", SPARE)
    monkeypatch.setattr(hashes, "_memory", {})
    verify._announce_own_file.cache_clear()
    yield


def put(folder: Path, content: bytes = CONTENT, name: str = "net.pth", age_s: float = 100) -> Path:
    path = folder / name
    path.write_bytes(content)
    then = path.stat().st_mtime - age_s
    os.utime(path, (then, then))
    return path


def test_the_right_file_is_verified(tmp_path: Path) -> None:
    path = put(tmp_path)
    file = find_weights("net", tmp_path)
    assert (file.path, file.sha256, file.official, file.name) == (path, ONE.sha256, True, "net")


def test_a_missing_file_names_the_command_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match=r"net\.pth is missing") as caught:
        find_weights("net", tmp_path)
    for hint in caught.value.hint:
        assert "python -m heygem models download net" in hint and str(tmp_path) in hint


def test_a_missing_file_that_no_program_can_fetch_names_its_page(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError) as caught:
        find_weights("wav2lip-sd", tmp_path)
    assert "browser" in caught.value.hint.en and "drive.google.com" in caught.value.hint.zh


FLIPPED = bytes([*CONTENT[:4000], CONTENT[4000] ^ 1, *CONTENT[4001:]])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(HTML, "is a web page", id="web page"),
        pytest.param(LFS, "is a git-lfs pointer", id="lfs"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(CONTENT[:2000], r"is incomplete: 2,000 of 5,004 bytes", id="truncated"),
        pytest.param(FLIPPED, "right size and the wrong content", id="one bit"),
        pytest.param(CONTENT + b"x", "is another file", id="longer"),
    ],
)
def test_what_is_not_the_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    put(tmp_path, content)
    with pytest.raises(WeightsRefusedError, match=sentence) as caught:
        find_weights("net", tmp_path)
    for text in caught.value.text:
        assert "net.pth" in text and text.count("。") + text.count(". ") <= 1
    assert caught.value.hint.zh and caught.value.hint.en


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.pth").mkdir()
    with pytest.raises(WeightsRefusedError, match="cannot be read"):
        find_weights("net", tmp_path)


def test_a_repaired_file_is_taken_again(tmp_path: Path) -> None:
    put(tmp_path, FLIPPED)
    with pytest.raises(WeightsRefusedError):
        find_weights("net", tmp_path)
    put(tmp_path, age_s=99)
    assert find_weights("net", tmp_path).official


def test_a_file_under_its_other_name_is_found(tmp_path: Path) -> None:
    path = put(tmp_path, name="old_net.pth")
    assert find_weights("net", tmp_path).path == path
    first = put(tmp_path)
    assert find_weights("net", tmp_path).path == first


def test_another_edition_is_official_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, FLIPPED)
    monkeypatch.setitem(CHECKPOINTS, "net", replace(ONE, other_sha256=(digest := hashlib.sha256(FLIPPED).hexdigest(),)))
    file = find_weights("net", tmp_path)
    assert file.official and file.sha256 == digest


def test_a_stand_in_serves_only_where_the_first_choice_is_absent(tmp_path: Path) -> None:
    put(tmp_path, name="spare.pth")
    assert find_weights("net", tmp_path).name == "spare"
    put(tmp_path, FLIPPED)
    with pytest.raises(WeightsRefusedError):
        find_weights("net", tmp_path)
    with pytest.raises(WeightsMissingError):
        verify_present(SPARE, tmp_path / "elsewhere")


def test_an_own_file_is_taken_with_any_hash_and_announced_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = put(tmp_path, FLIPPED, "mine.pth")
    with caplog.at_level(logging.WARNING):
        files = [find_weights("net", tmp_path, own) for _ in range(3)]
    digest = hashlib.sha256(FLIPPED).hexdigest()
    assert {(file.path, file.sha256, file.official) for file in files} == {(own, digest, False)}
    assert [record.message for record in caplog.records if "not an official file" in record.message and digest] == [
        f"使用自备权重，非官方文件 / not an official file: {own} for net, sha256 {digest}"
    ]


def test_an_own_file_that_is_the_official_one_is_official(tmp_path: Path) -> None:
    assert verify_own(put(tmp_path, name="mine.pth"), "net", tmp_path).official


def test_an_own_file_that_is_absent_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match=r"mine\.pth"):
        verify_own(tmp_path / "mine.pth", "net", tmp_path)


@pytest.mark.parametrize(("content", "sentence"), [(HTML, "web page"), (LFS, "pointer"), (b"", "empty")])
def test_an_own_file_that_cannot_hold_weights_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(WeightsRefusedError, match=sentence):
        verify_own(put(tmp_path, content, "mine.pth"), "net", tmp_path)


class Hashing:
    """Counts how often a file is hashed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        really = hashlib.file_digest

        def counted(*args: object) -> object:
            self.count += 1
            return really(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(hashlib, "file_digest", counted)


def test_a_file_is_hashed_once_while_it_does_not_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, hashing = put(tmp_path), Hashing(monkeypatch)
    assert {sha256_of(path, tmp_path) for _ in range(3)} == {ONE.sha256}
    assert hashing.count == 1


def test_the_next_process_need_not_hash_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, hashing = put(tmp_path), Hashing(monkeypatch)
    sha256_of(path, tmp_path)
    monkeypatch.setattr(hashes, "_memory", {})
    sha256_of(path, tmp_path)
    assert hashing.count == 1
    assert list(json.loads((tmp_path / SIDECAR).read_text())) == [str(path)]


@pytest.mark.parametrize("replaced", [True, False])
def test_a_changed_file_is_hashed_again(tmp_path: Path, replaced: bool) -> None:
    path = put(tmp_path)
    before = path.stat()
    sha256_of(path, tmp_path)
    if replaced:  # same size, same time, another inode
        put(tmp_path, FLIPPED, "new.pth").replace(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:
        put(tmp_path, FLIPPED, age_s=50)
    assert sha256_of(path, tmp_path) == hashlib.sha256(FLIPPED).hexdigest()


def test_a_file_that_was_just_written_is_not_trusted_to_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, hashing = put(tmp_path, age_s=0), Hashing(monkeypatch)
    sha256_of(path, tmp_path)
    before = path.stat()
    path.write_bytes(FLIPPED)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if within one tick of the clock
    assert sha256_of(path, tmp_path) == hashlib.sha256(FLIPPED).hexdigest()
    assert hashing.count == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"/x": 1}', "\x00"])
def test_a_damaged_sidecar_is_written_anew(tmp_path: Path, damage: str) -> None:
    path = put(tmp_path)
    (tmp_path / SIDECAR).write_text(damage)
    assert sha256_of(path, tmp_path) == ONE.sha256
    assert list(json.loads((tmp_path / SIDECAR).read_text())) == [str(path)]


def test_a_folder_that_cannot_be_written_only_costs_the_next_process_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, hashing = put(tmp_path), Hashing(monkeypatch)
    with caplog.at_level(logging.INFO):
        assert {sha256_of(path, tmp_path / "nowhere") for _ in range(2)} == {ONE.sha256}
    assert hashing.count == 1
    assert "cannot remember" in caplog.text


def test_a_full_disk_only_costs_the_next_process_time_and_is_not_littered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(tmp_path)

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(json, "dump", full)
    with caplog.at_level(logging.INFO):
        assert sha256_of(path, tmp_path) == ONE.sha256
    assert "cannot remember" in caplog.text
    assert list(tmp_path.iterdir()) == [path]
