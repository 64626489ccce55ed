"""That a file of weights is what it should be: official ones by size and hash, a user's own by what it holds."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from pathlib import Path

from heygem.errors import Text, WeightsMissingError, WeightsRefusedError
from heygem.weights.container import container_of, refuse_what_holds_no_weights
from heygem.weights.hashes import sha256_of
from heygem.weights.locate import locate, path_of
from heygem.weights.manifest import CHECKPOINTS, Checkpoint

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A file whose content is known.

    Attributes:
        path: Where it lies.
        sha256: Its content, 64 hexadecimal digits.
        official: Whether that content is on the list of checkpoints.
        name: Name of the checkpoint that it is, or stands for.
    """

    path: Path
    sha256: str
    official: bool
    name: str


def find_weights(name: str, models_dir: Path, own: Path | None = None) -> VerifiedFile:
    """The weights to use. Cheap as long as the file does not change.

    Args:
        name: Name of an official checkpoint; one of its stand-ins serves where only that is present.
        models_dir: Where checkpoints lie.
        own: A file that the user named in place of the official one; taken whatever its hash.

    Raises:
        WeightsMissingError: there is no such file; the hint says how to get it.
        WeightsRefusedError: it is there and is not what it should be.
    """
    if own is not None:
        return verify_own(own, name, models_dir)
    checkpoint = CHECKPOINTS[name]
    present = [
        candidate
        for candidate in (checkpoint, *(CHECKPOINTS[other] for other in checkpoint.stand_ins))
        if path_of(candidate, models_dir).exists()
    ]
    return verify_present(present[0] if present else checkpoint, models_dir)


def verify_present(checkpoint: Checkpoint, models_dir: Path, *, is_read: bool = False) -> VerifiedFile:
    """Check an official file in `models_dir`.

    Args:
        checkpoint: Which file.
        models_dir: Where it lies.
        is_read: As for `sha256_of`.

    Raises:
        WeightsMissingError: it is absent.
        WeightsRefusedError: it is damaged, or another file.
    """
    path = locate(checkpoint, models_dir)
    return VerifiedFile(path, verify_file(path, checkpoint, models_dir, is_read=is_read), True, checkpoint.name)


def verify_file(path: Path, checkpoint: Checkpoint, models_dir: Path, *, is_read: bool = False) -> str:
    """The sha256 of `path`, which is one of those that `checkpoint` may have.

    Args:
        path: The file.
        checkpoint: What it should be.
        models_dir, is_read: As for `sha256_of`.

    Raises:
        WeightsRefusedError: the file is damaged, or another one.
    """
    try:
        size = path.stat().st_size
        if size != checkpoint.bytes:
            # What is no checkpoint at all is told first: "a web page" says more than a number of bytes.
            refuse_what_holds_no_weights(path, container_of(path))
            raise _wrong_size(path, size, checkpoint)
        digest = sha256_of(path, models_dir, is_read=is_read)
    except OSError as error:
        raise _unreadable(path, error) from error
    if digest not in checkpoint.accepted_sha256:
        raise WeightsRefusedError(
            Text(
                f"{path} 大小正确，但内容不对（sha256 {digest[:12]}…）：文件已损坏或被改动。",
                f"{path} has the right size and the wrong content (sha256 {digest[:12]}…): damaged or altered.",
            ),
            hint=_again(checkpoint),
        )
    return digest


def verify_own(path: Path, name: str, models_dir: Path) -> VerifiedFile:
    """Take a file that the user named, whatever its hash, and say in the log if it is not an official one.

    Raises:
        WeightsMissingError: there is no such file.
        WeightsRefusedError: it cannot hold weights: empty, a web page, a git-lfs pointer, unreadable.
    """
    if not path.exists():
        raise WeightsMissingError(
            Text(f"找不到指定的权重文件 {path}。", f"There is no weights file {path}."),
            hint=Text("请检查路径。", "Check the path."),
        )
    try:
        refuse_what_holds_no_weights(path, container_of(path))
        digest = sha256_of(path, models_dir)
    except OSError as error:
        raise _unreadable(path, error) from error
    official = digest in CHECKPOINTS[name].accepted_sha256
    if not official:
        _announce_own_file(path, name, digest)
    return VerifiedFile(path, digest, official, name)


@functools.cache
def _announce_own_file(path: Path, name: str, sha256: str) -> None:
    """Warn once per content, not once per job."""
    log.warning("使用自备权重，非官方文件 / not an official file: %s for %s, sha256 %s", path, name, sha256)


def _wrong_size(path: Path, size: int, checkpoint: Checkpoint) -> WeightsRefusedError:
    if size < checkpoint.bytes:
        text = Text(
            f"{path} 不完整：只有 {size:,} 字节，应为 {checkpoint.bytes:,} 字节。",
            f"{path} is incomplete: {size:,} of {checkpoint.bytes:,} bytes.",
        )
    else:
        text = Text(
            f"{path} 是另一个文件：有 {size:,} 字节，应为 {checkpoint.bytes:,} 字节。",
            f"{path} is another file: {size:,} bytes instead of {checkpoint.bytes:,}.",
        )
    return WeightsRefusedError(text, hint=_again(checkpoint))


def _unreadable(path: Path, error: OSError) -> WeightsRefusedError:
    return WeightsRefusedError(
        Text(f"无法读取 {path}：{error.strerror}。", f"{path} cannot be read: {error.strerror}."),
        hint=Text("请检查它是文件且有读取权限。", "Check that it is a file and may be read."),
    )


def _again(checkpoint: Checkpoint) -> Text:
    if not checkpoint.urls:
        return Text(f"请从 {checkpoint.page} 重新下载。", f"Fetch it again from {checkpoint.page}.")
    return Text(
        f"请删除它，再运行 python -m heygem models download {checkpoint.name}；"
        "若是自己的权重，请用 --lips/--enhancer 或设置指定其路径。",
        f"Delete it and run python -m heygem models download {checkpoint.name}; "
        "weights of your own are named by --lips, --enhancer or a setting.",
    )
