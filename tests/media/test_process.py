import os
import signal
import threading
from pathlib import Path

import pytest

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
