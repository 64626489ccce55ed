"""One worker on a node: a process with models of its own that does one job at a time. Knows no queue, and not Ray.

Every call returns at once: the job runs on a thread, and its owner asks for signs of life. So a network that is away
for a while costs nothing, and an owner that is gone hears nothing.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from heygem.cluster.file_store import FileStore
from heygem.cluster.handshake import own_facts
from heygem.cluster.messages import Ended, Facts, RunUnwound, SharedSettings, Sign, Task
from heygem.errors import DeviceLostError, HeyGemError, JobUnwound, ShareDrawn, WorkerLostError
from heygem.jobs.job import Job, JobError, JobResult, Runner
from heygem.jobs.job_folder import RESULT
from heygem.jobs.job_json import from_json, to_json
from heygem.jobs.process_identity import is_alive, own_identity
from heygem.jobs.run_job import GROUNDWORK_FOLDER
from heygem.pipeline.progress import Stage, counted
from heygem.pipeline.shares import WHOLE, Share, gather
from heygem.settings import Settings
from heygem.weights.speakers import LIPS, speaker_folder

log = logging.getLogger(__name__)

MakeRunner = Callable[[Settings, Callable[[Job], Share]], Runner]
"""Makes a runner from settings and from what tells which share of a job is to be drawn."""

_LINES_KEPT = 200
_PICTURE_S = 1.0


class ActorWorker:
    """Does one job at a time. The class that becomes an actor.

    Args:
        shared: Settings that are the queue's.
        device: cuda or cpu.
        make_runner: ``module:function``, a `MakeRunner`.
    """

    def __init__(self, shared: SharedSettings, device: str, make_runner: str) -> None:
        settings = shared.on_node(os.environ, device)
        actors = settings.cache_dir.absolute() / "actors"
        sweep(actors)
        self._folder = actors / own_identity().replace(":", "_")
        self._folder.mkdir(parents=True)
        module, _, name = make_runner.partition(":")
        make = cast(MakeRunner, getattr(importlib.import_module(module), name))
        # The folder of its jobs is its own: what it leaves there nobody else sees.
        self._settings = replace(settings, outputs_dir=self._folder)
        self._run = make(self._settings, lambda job: self._attempt.task.share if self._attempt is not None else WHOLE)
        self._attempt: _Attempt | None = None
        logging.getLogger("heygem").setLevel(logging.INFO)

    def facts(self) -> Facts:
        """What has to be the same as on the queue's machine."""
        return own_facts(self._settings)

    def begin(self, task: Task) -> None:
        """Begin an attempt; told of the same one again, it goes on.

        Raises:
            RuntimeError: another one has not come to its end.
        """
        if self._attempt is not None and self._attempt.task.key == task.key:
            return
        if self.is_busy():
            raise RuntimeError("an attempt is still under way")
        self._attempt = _Attempt(task, self._settings, self._run)
        self._attempt.start()

    def sign(self, key: str) -> Sign:
        """How far an attempt is.

        Raises:
            KeyError: this actor knows nothing of it.
        """
        if self._attempt is None or self._attempt.task.key != key:
            raise KeyError(key)
        return self._attempt.sign()

    def stop(self) -> None:
        """Let the attempt end at its next tick."""
        if self._attempt is not None:
            self._attempt.is_unwanted = True

    def is_busy(self) -> bool:
        """Whether an attempt has not come to its end."""
        return self._attempt is not None and self._attempt.sign_of_end is None


class _Attempt(threading.Thread):
    """A job on its way: fetch, do, hand over. It is the `Progress` of the runner, and a `Viewer`."""

    def __init__(self, task: Task, settings: Settings, run: Runner) -> None:
        super().__init__(name=f"job-{task.job_id}", daemon=True)
        self.task = task
        self.is_unwanted = False
        self._folder = settings.outputs_dir / task.job_id
        self._models_dir = settings.models_dir
        self._run_job = run
        self._at: tuple[Stage, int, int | None] = (Stage.LOADING, 0, None)
        self._lines: deque[tuple[int, str]] = deque(maxlen=_LINES_KEPT)
        self._picture: bytes | None = None
        self._picture_at = float("-inf")
        self.sign_of_end: Ended | None = None

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Keep it for the next sign of life.

        Raises:
            RunUnwound: nobody wants the result any more.
        """
        self._at = (stage, done, total)
        if self.is_unwanted:
            raise RunUnwound

    def show(self, picture: Callable[[], bytes]) -> None:
        """Keep a picture of a frame, once a second."""
        now = time.monotonic()
        if now - self._picture_at >= _PICTURE_S:
            self._picture_at = now
            self._picture = picture()

    def sign(self) -> Sign:
        """How far it is, and what was said since the last time."""
        ended = self.sign_of_end  # before the lines: none of them is to come later
        lines = tuple(self._lines.popleft() for _ in range(len(self._lines)))
        picture, self._picture = self._picture, None
        return Sign(*self._at, lines=lines, picture=picture, ended=ended, models=_models())

    def run(self) -> None:
        """Do it; whatever happens, `sign` tells how it ended."""
        relay = _Relay(self._lines)
        logging.getLogger("heygem").addHandler(relay)
        try:
            ended = self._do()
        except JobUnwound:
            ended = Ended(was_unwound=True)
        except HeyGemError as error:
            why = JobError(error.code, error.text, error.hint)
            ended = Ended(error=why, is_lost=isinstance(error, DeviceLostError | WorkerLostError))
        except BaseException:  # noqa: BLE001 - a bug, ours or a library's: the queue's process raises and logs it
            ended = Ended(fault=traceback.format_exc())
        finally:
            logging.getLogger("heygem").removeHandler(relay)
            shutil.rmtree(self._folder, ignore_errors=True)
        self.sign_of_end = ended  # last of all: the next attempt may begin

    def _do(self) -> Ended:
        from heygem.pipeline.segments import segments_folder  # torch, which the driver's process has no need of

        task, store = self.task, FileStore(self.task.store, on_piece=counted(self, Stage.LOADING))
        self._folder.mkdir(exist_ok=True)
        for name in task.inputs:
            store.get(f"{task.run_id}/in/{name}", self._folder / name)
        if task.speaker:
            lips = speaker_folder(task.speaker, self._models_dir) / LIPS
            lips.parent.mkdir(parents=True, exist_ok=True)
            store.get(f"{task.run_id}/lips", lips)
        job = from_json(Job, task.job, self._folder)
        with segments_folder(self._folder / RESULT) as segments:
            self._lay_out(store, segments)
            try:
                result: JobResult = self._run_job(job, self)
            except ShareDrawn:
                return Ended(files=self._hand_over(segments if segments.exists() else self._folder / GROUNDWORK_FOLDER))
        return Ended(result=to_json(result, self._folder), files=self._hand_over(self._folder))

    def _lay_out(self, store: FileStore, segments: Path) -> None:
        """Fetch what others found out and drew."""
        task = self.task
        if not task.share.is_whole or task.groundwork:
            (self._folder / GROUNDWORK_FOLDER).mkdir()
        for name in task.groundwork:
            store.get(f"{task.run_id}/{name}", self._folder / GROUNDWORK_FOLDER / Path(name).name)
        shares = []
        for number, names in enumerate(task.shares):
            shares.append(self._folder / f".share-{number}")
            shares[-1].mkdir()
            for name in names:
                store.get(f"{task.run_id}/{name}", shares[-1] / Path(name).name)
        if shares:
            gather(segments, shares)

    def _hand_over(self, folder: Path) -> tuple[str, ...]:
        """Store the files in a folder, but for the job's inputs and what is hidden; where they are then."""
        store, names = FileStore(self.task.store, on_piece=counted(self, Stage.FINISHING)), []
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.name not in self.task.inputs:
                names.append(f"{self.task.out}/{path.name}")
                store.put(path, f"{self.task.run_id}/{names[-1]}")
        return tuple(names)


class _Relay(logging.Handler):
    """Keeps what is logged for the queue's run log."""

    def __init__(self, lines: deque[tuple[int, str]]) -> None:
        super().__init__(logging.INFO)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._lines.append((record.levelno, self.format(record)))


def sweep(folder: Path) -> None:
    """Delete the folders of actors that died."""
    for one in folder.iterdir() if folder.exists() else ():
        try:
            is_left = not is_alive(one.name.replace("_", ":"))
        except ValueError:
            continue  # none of ours
        if is_left:
            shutil.rmtree(one, ignore_errors=True)


def _models() -> tuple[str, ...]:
    """Names of the models on the device. Whoever has loaded none has no need of torch either."""
    if "heygem.model_manager" not in sys.modules:
        return ()
    from heygem.model_manager import get_model_manager

    resident = (model for model in get_model_manager().statistics().models if model.sha256 is not None)
    return tuple(f"{model.key.kind}/{model.key.name}" for model in resident)
