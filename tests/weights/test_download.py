from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from file_server import FileServer, serving

from heygem.errors import DownloadError, Text
from heygem.weights import download as module
from heygem.weights.download import download
from heygem.weights.manifest import CHECKPOINTS, Checkpoint

CONTENT = bytes(range(256)) * 12_000
HALF = len(CONTENT) // 2


def listed(*urls: str) -> Checkpoint:
    return Checkpoint(
        name="net",
        filename="net.pth",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        urls=urls,
        page="http://example.org",
        licence=Text("", ""),
        purpose=Text("", ""),
    )


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(CONTENT) as files:
        yield files


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "net.pth"


def leave_part(target: Path, content: bytes) -> None:
    target.parent.mkdir(exist_ok=True)
    part_of(target).write_bytes(content)


def part_of(target: Path) -> Path:
    return target.with_name("net.pth.part")


def test_a_file_is_fetched_whole_and_tells_its_progress(server: FileServer, target: Path) -> None:
    told: list[tuple[int, int]] = []
    file = download(listed(server.url), target.parent, lambda done, total: told.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert (file.path, file.official, file.sha256) == (target, True, hashlib.sha256(CONTENT).hexdigest())
    assert told[0] == (0, len(CONTENT)) and told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert not part_of(target).exists()


def test_a_file_that_is_there_is_not_fetched_again(server: FileServer, target: Path) -> None:
    download(listed(server.url), target.parent)
    download(listed(server.url), target.parent)
    assert server.ranges == [None]


def test_a_damaged_file_is_replaced(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(CONTENT[:-1] + b"x")
    download(listed(server.url), target.parent)
    assert target.read_bytes() == CONTENT


CHILD = """
import sys
from pathlib import Path
from heygem.errors import Text
from heygem.weights.download import download
from heygem.weights.manifest import Checkpoint
url, size, sha256, folder = sys.argv[1:]
nothing = Text("", "")
download(Checkpoint("net", "net.pth", int(size), sha256, (url,), "", nothing, nothing), Path(folder))
"""


def test_a_killed_download_resumes(server: FileServer, target: Path) -> None:
    server.stall_after = HALF
    one = listed(server.url)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, str(one.bytes), one.sha256, str(target.parent)],
        cwd=Path(module.__file__).parents[2],
    )
    patience = time.monotonic() + 60
    while not (part_of(target).exists() and part_of(target).stat().st_size == HALF):
        assert child.poll() is None and time.monotonic() < patience
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not target.exists()
    server.stall_after = None
    download(one, target.parent)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]


def test_a_dropped_connection_goes_on_where_it_broke(server: FileServer, target: Path) -> None:
    server.drop_after, server.drops = 1_000_000, 2
    download(listed(server.url), target.parent)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000000-", "bytes=2000000-"]


def test_a_server_that_keeps_dropping_is_given_up_and_the_part_is_kept(server: FileServer, target: Path) -> None:
    server.drop_after = 1000
    with pytest.raises(DownloadError, match="could not be fetched"):
        download(listed(server.url), target.parent)
    assert part_of(target).read_bytes() == CONTENT[: len(server.ranges) * 1000]
    assert not target.exists()


def test_a_server_without_ranges_sends_the_whole_again(server: FileServer, target: Path) -> None:
    leave_part(target, CONTENT[:HALF])
    server.honours_ranges = False
    download(listed(server.url), target.parent)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={HALF}-"]


def test_a_range_that_leaves_a_gap_is_not_appended(server: FileServer, target: Path) -> None:
    leave_part(target, CONTENT[:HALF])
    server.shift = 7
    told: list[int] = []
    download(listed(server.url), target.parent, lambda done, _: told.append(done))
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={HALF}-", None]
    assert told[0] == 0


def test_a_range_that_begins_too_early_replaces_what_it_repeats(server: FileServer, target: Path) -> None:
    leave_part(target, CONTENT[:HALF])
    server.shift = -7
    download(listed(server.url), target.parent)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={HALF}-"]


def test_a_part_of_another_file_is_fetched_from_its_start(server: FileServer, target: Path) -> None:
    leave_part(target, b"x" * HALF)
    download(listed(server.url), target.parent)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={HALF}-", None]


def test_a_whole_part_needs_no_server(target: Path) -> None:
    leave_part(target, CONTENT)
    download(listed("http://127.0.0.1:9/net.pth"), target.parent)
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_thrown_away(server: FileServer, target: Path) -> None:
    leave_part(target, CONTENT + b"x")
    download(listed(server.url), target.parent)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None]


def test_a_server_whose_file_ends_before_our_part_is_asked_for_the_whole(server: FileServer, target: Path) -> None:
    leave_part(target, CONTENT[:HALF])
    server.content = CONTENT[: HALF - 1]
    with pytest.raises(DownloadError, match=f"{HALF - 1} bytes instead of {len(CONTENT)}"):
        download(listed(server.url), target.parent)
    assert server.ranges == [f"bytes={HALF}-", None]
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "declares_length", "reason"),
    [
        pytest.param(CONTENT[:-1] + b"x", True, "wrong sha256", id="one byte differs"),
        pytest.param(CONTENT[:-5], True, "instead of", id="shorter"),
        pytest.param(CONTENT + b"x", True, "instead of", id="longer"),
        pytest.param(CONTENT + b"x", False, "more than", id="longer, undeclared"),
    ],
)
def test_a_wrong_file_is_refused(
    server: FileServer, target: Path, content: bytes, declares_length: bool, reason: str
) -> None:
    server.content, server.declares_length = content, declares_length
    with pytest.raises(DownloadError, match=reason) as caught:
        download(listed(server.url), target.parent)
    assert list(target.parent.iterdir()) == []
    assert "127.0.0.1" in caught.value.text.zh and "example.org" in caught.value.hint.zh


def test_a_web_page_is_refused(server: FileServer, target: Path) -> None:
    server.content, server.content_type = b"<html>sign in</html>", "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="web page"):
        download(listed(server.url), target.parent)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_refusal_names_its_status(server: FileServer, target: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=f"HTTP {status}"):
        download(listed(server.url), target.parent)


def test_mirrors_are_tried_in_order(server: FileServer, target: Path) -> None:
    with serving(CONTENT[:-1] + b"x") as wrong, serving(b"") as absent:
        absent.status = 404
        download(listed(absent.url, "http://127.0.0.1:9/net.pth", wrong.url, server.url), target.parent)
        assert (len(absent.ranges), len(wrong.ranges), len(server.ranges)) == (1, 1, 1)
    assert target.read_bytes() == CONTENT


def test_a_mirror_goes_on_where_the_source_broke(server: FileServer, target: Path) -> None:
    with serving(CONTENT) as source:
        source.drop_after = 1000
        download(listed(source.url, server.url), target.parent)
        assert server.ranges == [f"bytes={1000 * len(source.ranges)}-"]
    assert target.read_bytes() == CONTENT


def test_a_full_disk_is_noticed_before_anything_is_fetched(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(DownloadError, match="too full") as caught:
        download(listed(server.url), target.parent)
    assert caught.value.code == "disk_full"
    assert server.ranges == [] and list(target.parent.iterdir()) == []


def test_two_processes_do_not_write_the_same_file(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    with part_of(target).open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="Another process") as caught:
            download(listed(server.url), target.parent)
    assert caught.value.code == "download_busy"
    assert server.ranges == []


def test_a_folder_that_cannot_be_made_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(DownloadError, match="models"):
        download(listed(server.url), tmp_path / "models")


def test_the_file_appears_only_when_it_is_right(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    download(listed(server.url), target.parent, lambda *_: None if not target.exists() else pytest.fail("too early"))
    assert synced[0] == len(CONTENT)


def test_what_only_a_person_can_fetch_says_where(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot be fetched by a program") as caught:
        download(CHECKPOINTS["wav2lip-sd"], tmp_path)
    assert "drive.google.com" in caught.value.hint.en


class Race(NamedTuple):
    """What another process does between our open and our lock."""

    target: Path

    def __call__(self, handle: object, operation: int) -> None:
        if part_of(self.target).exists() and not self.target.exists():
            part_of(self.target).rename(self.target)


def test_a_file_that_another_process_just_finished_is_not_written_to(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_part(target, b"finished by somebody else")
    monkeypatch.setattr(fcntl, "flock", Race(target))
    download(listed(server.url), target.parent)
    assert server.ranges == [None]


def test_a_host_that_does_not_answer_is_waited_for_once(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.2)
    silent_hosts: set[str] = set()
    with socket.create_server(("127.0.0.1", 0)) as hole:
        host = f"127.0.0.1:{hole.getsockname()[1]}"
        nowhere = [f"http://{host}/{name}" for name in "ab"]
        download(listed(*nowhere, server.url), target.parent, silent_hosts=silent_hosts)
        with pytest.raises(DownloadError, match=f"{host}: no answer"):
            download(replace(listed(*nowhere), filename="other.pth"), target.parent, silent_hosts=silent_hosts)
        hole.setblocking(False)
        hole.accept()[0].close()
        with pytest.raises(BlockingIOError):  # nobody else came
            hole.accept()
    assert target.read_bytes() == CONTENT and silent_hosts == {host}
