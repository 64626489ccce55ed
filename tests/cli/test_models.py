from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from heygem.cli import models
from heygem.errors import Text, WeightsMissingError
from heygem.settings import Settings
from heygem.weights.manifest import CHECKPOINTS, Checkpoint

CONTENT = b"PK\x03\x04 weights" * 999


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in list(CHECKPOINTS):
        monkeypatch.delitem(CHECKPOINTS, name)
    digest = hashlib.sha256(CONTENT).hexdigest()
    for name, urls in (("good", (f"{url}/good",)), ("gone", (f"{url}/absent",)), ("manual", ())):
        checkpoint = Checkpoint(
            name,
            f"{name}.pth",
            len(CONTENT),
            digest,
            urls,
            f"{url}/page",
            Text("仅限研究", "research only"),
            Text("", ""),
        )
        monkeypatch.setitem(CHECKPOINTS, name, checkpoint)


def run(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    models.add_parser(parser.add_subparsers())
    args = parser.parse_args(["models", *words])
    status: int = args.run(args, Settings(models_dir=folder))
    return status


def test_list_shows_state_and_licence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.pth").write_bytes(CONTENT)
    (tmp_path / "gone.pth").write_bytes(CONTENT[:-1])
    assert run(tmp_path, "list") == 0
    lines = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if "│" in line}
    assert "verified" in lines["good"] and "research only" in lines["good"] and "good.pth" in lines["good"]
    assert "refused" in lines["gone"]
    assert "missing" in lines["manual"]


def test_verify_fails_only_for_files_that_are_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.pth").write_bytes(CONTENT)
    assert run(tmp_path, "verify") == 0
    (tmp_path / "gone.pth").write_bytes(CONTENT[:-1] + b"x")
    assert run(tmp_path, "verify") == 1
    assert "wrong content" in capsys.readouterr().out.replace("\n", " ")
    assert run(tmp_path, "verify", "good") == 0


def test_verify_reads_the_file_whatever_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "good.pth"
    file.write_bytes(CONTENT)
    os.utime(file, (1e9, 1e9))
    assert run(tmp_path, "verify", "good") == 0
    with file.open("r+b") as stream:  # as a disk loses a bit: nothing about the file changes
        stream.write(bytes([CONTENT[0] ^ 1]))
    os.utime(file, (1e9, 1e9))
    assert run(tmp_path, "verify", "good") == 1


def test_verify_fails_for_a_file_that_was_asked_for_and_is_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "verify", "good") == 1
    assert "models download good" in capsys.readouterr().out


def test_download_fetches_what_can_be_fetched_and_says_what_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "download") == 1
    said = capsys.readouterr().out
    assert (tmp_path / "good.pth").read_bytes() == CONTENT
    assert "HTTP 404" in said and "research only" in said
    assert "manual" not in said
    assert [path.name for path in tmp_path.glob("*.p*")] == ["good.pth"]


def test_download_of_one_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "download", "good") == 0
    assert str(tmp_path / "good.pth") in capsys.readouterr().out


def test_download_of_what_only_a_person_can_fetch_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "download", "manual") == 1
    assert "/page" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["download", "verify"])
def test_an_unknown_name_is_refused(tmp_path: Path, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, action, "good", "goood") == 2
    said = capsys.readouterr()
    assert "goood" in said.err and "wav2lip" in said.err
    assert not (tmp_path / "good.pth").exists()


def test_path_prints_the_path_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.pth").write_bytes(CONTENT)
    assert run(tmp_path, "path", "good") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'good.pth'}\n"


def test_path_of_an_absent_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError):
        run(tmp_path, "path", "good")
