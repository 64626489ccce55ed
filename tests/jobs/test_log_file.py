"""The log file against a real `tail -f`, a full disk and a second writer."""

import logging
import os
import subprocess
import sys
import time

import pytest

from heygem.jobs.log_file import LogFile


@pytest.fixture
def logger():
    logger = logging.getLogger("test_log_file")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def opened(logger, path, **options):
    handler = LogFile(path, **{"max_bytes": 1000, "keep": 5, "follow_s": 0.0, **options})
    logger.addHandler(handler)
    return handler


def lines_of(*paths):
    return [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def parts(path):
    """The file and its older parts, oldest first."""
    older = sorted(path.parent.glob(path.name + ".*"), key=lambda part: -int(part.suffix[1:]))
    return [*older, path]


def test_a_follower_and_the_disk_get_every_line_over_three_rotations(tmp_path, logger):
    path = tmp_path / "运行实时日志.log"
    path.touch()
    seen = tmp_path / "seen"
    # As where the file system notifies nobody: it looks ten times a second.
    command = ["tail", "-n", "+1", "-f", "-s", "0.1", "---disable-inotify", path]
    with seen.open("wb") as output:
        follower = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
    wanted = [f"行 line {number:04d} {'x' * 64}" for number in range(3000)]
    try:
        # 80 bytes a line: three rotations. Long enough for a `tail` on a busy machine.
        opened(logger, path, max_bytes=65_000, follow_s=0.4)
        for line in wanted:
            logger.info(line)
        deadline = time.monotonic() + 20
        while lines_of(seen)[-1:] != wanted[-1:] and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        follower.kill()
        follower.wait()
    assert len(parts(path)) == 4
    assert lines_of(seen) == wanted
    assert lines_of(*parts(path)) == wanted


def test_size_and_number_are_bounded(tmp_path, logger):
    opened(logger, tmp_path / "a.log", max_bytes=1000, keep=2)
    for number in range(1000):
        logger.info("%04d %s", number, "x" * 44)
    kept = parts(tmp_path / "a.log")
    assert [part.name for part in kept] == ["a.log.2", "a.log.1", "a.log"]
    assert all(part.stat().st_size <= 1000 for part in kept)
    assert [int(line[:4]) for line in lines_of(*kept)] == list(range(940, 1000))


def test_without_older_parts_the_file_only_begins_anew(tmp_path, logger):
    opened(logger, tmp_path / "a.log", max_bytes=100, keep=0)
    for number in range(5):
        logger.info("%d %s", number, "x" * 47)
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]
    assert [line[0] for line in lines_of(tmp_path / "a.log")] == ["4"]


def test_what_was_there_counts(tmp_path, logger):
    (tmp_path / "a.log").write_text("old " + "x" * 93 + "\n")
    opened(logger, tmp_path / "a.log", max_bytes=100)
    logger.info("new")
    logger.info("newer")
    assert [line[:5].strip() for line in lines_of(*parts(tmp_path / "a.log"))] == ["old x", "new", "newer"]
    assert lines_of(tmp_path / "a.log") == ["new", "newer"]


def test_there_is_one_writer(tmp_path, logger):
    first = opened(logger, tmp_path / "a.log")
    with pytest.raises(OSError, match="another process writes it"):
        LogFile(tmp_path / "a.log", max_bytes=1000, keep=1)
    first.close()
    LogFile(tmp_path / "a.log", max_bytes=1000, keep=1).close()


def test_where_no_copy_can_be_made_nothing_is_lost(tmp_path, logger):
    path = tmp_path / "a.log"
    code = """
import errno, logging, shutil, sys
from pathlib import Path
from heygem.jobs.log_file import LogFile
def full(source, target):
    raise OSError(errno.ENOSPC, "No space left on device")
copy, shutil.copyfile = shutil.copyfile, full
logger = logging.getLogger("x"); logger.setLevel("INFO")
logger.addHandler(LogFile(Path(sys.argv[1]), max_bytes=1000, keep=2, follow_s=0))
for number in range(30):
    logger.info("%02d %s", number, "x" * 46)
shutil.copyfile = copy
for number in range(30, 40):
    logger.info("%02d %s", number, "x" * 46)
"""
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert "No space left" in done.stderr
    assert [int(line[:2]) for line in lines_of(*parts(path))] == list(range(40))
    assert [part.name for part in parts(path)] == ["a.log.1", "a.log"]


def test_a_line_that_cannot_be_written_ends_nothing(tmp_path, logger):
    code = """
import logging, resource, sys
from pathlib import Path
from heygem.jobs.log_file import LogFile
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
logger = logging.getLogger("x"); logger.setLevel("INFO")
logger.addHandler(LogFile(Path(sys.argv[1]), max_bytes=10_000, keep=2))
for number in range(5):
    logger.info("%d %s", number, "x" * 47)
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.log"], capture_output=True, text=True)
    assert done.returncode == 7 and "File too large" in done.stderr
    assert [line[0] for line in lines_of(tmp_path / "a.log")] == ["0", "1"]


def test_the_file_is_not_handed_to_children(tmp_path, logger):
    handler = opened(logger, tmp_path / "a.log")
    assert not os.get_inheritable(handler._descriptor)
