"""Uploads are looked at on one thread, newest first, and nobody waits."""

import os
import threading
from pathlib import Path

import pytest

from heygem.errors import NoFaceError, Text
from heygem.pipeline.options import RenderOptions
from heygem.ui import preflight_desk
from heygem.ui.preflight_desk import PreflightDesk, Question

A, B, C = (Question(Path(name)) for name in "abc")


class Looker:
    """Looks when it is told to; a look at 'a' waits for `go`."""

    def __init__(self):
        self.seen, self.niceness = [], None
        self.go, self.begun = threading.Event(), threading.Event()
        self.desk = PreflightDesk(lambda clip, speech: (f"headers of {clip}", None), self.look)

    def look(self, clip, speech, options):
        self.seen.append((str(clip), options.extend))
        self.niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        self.begun.set()
        if clip == Path("a"):
            assert self.go.wait(20)
        if clip == Path("b"):
            raise NoFaceError(Text("没有", "None."))
        if clip == Path("c"):
            raise RuntimeError("bug")
        return f"report on {clip} {options.extend}"

    def wait_for(self, question, is_it):
        for _ in range(2000):
            answer = self.desk.answer(question)
            if answer is not None and is_it(answer):
                return answer
            threading.Event().wait(0.01)
        raise AssertionError(self.desk.answer(question))


@pytest.fixture
def looker():
    looker = Looker()
    yield looker
    looker.go.set()


def test_headers_come_first_and_asking_never_waits(looker):
    looker.desk.ask(A)
    assert looker.begun.wait(20)
    assert looker.desk.answer(A) == preflight_desk.Answer(clip="headers of a")
    looker.go.set()
    assert looker.wait_for(A, lambda answer: answer.is_final).report == "report on a pingpong"
    assert looker.niceness == 10 and os.getpriority(os.PRIO_PROCESS, 0) != 10
    assert looker.desk.answer(B) is None


def test_the_newest_question_is_answered_first_and_none_twice(looker):
    other = Question(Path("d"))
    looker.desk.ask(A)
    assert looker.begun.wait(20)
    for question in (B, other, B, A):
        looker.desk.ask(question)
    looker.go.set()
    looker.wait_for(B, lambda answer: answer.is_final)
    assert [name for name, _ in looker.seen] == ["a", "d", "b"]


def test_failures_are_told_and_end_nothing(looker, caplog):
    looker.desk.ask(C)
    assert looker.wait_for(C, lambda answer: answer.is_final).failed.code == "internal"
    assert "bug" in caplog.text
    looker.desk.ask(B)
    assert looker.wait_for(B, lambda answer: answer.is_final).failed.text.en == "None."


def test_other_options_show_the_former_report_until_theirs_is_there(looker):
    looker.go.set()
    looker.desk.ask(A)
    looker.wait_for(A, lambda answer: answer.is_final)
    looker.go.clear()
    looped = Question(A.clip, None, RenderOptions(extend="loop"))
    looker.desk.ask(looped)
    assert looker.desk.answer(looped).report == "report on a pingpong"
    looker.go.set()
    assert looker.wait_for(looped, lambda answer: answer.report == "report on a loop")


def test_old_answers_are_forgotten(looker, monkeypatch):
    monkeypatch.setattr(preflight_desk, "_REMEMBERED", 1)
    looker.desk.ask(A)
    assert looker.begun.wait(20)
    looker.desk.ask(B)
    assert looker.desk.answer(A) is None
    looker.go.set()
    assert looker.wait_for(B, lambda answer: answer.is_final)
