"""What the small buttons in lists of jobs do. Knows the queue and what a browser tab looks at; no gradio, no HTML.

Pressed twice, a button does no more than pressed once: what is done already is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from heygem.errors import HeyGemError, JobNotFoundError, QueueError, Text
from heygem.jobs.task_queue import TaskQueue
from heygem.ui import text
from heygem.ui.batch_view import RETRIED
from heygem.ui.job_parts import Refusal
from heygem.ui.panel import Chosen

_PAGE_DIGITS = 9
"""More pages than SQLite can count to were never offered."""


class JobActions:
    """Does what a button says.

    Args:
        queue: Where the jobs are.
    """

    def __init__(self, queue: TaskQueue) -> None:
        self._queue = queue
        self._acts: dict[str, Callable[[Chosen, str], Chosen]] = {
            "cancel": self._on_job(self._queue.cancel),
            "retry": self._on_job(self._retry),
            "front": self._on_job(self._queue.move_to_front),
            "delete": self._on_job(self._delete),
            "play": lambda chosen, target: replace(chosen, playing=target),
            "show": lambda chosen, target: _look(chosen, playing=target),
            "retry-batch": self._retry_batch,
            "cancel-batch": self._cancel_batch,
            "select": lambda chosen, target: _look(chosen, selected=chosen.history.selected | {target}),
            "unselect": lambda chosen, target: _look(chosen, selected=chosen.history.selected - {target}),
            "select-page": lambda chosen, target: _look(chosen, selected=frozenset(target.split())),
            "unselect-page": lambda chosen, target: _look(chosen, selected=frozenset()),
            "delete-selected": self._delete_selected,
            "page": _turn_page,
        }

    def act(self, chosen: Chosen, act: str, target: str) -> Chosen:
        """Do something, and say what the browser tab looks at from then on, with why it was refused if it was.

        Args:
            chosen: What the tab looks at.
            act: Name of the button's action; one that does not exist does nothing, for a page may be older than we.
            target: Id of the job or batch, or what else the action wants.
        """
        do = self._acts.get(act)
        if do is None:
            return chosen
        try:
            return do(replace(chosen, refusal=None), target)
        except HeyGemError as error:
            return replace(chosen, refusal=Refusal(target, error.text, error.hint))

    def _on_job(self, do: Callable[[str], object]) -> Callable[[Chosen, str], Chosen]:
        def on_job(chosen: Chosen, job_id: str) -> Chosen:
            with suppress(JobNotFoundError):  # somebody deleted it: the page is drawn without it next
                do(job_id)
            return chosen

        return on_job

    def _retry(self, job_id: str) -> None:
        try:
            self._queue.retry(job_id)
        except QueueError as error:
            if error.code != "not_retryable":  # pressed twice, or in two tabs: it waits already
                raise

    def _delete(self, job_id: str) -> None:
        # The queue would drop one that waits; the button was for one that had ended, and was retried since.
        if not self._queue.get(job_id).status.is_final:
            raise QueueError(text.NOT_ENDED, code="job_unfinished")
        self._queue.delete(job_id)

    def _retry_batch(self, chosen: Chosen, batch_id: str) -> Chosen:
        jobs = [job.id for job in self._queue.store.batch(batch_id) if job.status in RETRIED]
        _, refusal = _each(self._retry, jobs)
        return replace(chosen, refusal=refusal and replace(refusal, target=batch_id))

    def _cancel_batch(self, chosen: Chosen, batch_id: str) -> Chosen:
        # The last first: otherwise the next would start each time the one before it is dropped.
        jobs = [job.id for job in reversed(self._queue.store.batch(batch_id)) if not job.status.is_final]
        _, refusal = _each(self._queue.cancel, jobs)
        return replace(chosen, refusal=refusal and replace(refusal, target=batch_id))

    def _delete_selected(self, chosen: Chosen, target: str) -> Chosen:
        left, refusal = _each(self._delete, sorted(chosen.history.selected))
        return replace(_look(chosen, selected=frozenset(left)), refusal=refusal)


def _each(do: Callable[[str], object], job_ids: Iterable[str]) -> tuple[list[str], Refusal | None]:
    """Do something to all of them: one that is refused stops no other.

    Returns:
        Those that were refused, and why the first of them was.
    """
    refused: list[str] = []
    first: HeyGemError | None = None
    for job_id in job_ids:
        try:
            do(job_id)
        except JobNotFoundError:
            continue
        except HeyGemError as error:
            refused.append(job_id)
            first = first or error
    if first is None:
        return [], None
    count = len(refused)
    return refused, Refusal("", Text(f"{count} 个任务：{first.text.zh}", f"{count} jobs: {first.text.en}"), first.hint)


def _look(chosen: Chosen, **changes: object) -> Chosen:
    return replace(chosen, history=replace(chosen.history, **changes))  # type: ignore[arg-type]


def _turn_page(chosen: Chosen, number: str) -> Chosen:
    is_number = number.isdecimal() and len(number) < _PAGE_DIGITS
    return _look(chosen, page=int(number), selected=frozenset()) if is_number else chosen
