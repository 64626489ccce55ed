"""What a page may submit: files that were uploaded through it and that could become a job, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from heygem.errors import InputError, SettingsError, Text
from heygem.jobs.job import Job, JobRequest
from heygem.jobs.speaker_request import speaker_request
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings
from heygem.ui import text


@dataclass(frozen=True, slots=True)
class Uploads:
    """Turns uploaded files into requests.

    Attributes:
        folder: Where uploads lie.
        settings: What is taken.
    """

    folder: Path
    settings: Settings

    def request(self, clip: str, speech: str, options: RenderOptions) -> JobRequest:
        """A request for two uploaded files, each looked at first: a few tenths of a second.

        Raises:
            InputError: one of them lies elsewhere, or cannot become a job.
        """
        # Gradio checks where files lie as well; this is the second line of defence.
        video, audio = self.path(clip), self.path(speech)
        look_at(Path(clip), Path(speech), self.settings)  # as they came: links are refused
        return JobRequest(video, audio, options, video_name=video.name, audio_name=audio.name)

    def checked(self, requests: Sequence[JobRequest]) -> list[JobRequest]:
        """The jobs of a batch, if it can be queued. Only speeches are looked at: a bad clip fails alone, as a job.

        Raises:
            InputError: there are too many clips, a file lies elsewhere, or a speech cannot become a job.
        """
        check_batch_size(len(requests), self.settings)
        inside = [replace(one, video=self._allowed(one.video), audio=self._allowed(one.audio)) for one in requests]
        for speech in dict.fromkeys(one.audio for one in requests):
            look_at(None, speech, self.settings)
        return inside

    def speaker(self, clip: str, name: str, jobs: Sequence[Job]) -> JobRequest:
        """A request to train a speaker on an uploaded clip, which is looked at first.

        Args:
            clip: The upload.
            name: What the speaker is to be called.
            jobs: Of the queue.

        Raises:
            InputError: the clip lies elsewhere or cannot be learnt from, or the name cannot be given.
        """
        return speaker_of(self.path(clip), name, jobs, self.settings)

    def path(self, name: str) -> Path:
        """Where an upload lies, as gradio names it.

        Raises:
            InputError: with code not_uploaded, it lies elsewhere.
        """
        path = Path(name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InputError(text.NOT_UPLOADED, hint=Text("请重新上传。", "Upload it again."), code="not_uploaded")
        return path

    def _allowed(self, path: Path) -> Path:
        """A file that was uploaded, or that lies where scripts may name files."""
        if self.settings.input_dir is not None and path.is_relative_to(self.settings.input_dir.resolve()):
            return path_in_input_dir(str(path), self.settings)
        return self.path(str(path))


def check_input_dir(settings: Settings) -> None:
    """See at the start that the folder that HEYGEM_INPUT_DIR names is there.

    Raises:
        SettingsError: it is not, or is no folder.
    """
    folder = settings.input_dir
    if folder is not None and not folder.is_dir():
        raise SettingsError(
            Text(
                f"HEYGEM_INPUT_DIR 指向的目录 {folder} 不存在。",
                f"HEYGEM_INPUT_DIR names {folder}, which is no folder.",
            ),
            hint=Text("请创建该目录，或更改设置。", "Make it, or name another."),
        )


def path_in_input_dir(name: str, settings: Settings) -> Path:
    """A file of the folder that HEYGEM_INPUT_DIR names.

    Raises:
        InputError: there is no such folder, or no such file in it; it does not tell what lies elsewhere.
    """
    root = settings.input_dir
    if root is None:
        raise InputError(
            Text("本服务不接受服务器上的路径。", "This server takes no paths of its machine."),
            hint=Text("请上传文件，或由管理员设置 HEYGEM_INPUT_DIR。", "Upload the files, or set HEYGEM_INPUT_DIR."),
            code="paths_are_off",
        )
    try:
        path = (root / name).resolve()
        is_file = path.is_relative_to(root.resolve()) and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        is_file = False
    if not is_file:
        raise InputError(
            Text("允许的目录中没有这个文件。", "There is no such file in the folder that is allowed."),
            hint=Text("路径相对于 HEYGEM_INPUT_DIR。", "Paths are relative to HEYGEM_INPUT_DIR."),
            code="no_such_path",
        )
    return path


def speaker_of(clip: Path, name: str, jobs: Sequence[Job], settings: Settings) -> JobRequest:
    """A request to train a speaker on a clip, which is looked at first.

    Raises:
        InputError: the clip cannot be learnt from, or the name cannot be given.
    """
    request = speaker_request(clip, name, clip_name=clip.name, models_dir=settings.models_dir, jobs=jobs)
    look_at(clip, clip, settings)
    return request


def check_batch_size(clips: int, settings: Settings) -> None:
    """Refuse a batch of more clips than are taken.

    Raises:
        InputError: with code too_many_clips.
    """
    most = settings.max_batch_clips
    if clips > most:
        raise InputError(
            Text(f"一批最多 {most} 个片段，当前有 {clips} 个。", f"{clips} clips; a batch takes {most}."),
            hint=Text("请分成几批提交。", "Submit them in several batches."),
            code="too_many_clips",
        )


def look_at(clip: Path | None, speech: Path, settings: Settings) -> None:
    """Look at uploaded files for a few tenths of a second.

    Args:
        clip: None looks at the speech alone.
        speech: The recording.
        settings: What is taken.

    Raises:
        MediaError: one of them cannot become a job.
    """
    # Late: numpy and torch take seconds, and the page is to open first.
    from heygem.media.intake import inspect_quickly
    from heygem.media.limits import Limits

    limits = Limits.of(settings)
    if clip is not None:
        inspect_quickly(clip, "clip", limits)
    inspect_quickly(speech, "speech", limits)
