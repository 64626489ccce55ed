import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from heygem.errors import EncodeError, MediaError
from heygem.media import process
from heygem.media.process import FfmpegProcess, last_line

ENDLESS = ("-v", "error", "-f", "lavfi", "-re", "-i", "sine", "-f", "null", "-")


def test_close_ends_a_child_that_does_not_care_about_its_pipes():
    process = FfmpegProcess(ENDLESS, pipe="out")
    closer = threading.Thread(target=process.close, daemon=True)
    closer.start()
    closer.join(20)
    still_runs = closer.is_alive()
    if still_runs:
        os.kill(process.pid, signal.SIGKILL)
    assert not still_runs
    process.close()


def test_an_error_in_the_block_ends_the_child():
    with pytest.raises(ZeroDivisionError), FfmpegProcess(ENDLESS, pipe="in") as process:
        raise ZeroDivisionError
    assert not Path(f"/proc/{process.pid}").exists()


def test_more_complaints_than_a_pipe_holds_do_not_block():
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=40,format=yuv420p,showinfo")
    loud = ("-v", "info", *source, "-f", "rawvideo", "pipe:1")
    with FfmpegProcess(loud, pipe="out") as process:
        buffer = bytearray(1000 * 64 * 64 * 3 // 2 + 1)
        assert process.read_into(memoryview(buffer)) == len(buffer) - 1
        assert process.finish() == 0
        assert len(process.complaints()) > 1 << 16


def test_the_status_and_the_reason_of_a_failure():
    with FfmpegProcess(["-v", "error", "-i", "file:/no/such/file"], pipe="out") as process:
        assert process.finish() > 0
        assert "No such file" in last_line(process.complaints())


def test_the_last_line():
    assert last_line("one\ntwo \n\n") == "two"
    assert last_line("") == "no message"


def test_a_child_that_hangs_is_ended():
    with FfmpegProcess(ENDLESS, pipe="out", stall_s=0.2) as process, pytest.raises(MediaError) as caught:
        process.read_into(memoryview(bytearray(1)))
    assert caught.value.code == "stalled" and not Path(f"/proc/{process.pid}").exists()


def test_a_child_that_takes_nothing_is_ended():
    with FfmpegProcess(ENDLESS, pipe="in", stall_s=0.2) as process, pytest.raises(EncodeError) as caught:
        process.write(memoryview(bytes(4 << 20)))
    assert caught.value.code == "stalled"


@pytest.mark.parametrize("gets_processor_time", [True, False])
def test_a_child_that_works_in_silence_is_waited_for(gets_processor_time, monkeypatch):
    """Half a second of work or more, given out at its end, while less than that without work would be a hang.

    On a machine that has better things to do, the work hardly goes on; but it would.
    """
    if not gets_processor_time:
        monkeypatch.setattr(process, "_worked_s", lambda pid: 0.0)
    source = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=6,gblur=sigma=30,trim=start_frame=149,scale=64:64")
    with FfmpegProcess(["-v", "error", *source, "-f", "rawvideo", "pipe:1"], pipe="out", stall_s=0.2) as child:
        assert child.read_into(memoryview(bytearray(64))) == 64


def test_processor_time_is_limited():
    source = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25")
    with FfmpegProcess(["-v", "error", *source, "-f", "null", "-"], pipe="out", cpu_s=1) as process:
        assert process.finish() == -signal.SIGKILL


def test_memory_and_cores_are_limited():
    with FfmpegProcess(ENDLESS, pipe="out") as process:
        _wait_for_ffmpeg(process.pid)
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    rows = {line[:25].strip(): line[25:].split()[0] for line in limits.splitlines()[1:]}
    assert rows["Max core file size"] == "0"
    assert 4 << 30 < int(rows["Max address space"]) < 64 << 30
    assert int(rows["Max file size"]) == 64 << 20


def test_a_child_dies_with_its_parent(tmp_path: Path):
    """Even one that has no pipe of ours to see broken."""
    script = (
        "import sys, time\n"
        "from heygem.media.process import FfmpegProcess\n"
        f"child = FfmpegProcess({ENDLESS!r}, pipe='out')\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    _wait_for_ffmpeg(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    still_runs = _runs(child)
    if still_runs:
        os.kill(child, signal.SIGKILL)
    assert not still_runs


def _wait_for_ffmpeg(pid: int) -> None:
    """The child begins as the launcher."""
    while b"ffmpeg" not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
