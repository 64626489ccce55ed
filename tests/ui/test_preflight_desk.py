"""Uploads are looked at on one thread, newest first, and nobody waits."""

import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from waiting import wait_until

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
    assert looker.niceness == os.getpriority(os.PRIO_PROCESS, 0)  # lower, it would hold up who waits for its locks
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


class Ahead:
    """A desk that does things ahead, and what it did; each attempt goes as `goes` says for its clip."""

    def __init__(self, goes=lambda clip, is_wanted: True):
        self.done, self.goes = [], goes
        self.desk = PreflightDesk(lambda clip, speech: (None, None), self.look, self.ahead)

    def look(self, clip, speech, options):
        return SimpleNamespace(is_fit=clip.name != "bad")

    def ahead(self, question, is_wanted):
        is_done = self.goes(question.clip.name, is_wanted)
        self.done.append((question.clip.name, is_done))
        return is_done

    def ask(self, *names):
        questions = [Question(Path(name), Path("speech")) for name in names]
        for question in questions:
            self.desk.ask(question)
        return questions

    def wait(self, count):
        wait_until(lambda: len(self.done) >= count)
        return self.done


def test_fit_files_are_worked_on_ahead_once_all_questions_are_answered():
    go = threading.Event()
    ahead = Ahead()
    look = ahead.desk._look
    ahead.desk._look = lambda *asked: go.wait(20) and look(*asked)
    questions = ahead.ask("a", "bad", "c")
    ahead.desk.ask(Question(Path("no speech")))
    go.set()
    assert sorted(ahead.wait(2)) == [("a", True), ("c", True)]
    for question in questions:
        assert ahead.desk.answer(question).is_final
    ahead.desk.ask(questions[0])  # answered long ago
    ahead.ask("d")
    assert ahead.wait(3)[2:] == [("d", True)]


def test_a_new_question_is_answered_first(monkeypatch):
    monkeypatch.setattr(preflight_desk, "_PUT_OFF_S", 0.01)
    begun = threading.Event()

    def until_unwanted(clip, is_wanted):
        begun.set()
        if clip == "a" and not ahead.done:
            wait_until(lambda: not is_wanted())
            return False
        return True

    ahead = Ahead(until_unwanted)
    ahead.ask("a")
    assert begun.wait(20)
    [other] = ahead.ask("b")
    assert ahead.wait(3) == [("a", False), ("b", True), ("a", True)]
    assert ahead.desk.answer(other).is_final


def test_what_is_put_off_is_tried_again_and_what_fails_is_not(monkeypatch, caplog):
    monkeypatch.setattr(preflight_desk, "_PUT_OFF_S", 0.01)
    tries = []

    def goes(clip, is_wanted):
        tries.append(clip)
        if clip == "gone":
            raise NoFaceError(Text("没有", "None."))
        if clip == "bug":
            raise RuntimeError("bug")
        return len(tries) > 3

    ahead = Ahead(goes)
    caplog.set_level("INFO")
    for name in ("gone", "bug"):
        ahead.ask(name)
        wait_until(lambda name=name: name in tries)
    ahead.ask("busy")
    assert ahead.wait(2) == [("busy", False), ("busy", True)]
    assert tries == ["gone", "bug", "busy", "busy"]
    assert caplog.text.count("nothing was done ahead") == 2 and caplog.text.count("Traceback") == 1


def test_nothing_is_done_ahead_for_a_clip_that_was_taken_out(monkeypatch):
    monkeypatch.setattr(preflight_desk, "_PUT_OFF_S", 0.01)
    begun = threading.Event()

    def until_unwanted(clip, is_wanted):
        begun.set()
        if clip == "a":
            wait_until(lambda: not is_wanted())
        return clip != "a"

    ahead = Ahead(until_unwanted)
    [question] = ahead.ask("a")
    assert begun.wait(20)
    ahead.desk.withdraw(question)
    ahead.wait(1)
    ahead.ask("b")
    assert ahead.wait(2) == [("a", False), ("b", True)]
    wait_until(lambda: not ahead.desk._fit)
