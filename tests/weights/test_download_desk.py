"""Downloads by name: one at a time, seen by everybody, cancelled and tried again."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import serving

from heygem.errors import DownloadError, Text
from heygem.weights.download import Watcher
from heygem.weights.download_desk import Download, DownloadDesk
from heygem.weights.manifest import CHECKPOINTS, Checkpoint

NAMES = ["wav2lip", "gfpgan", "parsenet"]


class Server:
    """Gives what it is told to, one piece at a time, and notes who is served."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.now = 0.0
        self.pieces: dict[str, list[tuple[float, int]]] = {}
        self.fails: dict[str, Exception] = {}
        self.waits = threading.Semaphore(0)
        """Released: the next file may come to its end."""
        self.at_once = 0
        self.most_at_once = 0
        self.desk = DownloadDesk(Path("models"), self.fetch, lambda: self.now)

    def fetch(self, checkpoint: Checkpoint, models_dir: Path, watch: Watcher) -> None:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.served.append(checkpoint.name)
        try:
            for now, done in self.pieces.get(checkpoint.name, [(0.0, 1)]):
                self.now = now
                watch(done, checkpoint.bytes)
            assert self.waits.acquire(timeout=20)
            if checkpoint.name in self.fails:
                raise self.fails[checkpoint.name]
            watch(checkpoint.bytes, checkpoint.bytes)
        finally:
            self.at_once -= 1

    def until(self, name: str, **wanted: object) -> Download:
        """The download once it is so."""
        for _ in range(2000):
            found = self.desk.downloads().get(name)
            if found is not None and all(getattr(found, key) == value for key, value in wanted.items()):
                return found
            time.sleep(0.01)
        raise AssertionError(self.desk.downloads())

    def until_gone(self, *names: str) -> None:
        for _ in range(2000):
            if not set(names) & set(self.desk.downloads()):
                return
            time.sleep(0.01)
        raise AssertionError(self.desk.downloads())


@pytest.fixture
def server() -> Server:
    return Server()


def test_files_come_one_at_a_time_in_the_order_they_were_asked_for(server: Server) -> None:
    server.desk.begin(NAMES[:2])
    server.desk.begin([*NAMES[1:], "none of that name"])
    server.until("wav2lip", done=1)
    found = server.desk.downloads()
    assert list(found) == NAMES and [one.is_begun for one in found.values()] == [True, False, False]
    for name in NAMES:
        server.waits.release()
        server.until_gone(name)
    assert server.served == NAMES and server.most_at_once == 1
    server.desk.begin(["wav2lip"])  # its thread has ended since
    server.waits.release()
    server.until_gone("wav2lip")
    assert server.served == [*NAMES, "wav2lip"]


def test_the_rate_is_that_of_the_last_seconds(server: Server) -> None:
    server.pieces["wav2lip"] = [(0.0, 9_000_000), (1.0, 10_000_000), (7.0, 16_000_000), (9.0, 22_000_000)]
    server.desk.begin(["wav2lip"])
    found = server.until("wav2lip", done=22_000_000)
    assert found.rate == pytest.approx(12_000_000 / 8)
    server.waits.release()
    server.until_gone("wav2lip")


def test_a_file_that_is_begun_anew_has_no_rate_below_nothing(server: Server) -> None:
    server.pieces["wav2lip"] = [(0.0, 5_000_000), (1.0, 0)]
    server.desk.begin(["wav2lip"])
    assert server.until("wav2lip", done=0, is_begun=True, rate=None)
    server.waits.release()
    server.until_gone("wav2lip")


def test_what_waits_is_cancelled_at_once_and_what_is_under_way_at_its_next_piece(server: Server) -> None:
    server.desk.begin(NAMES)
    server.until("wav2lip", done=1)
    server.desk.cancel("gfpgan")
    assert list(server.desk.downloads()) == ["wav2lip", "parsenet"]
    server.desk.cancel("wav2lip")
    assert server.desk.downloads()["wav2lip"].is_ending
    server.desk.cancel("nothing")
    server.waits.release(2)
    server.until_gone(*NAMES)
    assert server.served == ["wav2lip", "parsenet"]


@pytest.mark.parametrize("error", [DownloadError(Text("断网。", "Offline.")), RuntimeError("a bug")])
def test_one_that_fails_says_so_until_it_is_tried_again_and_stops_no_other(server: Server, error: Exception) -> None:
    server.fails["wav2lip"] = error
    server.desk.begin(["wav2lip", "gfpgan"])
    server.waits.release(2)
    server.until_gone("gfpgan")
    found = server.desk.downloads()["wav2lip"]
    assert not found.is_active and isinstance(found.error, DownloadError)
    assert ("Offline." if isinstance(error, DownloadError) else "run log") in str(found.error)
    del server.fails["wav2lip"]
    server.desk.begin(["wav2lip"])
    server.waits.release()
    server.until_gone("wav2lip")
    assert server.served == ["wav2lip", "gfpgan", "wav2lip"]


def test_one_that_fails_after_it_was_cancelled_has_no_failure_to_tell(server: Server) -> None:
    server.fails["wav2lip"] = DownloadError(Text("断网。", "Offline."))
    server.desk.begin(["wav2lip", "gfpgan"])
    server.until("wav2lip", done=1)
    server.desk.cancel("wav2lip")
    server.waits.release()
    server.until("gfpgan", done=1)
    assert list(server.desk.downloads()) == ["gfpgan"]
    server.waits.release()
    server.until_gone("gfpgan")


def test_a_failure_can_be_put_away(server: Server) -> None:
    server.fails["wav2lip"] = DownloadError(Text("断网。", "Offline."))
    server.desk.begin(["wav2lip"])
    server.waits.release()
    server.until("wav2lip", is_active=False)
    server.desk.cancel("wav2lip")
    assert server.desk.downloads() == {}


def test_a_cancelled_download_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    content = bytes(range(256)) * 32_000
    half = len(content) // 2
    with serving(content) as files:
        files.stall_after = half
        one = replace(
            CHECKPOINTS["parsenet"],
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            urls=(files.url,),
        )
        monkeypatch.setitem(CHECKPOINTS, "parsenet", one)
        desk = DownloadDesk(tmp_path)
        desk.begin(["parsenet"])
        while (found := desk.downloads()["parsenet"]).done < half:
            time.sleep(0.01)
        assert found.is_begun
        desk.cancel("parsenet")
        files.go_on.set()  # the next piece comes, and is not wanted
        while desk.downloads():
            time.sleep(0.01)
        assert not (tmp_path / one.filename).exists()
        desk.begin(["parsenet"])
        while desk.downloads():
            time.sleep(0.01)
    assert (tmp_path / one.filename).read_bytes() == content
    first, second = files.ranges
    assert first is None and second is not None and int(second.removeprefix("bytes=").removesuffix("-")) >= half
