"""Looks at uploads on one thread, so that neither the page nor a running job waits for it.

It has the priority of all others: below them it would keep Python's lock, and modules that it imports, from them for as
long as a busy machine keeps the processor from it.

Once nobody waits for an answer, it has done ahead what the jobs will need. Knows who asks and what was answered; knows
neither how a file is looked at nor how an answer is shown.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from heygem.errors import HeyGemError, Text
from heygem.jobs.job import JobError
from heygem.pipeline.options import RenderOptions

if TYPE_CHECKING:
    from heygem.jobs.preflight import PreflightReport
    from heygem.media.media_info import AudioInfo, VideoInfo

log = logging.getLogger(__name__)

_REMEMBERED = 1000
"""Answers: a few kilobytes each. Batches of many clips are open in several browser tabs, with several options."""

_PUT_OFF_S = 1.0
"""How long what is done ahead waits when others want the machine."""

INTERNAL = "internal"
"""Code of a failure that says nothing of the files, nor of their jobs."""

_FAILED = JobError(
    INTERNAL,
    Text("无法预检，详情见运行日志。", "The files could not be looked at; the run log has the details."),
    Text("仍可直接开始生成。", "You may generate all the same."),
)


Headers: TypeAlias = "Callable[[Path | None, Path | None], tuple[VideoInfo | None, AudioInfo | None]]"
Look: TypeAlias = "Callable[[Path | None, Path | None, RenderOptions], PreflightReport]"
Ahead: TypeAlias = "Callable[[Question, Callable[[], bool]], bool]"


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be looked at; either file may be missing."""

    clip: Path | None = None
    speech: Path | None = None
    options: RenderOptions = field(default_factory=RenderOptions)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known so far: first the headers, then the whole report."""

    clip: VideoInfo | None = None
    speech: AudioInfo | None = None
    report: PreflightReport | None = None
    failed: JobError | None = None
    """Why there is no report, and will be none."""

    @property
    def is_final(self) -> bool:
        """Nothing more is to come."""
        return self.report is not None or self.failed is not None


class PreflightDesk:
    """Answers questions about files, the newest first. Its thread begins with the first one.

    Args:
        headers: What the headers of a clip and a speech say; quick. None for a file that is refused or missing.
        look: All that can be said of them, as one who has such options wants to know it.
        ahead: Does what the job of an answered question will need; breaks off when told that this is not wanted just
            now, and returns False then. None: nothing is done ahead.
    """

    def __init__(self, headers: Headers, look: Look, ahead: Ahead | None = None) -> None:
        self._headers = headers
        self._look = look
        self._ahead = ahead
        self._changed = threading.Condition()
        self._waiting: list[Question] = []
        self._fit: list[Question] = []
        self._answers: OrderedDict[Question, Answer] = OrderedDict()
        self._thread: threading.Thread | None = None

    def ask(self, *questions: Question) -> None:
        """Have them answered some time, the first of them first; returns at once."""
        with self._changed:
            for question in reversed(questions):
                if question in self._answers:
                    self._answers.move_to_end(question)
                else:
                    self._answers[question] = self._former(question)
                    self._waiting.append(question)
            while len(self._answers) > _REMEMBERED:
                forgotten, _ = self._answers.popitem(last=False)
                self._waiting = [waiting for waiting in self._waiting if waiting != forgotten]
            if self._thread is None and self._waiting:
                self._thread = threading.Thread(target=self._work, name="preflight", daemon=True)
                self._thread.start()
            self._changed.notify()

    def withdraw(self, question: Question) -> None:
        """Forget a question that waits: nobody wants to know any more. Whoever does all the same asks again."""
        with self._changed:
            if question in self._waiting:
                self._waiting.remove(question)
                del self._answers[question]
        self._take_out(question)

    def answer(self, question: Question) -> Answer | None:
        """What is known by now; None if nobody asked, or it was too long ago."""
        with self._changed:
            return self._answers.get(question)

    def _work(self) -> None:
        was_put_off = False
        while True:
            with self._changed:
                if was_put_off:
                    self._changed.wait_for(lambda: self._waiting, _PUT_OFF_S)
                else:
                    self._changed.wait_for(lambda: self._waiting or self._fit)
                question = self._waiting.pop() if self._waiting else None
            if question is None:
                was_put_off = not self._do_ahead()
            else:
                self._note(question, self._answer(question))
                was_put_off = False

    def _answer(self, question: Question) -> Answer:
        try:
            if not self._is_reported(question):
                self._note(question, Answer(*self._headers(question.clip, question.speech)))
            report = self._look(question.clip, question.speech, question.options)
        except HeyGemError as error:
            return Answer(failed=JobError(error.code, error.text, error.hint))
        except Exception:
            # Whatever it was, the next files are to be looked at, and the user is to know.
            log.exception("files could not be looked at before their job")
            return Answer(failed=_FAILED)
        if self._ahead and question.clip and question.speech and report.is_fit:
            self._take_out(question)
            with self._changed:
                self._fit = [*self._fit, question][-_REMEMBERED:]
        return Answer(report=report)

    def _do_ahead(self) -> bool:
        """What the job of the newest of the fit questions needs; False if that is put off."""
        assert self._ahead is not None
        with self._changed:
            if not self._fit:
                return True
            question = self._fit[-1]
        try:
            if not self._ahead(question, lambda: not self._waiting and question in self._fit):
                return False
        except HeyGemError as error:  # the files may be gone by now; the job, if it comes, will tell
            log.info("nothing was done ahead for %s: %s", question.clip, error)
        except Exception:
            log.exception("nothing was done ahead for %s", question.clip)
        self._take_out(question)
        return True

    def _take_out(self, question: Question) -> None:
        with self._changed:
            if question in self._fit:
                self._fit.remove(question)

    def _former(self, question: Question) -> Answer:
        """What was said of the same files for other options: right but for a number or two, and there at once."""
        same = (
            answer
            for asked, answer in reversed(self._answers.items())
            if answer.report is not None and (asked.clip, asked.speech) == (question.clip, question.speech)
        )
        return next(same, Answer())

    def _is_reported(self, question: Question) -> bool:
        answer = self.answer(question)
        return answer is not None and answer.report is not None

    def _note(self, question: Question, answer: Answer) -> None:
        with self._changed:
            if question in self._answers:
                self._answers[question] = answer
