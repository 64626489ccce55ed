"""Free space: what makes jobs wait, and a disk that is really full."""

import errno
import os
import subprocess

import pytest

from heygem.errors import EncodeError
from heygem.jobs.disk_guard import DiskGuard, full_disk_told
from heygem.jobs.run_log import open_run_log

MB = 1_000_000


@pytest.fixture
def lines(tmp_path):
    run_log = open_run_log(tmp_path / "run.log")
    yield lambda: [(line.level, line.message) for line in run_log.tail()]
    run_log.close()


def test_jobs_wait_while_space_is_short_and_go_on_by_themselves(tmp_path, lines):
    free = [10_000 * MB]
    guard = DiskGuard(tmp_path, 2000 * MB, free_bytes=lambda folder: free[0])
    assert guard.reason_to_wait() is None
    for free[0] in (9_999 * MB, 2000 * MB):
        assert guard.reason_to_wait() is None
    for free[0] in (1999 * MB, 0):
        reason = guard.reason_to_wait()
        assert "2000 MB" in reason.en and "2000 MB" in reason.zh
    free[0] = 10_000 * MB
    assert guard.reason_to_wait() is None
    assert lines() == [
        ("WARNING", "disk low: 9999 MB are free for results"),
        ("WARNING", "disk full: 1999 MB are free for results and 2000 MB are needed: jobs wait"),
        ("INFO", "disk ok: 10000 MB are free for results"),
    ]


def test_a_disk_that_is_gone_makes_jobs_wait(tmp_path):
    reason = DiskGuard(tmp_path / "gone", 0).reason_to_wait()
    assert "No such file" in reason.en and "No such file" in reason.zh


def test_the_real_disk_is_asked(tmp_path):
    disk = os.statvfs(tmp_path)
    assert DiskGuard(tmp_path, 0).free_bytes() == pytest.approx(disk.f_bavail * disk.f_frsize, rel=0.2)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_as_such(small_disk):
    guard = DiskGuard(small_disk, MB)
    assert guard.reason_to_wait() is None
    with pytest.raises(EncodeError) as caught, full_disk_told():
        (small_disk / "result.json").write_bytes(bytes(3 * MB))
    assert caught.value.code == "disk_full"
    assert "disk is full" in caught.value.text.en and "磁盘已满" in caught.value.text.zh
    assert guard.reason_to_wait() is not None
    (small_disk / "result.json").unlink()
    assert guard.reason_to_wait() is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_the_file_is_named_by_its_last_part(number):
    with pytest.raises(EncodeError) as caught, full_disk_told():
        raise OSError(number, os.strerror(number), "/home/somebody/result.json")
    assert caught.value.code == "disk_full"
    assert "result.json" in caught.value.text.en and "somebody" not in str(caught.value)


def test_other_errors_pass():
    with pytest.raises(PermissionError), full_disk_told():
        raise PermissionError(errno.EACCES, "Permission denied", "result.json")
