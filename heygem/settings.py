"""Process-wide settings, read once at start from HEYGEM_* variables. Per-job choices are in pipeline.options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from heygem.errors import SettingsError, Text

PROJECT_DIR = Path(__file__).resolve().parents[1]

_LAST_PORT = 65_535
"""Where the project lies: what comes with it is found whatever the working directory is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs. Immutable: build another to change one."""

    host: str = "127.0.0.1"
    """Address that the page is served on."""
    port: int = 7860
    """Port that the page is served on."""
    models_dir: Path = PROJECT_DIR / "models"
    """Where checkpoints lie."""
    outputs_dir: Path = PROJECT_DIR / "outputs"
    """Where each job gets a folder."""
    cache_dir: Path = PROJECT_DIR / "outputs" / ".cache"
    """Where face tracks are kept for clips that come again, networks converted for this machine, and uploads while they
    wait."""
    cache_mb: int = 512
    """Size that the cache of face tracks is held under, in MB."""
    log_file: Path = PROJECT_DIR / "运行实时日志.log"
    """Where the server's run log goes."""
    log_mb: int = 10
    """Size at which the run log is copied away and emptied, in MB."""
    log_keep: int = 5
    """Older parts of the run log that stay."""
    device: str = "auto"
    """auto, cuda, cuda:N or cpu."""
    precision: str = "auto"
    """auto, fp32, bf16 or fp16."""
    runtime: str = "auto"
    """What computes the large networks on a CPU: auto (OpenVINO where it is installed), torch or openvino."""
    wav2lip_file: Path | None = None
    """A Wav2Lip checkpoint of the user's own, used instead of the official one."""
    gfpgan_file: Path | None = None
    """A GFPGAN checkpoint of the user's own, used instead of the official one."""
    preload: bool = True
    """Load the models as soon as the page is served, and not with the first job."""
    model_budget_mb: int = 8192
    """Weights that may stay on the device, in MB; the least recently used go first."""
    model_idle_s: float = 0.0
    """Unload a model that was not used for so many seconds; 0 keeps it for ever."""
    ray_address: str = ""
    """Ray cluster that does the jobs: auto, host:port, or local for one on this machine; empty: this process does."""
    ray_cpu_actors: int = 0
    """Actors on the cluster's processors; 0: one on each of its GPUs."""
    ray_store: str = ""
    """URL of the folder that the machines of the cluster share; empty: below `cache_dir`, which they then share."""
    ray_idle_s: float = 300.0
    """Seconds after which an actor that has nothing to do is released."""
    queue_capacity: int = 200
    """Jobs that may wait."""
    stop_grace_s: float = 20.0
    """Seconds that a running job may still take to end when the server is told to stop; then it is put back."""
    stall_s: float = 600.0
    """Seconds without progress after which a running job is ended, with the process."""
    keep_days: float = 0.0
    """Days that results stay; 0 keeps them for ever."""
    keep_gb: float = 0.0
    """Size that the results are held under, in GB, the oldest going first; 0 sets no limit."""
    min_free_mb: int = 2048
    """Free space on the disk of the outputs, in MB, under which jobs wait."""
    max_speech_s: float = 3600.0
    """Longest speech that is taken, in seconds."""
    max_clip_s: float = 3600.0
    """Longest clip that is taken, in seconds."""
    max_upload_mb: int = 2048
    """Largest file that is taken, in MB."""
    max_batch_clips: int = 50
    """Clips in one batch."""
    input_dir: Path | None = None
    """Folder on this machine whose files scripts may name instead of uploading them."""
    auth: str = field(default="", repr=False)
    """user:password of the one who may use the page; empty: nobody has to sign in, unless there is `auth_file`."""
    auth_file: Path | None = None
    """Those who may use the page: a line each, as ``python -m heygem hash-password`` prints it."""
    allow_public: bool = False
    """The page may be served on an address that others reach, although nobody has to sign in."""
    visible_label: bool = True
    """Results show that they were generated. Laws ask for it; the operator answers for switching it off."""
    content_producer: str = "HeyGem"
    """Name or code of this service, for the metadata of results."""
    c2pa_cert: Path | None = None
    """Certificate chain (PEM) that results are signed with."""
    c2pa_key: Path | None = None
    """Private key (PEM) that belongs to it."""

    def __post_init__(self) -> None:
        for name, low in (
            ("port", 0),
            ("cache_mb", 1),
            ("model_budget_mb", 1),
            ("model_idle_s", 0),
            ("ray_cpu_actors", 0),
            ("ray_idle_s", 1),
            ("queue_capacity", 1),
            ("stop_grace_s", 0),
            ("log_mb", 1),
            ("log_keep", 0),
            ("stall_s", 1),
            ("keep_days", 0),
            ("keep_gb", 0),
            ("min_free_mb", 0),
            ("max_speech_s", 1),
            ("max_clip_s", 1),
            ("max_upload_mb", 1),
            ("max_batch_clips", 1),
        ):
            value = getattr(self, name)
            if not value >= low:  # nan is neither, and no limit at all
                raise SettingsError(
                    Text(
                        f"HEYGEM_{name.upper()} 不能小于 {low}，当前为 {value}。",
                        f"HEYGEM_{name.upper()} must be at least {low}, got {value}.",
                    )
                )
        if self.port > _LAST_PORT:
            raise SettingsError(
                Text(
                    f"HEYGEM_PORT 不能大于 {_LAST_PORT}，当前为 {self.port}。",
                    f"HEYGEM_PORT must be at most {_LAST_PORT}, got {self.port}.",
                )
            )

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings that `env` names and keep the defaults of the others.

        Raises:
            SettingsError: a value does not convert, or a HEYGEM_ variable names no setting.
        """
        types = {one.name: str(one.type) for one in fields(cls)}
        given: dict[str, Any] = {}
        for key, text in env.items():
            if not key.startswith("HEYGEM_"):
                continue
            name = key.removeprefix("HEYGEM_").lower()
            if name not in types:
                names = ", ".join(f"HEYGEM_{n.upper()}" for n in sorted(types))
                raise SettingsError(
                    Text(f"没有 {key} 这个设置。", f"{key} is not a setting."),
                    hint=Text(f"可用的设置：{names}。", f"There are: {names}."),
                )
            if not text.strip() and types[name] != "str":
                continue  # as templates write what is not set; as a path it would be the current folder
            try:
                given[name] = _CASTS[types[name]](text)
            except ValueError as error:
                wanted = Text("yes 或 no", "yes or no") if types[name] == "bool" else Text("数字", "a number")
                raise SettingsError(
                    Text(
                        f"{key} 的值 {text!r} 不是{wanted.zh}。",
                        f"{key} has the value {text!r}, which is not {wanted.en}.",
                    )
                ) from error
        return cls(**given)


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "on", "true", "1", "no", "off", "false", "0"):
        raise ValueError(text)
    return text.lower() in ("yes", "on", "true", "1")


_CASTS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _yes_or_no,
    "Path": Path,
    "Path | None": Path,
}
"""What makes a setting of a variable's text, by the setting's type."""
