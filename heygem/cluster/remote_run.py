"""One step of a job on one actor: begun, listened to, heard to its end. Knows no store and no files."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from heygem.cluster.messages import ActorGoneError, ActorSilentError, ClusterGoneError, Ended, Sign, Task
from heygem.cluster.pool import Pool, Seat
from heygem.errors import HeyGemError, JobRequeued, Text, WorkerLostError
from heygem.pipeline.progress import Progress, Viewer

log = logging.getLogger(__name__)

LISTEN_S = 0.2
"""Seconds between two questions to an actor."""

_ANSWER_S = 5.0
_SILENT_S = 90.0
"""Seconds without an answer after which an actor counts as dead: a cut cable of half a minute costs nothing."""

_UNWIND_S = 15.0
"""Seconds that an actor gets to end a job that nobody wants any more, before it is ended itself."""


def follow(pool: Pool, seat: Seat, actor: str, task: Task, progress: Progress, check: Callable[[], None]) -> Ended:
    """Begin a step, and pass on what is heard of it until it ends.

    Args:
        pool, seat, actor: Who does it.
        task: What is to be done.
        progress: Told how far it is, several times a second, also while nothing is heard.
        check: Called as often; raises to end it.

    Raises:
        WorkerLostError: the actor is gone, or counts as such.
        JobRequeued: the cluster is gone, which is not the job's fault.
        JobUnwound: from `progress` and `check`; the actor does not know of it yet.
    """
    heard_s, sign, is_begun = time.monotonic(), Sign(), False
    while True:
        try:
            if not is_begun:
                pool.door.call(actor, "begin", (task,), _ANSWER_S)
                is_begun = True
            sign = pool.door.call(actor, "sign", (task.key,), _ANSWER_S)
            heard_s = time.monotonic()
        except ActorSilentError as error:
            if time.monotonic() - heard_s > _SILENT_S:
                raise _lost(seat, f"no answer for {_SILENT_S:.0f} s") from error
        except ClusterGoneError as error:
            raise JobRequeued from error
        except (ActorGoneError, KeyError, RuntimeError) as error:
            raise _lost(seat, str(error)) from error
        _pass_on(sign, progress)
        if sign.ended is not None:
            return sign.ended
        seat.models = sign.models
        progress.tick(sign.stage, sign.done, sign.total)
        check()
        sign = Sign(sign.stage, sign.done, sign.total, models=sign.models)  # what was said is said once
        time.sleep(LISTEN_S)


def settle(pool: Pool, seat: Seat, is_hurried: Callable[[], bool]) -> None:
    """Wait until the actor of a step that ended early is free, or end it.

    Args:
        pool, seat: Whose actor.
        is_hurried: Whether there is no time to wait.
    """
    actor, end = seat.actor, time.monotonic() + _UNWIND_S
    try:
        if actor is None:
            return
        pool.door.call(actor, "stop", (), _ANSWER_S)
        while pool.door.call(actor, "is_busy", (), _ANSWER_S):
            if time.monotonic() > end or is_hurried():
                raise ActorSilentError
            time.sleep(LISTEN_S)
    except (ActorGoneError, ActorSilentError):
        pool.drop(seat)


def raise_if_failed(ended: Ended) -> None:
    """Raise here what ended a step there.

    Raises:
        HeyGemError: what the job's user is told; WorkerLostError where the actor is of no more use.
        JobRequeued: it was told to stop.
        RuntimeError: a bug, with its traceback.
    """
    if ended.was_unwound:
        raise JobRequeued
    if ended.error is not None:
        kind = WorkerLostError if ended.is_lost else HeyGemError
        raise kind(ended.error.text, hint=ended.error.hint, code=ended.error.code)
    if ended.fault is not None:
        raise RuntimeError(f"on the node:\n{ended.fault}")


def _pass_on(sign: Sign, progress: Progress) -> None:
    for level, line in sign.lines:
        log.log(level, "%s", line)
    picture = sign.picture
    if picture is not None and isinstance(progress, Viewer):
        progress.show(lambda: picture)


def _lost(seat: Seat, why: str) -> WorkerLostError:
    log.error("the actor on %s is lost: %s", seat.node.address, why)
    return WorkerLostError(
        Text(f"节点 {seat.node.address} 上的工作进程已失联。", f"The worker on node {seat.node.address} is lost."),
        hint=Text("可以重试；如再次发生，请查看日志。", "Try it again; if it happens again, see the log."),
    )
