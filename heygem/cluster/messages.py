"""What the queue's process and its actors say to each other: values only, fit to be pickled. Knows no Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from heygem.errors import JobUnwound
from heygem.jobs.job import JobError
from heygem.pipeline.progress import Stage
from heygem.pipeline.shares import WHOLE, Share
from heygem.settings import Settings


class ActorGoneError(Exception):
    """An actor, its node or Ray itself has died; what it did is lost."""


class ClusterGoneError(ActorGoneError):
    """The whole cluster, or the way to it, is gone."""


class ActorSilentError(Exception):
    """An actor gave no answer in time; it may yet."""


@dataclass(frozen=True, slots=True)
class SharedSettings:
    """What decides how results look and what is taken: the same on every node, whatever its own environment says."""

    visible_label: bool
    content_producer: str
    max_speech_s: float
    max_clip_s: float
    precision: str

    @classmethod
    def of(cls, settings: Settings) -> SharedSettings:
        """Those of the queue's process. Passwords and addresses stay there."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    def on_node(self, env: Mapping[str, str], device: str) -> Settings:
        """The settings of a node: its own places of weights and cache, and these.

        Raises:
            SettingsError: the node's environment is wrong.
        """
        return replace(Settings.from_env(env), device=device, **asdict(self))


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster."""

    id: str
    address: str
    cpus: float
    gpus: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What has to be the same wherever one job may be done."""

    version: str
    weights: Mapping[str, str]
    """sha256 by the name of the checkpoint: of each that is there."""
    is_signed: bool
    """Results get a C2PA signature."""


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt at a job on one actor."""

    run_id: str
    job_id: str
    job: str
    """The job as JSON, its paths relative to its folder."""
    inputs: tuple[str, ...]
    """Names of the files that it needs in its folder."""
    store: str
    """URL of the folder that both sides reach; what is below ``<run_id>/`` is this attempt's."""
    speaker: str = ""
    """Whose lip model it takes, if anybody's: ``<run_id>/lips`` is that."""
    share: Share = WHOLE
    """What to draw of it."""
    out: str = "out"
    """Where below ``<run_id>/`` its files are left."""
    groundwork: tuple[str, ...] = ()
    """Names, below ``<run_id>/``, of what was found out for all shares: the clip's faces, and what is heard."""
    shares: tuple[tuple[str, ...], ...] = ()
    """Names, below ``<run_id>/``, of the segments that each share drew."""

    @property
    def key(self) -> str:
        """Names this step of the attempt."""
        return f"{self.run_id}/{self.out}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended on its actor.

    Attributes:
        result: The `JobResult` as JSON, its paths relative to the job's folder; None if there is none.
        files: Names of the files that it left in the store, below ``<run_id>/``.
        error: Why there is no result, for users.
        fault: A traceback: why there is no result, for the log.
        is_lost: The actor's process is of no more use.
        was_unwound: It was told to stop.
    """

    result: str | None = None
    files: tuple[str, ...] = ()
    error: JobError | None = None
    fault: str | None = None
    is_lost: bool = False
    was_unwound: bool = False


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life of an attempt.

    Attributes:
        stage, done, total: How far it is; as `Progress.tick` was told last.
        lines: What was logged since the sign before: level and words.
        picture: A small JPEG of a frame drawn a moment ago, if there is a new one.
        ended: How it ended; None while it runs.
        models: Names of the models on the device.
    """

    stage: Stage = Stage.LOADING
    done: int = 0
    total: int | None = None
    lines: tuple[tuple[int, str], ...] = ()
    picture: bytes | None = None
    ended: Ended | None = None
    models: tuple[str, ...] = ()


class RunUnwound(JobUnwound):
    """The queue's process wants an attempt to end."""
