"""How the pipeline tells where it is, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from itertools import count
from typing import Protocol, runtime_checkable


class Stage(StrEnum):
    """Parts of a job, in order."""

    LOADING = "loading"
    LISTENING = "listening"
    TRACKING = "tracking"
    DRAWING = "drawing"
    FINISHING = "finishing"


class Progress(Protocol):
    """Somebody who watches a job."""

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Called at every stage's start and at least once per batch of frames.

        Args:
            stage: What is being done.
            done: Frames done in this stage.
            total: Frames to do in this stage; None while that is unknown.

        Raises:
            JobCancelled: the user stopped the job; let it pass.
        """
        ...


@runtime_checkable
class Viewer(Protocol):
    """Somebody who watches a job and would like to see it, too."""

    def show(self, picture: Callable[[], bytes]) -> None:
        """Called for each frame that is drawn, on the thread that hands frames to the encoder.

        Args:
            picture: Makes a small JPEG of it, in a few milliseconds. To be called at once or never: the frame goes on.
        """
        ...


def counted(progress: Progress, stage: Stage) -> Callable[[], None]:
    """Tells `progress` of steps that are no frames. Counted: for the watchdog, a long stage stands still otherwise."""
    steps = count(1)
    return lambda: progress.tick(stage, next(steps))


class Silent:
    """Progress that nobody watches."""

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Do nothing."""
