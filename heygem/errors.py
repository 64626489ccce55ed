"""Every error that HeyGem raises on purpose.

* HeyGemError                  anything below; ``str(error)`` is fit to show to a user
  + SettingsError              a setting is missing, mistyped or out of range
  + InputError                 the user's files or choices; the user can fix it
    - MediaError               a file cannot be read, or holds no usable picture or sound
    - NoFaceError              no face was found where one is needed
    - UnknownEngineError       no engine of that name exists
    - OptionError              a choice for a job is out of range
  + ModelError                 weights or device; the operator can fix it
    - WeightsMissingError      a checkpoint is not there
    - WeightsRefusedError      a checkpoint is there and is not what it should be
    - DownloadError            a checkpoint could not be fetched
    - DeviceError              the device that was asked for is not there
    - OutOfMemoryError         the device ran out of memory at batch size 1
    - DeviceLostError          the device failed in a way that only a new process survives
  + EncodeError                ffmpeg failed while the result was written
  + ClusterError               machines that are to work together
    - NodeRefusedError         a node runs other code or other weights
    - WorkerLostError          the worker of a running job is gone; others go on
  + QueueError                 the queue said no
    - QueueFullError           too many jobs wait
    - JobNotFoundError         no job has that id
* JobUnwound                   not an error: a running job is to end now
  + JobCancelled               the user stopped it
  + JobRequeued                the server stops; the job will run again
    - ShareDrawn               a share of it is drawn; whoever has them all goes on
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class Text(NamedTuple):
    """One sentence in the two languages of the product."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} {self.en}".strip()


NOTHING = Text("", "")


class Notice(NamedTuple):
    """What a user should know although nothing failed."""

    code: str
    """Stable name for scripts."""
    text: Text
    """What was noticed, one sentence with the value."""
    hint: Text = NOTHING
    """What to do about it, one sentence."""


class HeyGemError(Exception):
    """Base of all errors that are raised on purpose.

    Args:
        text: What went wrong, one sentence with the offending value.
        hint: What to do about it, one sentence.
        code: Stable name for scripts; the class has a default.
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, text: Text, *, hint: Text = NOTHING, code: str | None = None) -> None:
        super().__init__(str(text))
        self.text = text
        self.hint = hint
        self.code = code or self.default_code


class SettingsError(HeyGemError):
    """A setting is missing, mistyped or out of range."""

    default_code = "bad_setting"


class InputError(HeyGemError):
    """The user's files or choices; the user can fix it."""

    default_code = "bad_input"


class MediaError(InputError):
    """A file cannot be read, or holds no usable picture or sound. Each cause has a code of its own."""

    default_code = "unreadable"


class NoFaceError(InputError):
    """No face was found where one is needed."""

    default_code = "no_face"


class UnknownEngineError(InputError):
    """No engine of that name exists."""

    default_code = "unknown_engine"


class OptionError(InputError):
    """A choice for a job is out of range.

    Args:
        text: What went wrong, one sentence with the offending value.
        hint: What to do about it, one sentence.
        code: Stable name for scripts; the class has a default.
        option: What the sentence begins with, in both languages, if that is the name of an option.
    """

    default_code = "bad_option"

    def __init__(self, text: Text, *, hint: Text = NOTHING, code: str | None = None, option: str = "") -> None:
        super().__init__(text, hint=hint, code=code)
        self.option = option


class ModelError(HeyGemError):
    """Weights or device; the operator can fix it."""

    default_code = "model_error"


class WeightsMissingError(ModelError):
    """A checkpoint is not there."""

    default_code = "weights_missing"


class WeightsRefusedError(ModelError):
    """A checkpoint is there and is not what it should be: damaged, another file, or other tensors."""

    default_code = "weights_refused"


class DownloadError(ModelError):
    """A checkpoint could not be fetched."""

    default_code = "download_failed"


class DeviceError(ModelError):
    """The device that was asked for is not there, or cannot do what was asked."""

    default_code = "device_unavailable"


class OutOfMemoryError(ModelError):
    """The device ran out of memory at batch size 1."""

    default_code = "out_of_memory"


class DeviceLostError(ModelError):
    """The device failed in a way that only a new process survives: any CUDA error but a lack of memory."""

    default_code = "device_lost"


class EncodeError(HeyGemError):
    """ffmpeg failed while the result was written."""

    default_code = "encode_failed"


class ClusterError(HeyGemError):
    """Machines that are to work together do not."""

    default_code = "cluster_error"


class NodeRefusedError(ClusterError):
    """A node runs other code or other weights than the queue's machine: its results would differ."""

    default_code = "node_refused"


class WorkerLostError(ClusterError):
    """The worker of a running job is gone, or does not answer any more; others go on."""

    default_code = "worker_lost"


class QueueError(HeyGemError):
    """The queue said no."""

    default_code = "queue_error"


class QueueFullError(QueueError):
    """Too many jobs wait."""

    default_code = "queue_full"


class JobNotFoundError(QueueError):
    """No job has that id."""

    default_code = "job_not_found"


class JobUnwound(BaseException):
    """Unwinds a running job. A BaseException, so that no library's ``except Exception`` swallows it."""


class JobCancelled(JobUnwound):
    """The user stopped the job."""


class JobRequeued(JobUnwound):
    """The server stops, or somebody else has the job by now; it will run again."""


class ShareDrawn(JobRequeued):
    """A share of the job's segments is drawn. They stay, for whoever brings all of them together."""
