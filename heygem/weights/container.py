"""What kind of file lies where a checkpoint should, told from its first bytes."""

from __future__ import annotations

import errno
import zipfile
from enum import Enum
from pathlib import Path

from heygem.errors import Text, WeightsRefusedError

_HEAD_BYTES = 512


class Container(Enum):
    """Kinds of file."""

    EMPTY = "empty"
    WEB_PAGE = "web page"
    LFS_POINTER = "git-lfs pointer"
    SAFETENSORS = "safetensors"
    TORCH_ZIP = "torch.save, zip format"
    TORCHSCRIPT = "TorchScript archive"
    TORCH_LEGACY = "torch.save, format before PyTorch 1.6"
    UNKNOWN = "unknown"


def container_of(file: Path) -> Container:
    """Tell the kind of `file`.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return Container.EMPTY
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return Container.WEB_PAGE
    if text.startswith(b"version https://git-lfs.github.com/spec/"):
        return Container.LFS_POINTER
    if head.startswith(b"PK\x03\x04"):
        return Container.TORCHSCRIPT if _is_torchscript(file) else Container.TORCH_ZIP
    if head.startswith(b"\x80\x02"):
        return Container.TORCH_LEGACY
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < file.stat().st_size:
        return Container.SAFETENSORS
    return Container.UNKNOWN


def refuse_what_holds_no_weights(file: Path, container: Container) -> None:
    """Refuse what people find in place of weights after a download that went wrong.

    Raises:
        WeightsRefusedError: `container` says that `file` is empty, a web page or a git-lfs pointer.
    """
    again = Text("请删除它并重新下载。", "Delete it and download it again.")
    if container is Container.EMPTY:
        raise WeightsRefusedError(Text(f"{file} 是空文件。", f"{file} is empty."), hint=again)
    if container is Container.WEB_PAGE:
        raise WeightsRefusedError(
            Text(f"{file} 是网页，不是模型权重。", f"{file} is a web page, not weights."),
            hint=Text("请使用文件的直接下载链接。", "Use the link to the file itself."),
        )
    if container is Container.LFS_POINTER:
        raise WeightsRefusedError(
            Text(f"{file} 只是 git-lfs 指针，不是模型权重。", f"{file} is a git-lfs pointer, not weights."),
            hint=Text("请运行 git lfs pull，或重新下载。", "Run git lfs pull, or download it again."),
        )


def _is_torchscript(file: Path) -> bool:
    """Archives of TorchScript, and only they, hold a table of constants. A damaged one is none: its reader says so.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile as error:  # the end record, the directory, or a note in it is no such thing
        # zipfile says the same of an end record that the disk would not give. EINVAL is no failure of the disk: the
        # archive's end sends zipfile to before the first byte.
        failed = error.__context__
        if isinstance(failed, OSError) and failed.errno != errno.EINVAL:
            raise failed from None
    except (NotImplementedError, UnicodeDecodeError):
        # zipfile's words for an entry that asks for a version of the format above 6.3, and for one whose name is not
        # the UTF-8 that it says it is.
        pass
    return False
