import logging
import re
import threading

import pytest

from heygem.jobs.run_log import logged_as, open_run_log
from heygem.pipeline.prefetch import prefetch

LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (INFO|WARNING|ERROR) \[([0-9a-z-]+)\] (.*)$")


@pytest.fixture
def run_log(tmp_path):
    opened = open_run_log(tmp_path / "logs" / "运行实时日志.log", keep=3)
    yield opened
    opened.close()


def test_a_line_has_time_level_job_and_message(tmp_path, capsys):
    run_log = open_run_log(tmp_path / "run.log")
    log = logging.getLogger("heygem.anything")
    log.info("before")
    with logged_as("abc123"):
        log.warning("口型 %s", "好")
    run_log.close()
    lines = run_log.path.read_text(encoding="utf-8").splitlines()
    assert [LINE.match(line).groups() for line in lines] == [("INFO", "-", "before"), ("WARNING", "abc123", "口型 好")]
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize("breaker", ["\n", "\r", "\r\n", "\u2028", "\x85", "\v"])
def test_text_of_users_cannot_forge_a_line(run_log, breaker):
    forged = f"a.mp4{breaker}2026-01-01 00:00:00 INFO [-] all is well"
    logging.getLogger("heygem").info("queued: %s", forged)
    assert len(run_log.path.read_text(encoding="utf-8").splitlines()) == 1
    assert breaker not in run_log.tail()[-1].message


def test_text_of_users_cannot_command_the_terminal(run_log):
    try:
        raise ValueError("\x1b]0;owned\x07")
    except ValueError:
        logging.getLogger("heygem").exception("queued: %s", "\x1b[2J\x9b31m.mp4")
    written = run_log.path.read_text(encoding="utf-8")
    assert not set("\x1b\x07\x9b") & set(written + run_log.tail()[-1].message)
    assert r"queued: \x1b[2J\x9b31m.mp4" in written and r"\x1b]0;owned\x07" in written


def test_a_traceback_is_indented_in_the_file_and_absent_from_the_tail(run_log):
    try:
        raise ValueError("x\n2026-01-01 00:00:00 INFO [-] all is well")
    except ValueError:
        logging.getLogger("heygem").exception("failed")
    first, *rest = run_log.path.read_text(encoding="utf-8").splitlines()
    assert LINE.match(first) and "ValueError" in "".join(rest)
    assert all(line.startswith("    ") for line in rest)
    assert [line.message for line in run_log.tail()] == ["failed"]


def test_the_tail_is_bounded_and_counted(run_log):
    for number in range(5):
        logging.getLogger("heygem").info("%d", number)
    assert [(line.number, line.message) for line in run_log.tail()] == [(3, "2"), (4, "3"), (5, "4")]


def test_a_second_start_appends(tmp_path):
    for message in ("one", "two"):
        run_log = open_run_log(tmp_path / "run.log")
        logging.getLogger("heygem").info(message)
        run_log.close()
    assert [line[-3:] for line in (tmp_path / "run.log").read_text().splitlines()] == ["one", "two"]


def test_a_reader_thread_logs_as_the_job_it_reads_for(run_log):
    def items():
        logging.getLogger("heygem.media").warning("odd frame")
        yield threading.current_thread().name

    with logged_as("abc123"):
        assert list(prefetch(items(), depth=1)) == ["prefetch"]
    assert [(line.job_id, line.message) for line in run_log.tail()] == [("abc123", "odd frame")]
