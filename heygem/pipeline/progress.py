"""How the pipeline tells where it is, and learns that it should stop."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


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


class Silent:
    """Progress that nobody watches."""

    def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
        """Do nothing."""
