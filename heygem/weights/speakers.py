"""Lip models of the user's own speakers: where they lie, and what they may be called."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from heygem.errors import OptionError, Text

LIPS = "lips.safetensors"
"""Name of the model in a speaker's folder."""

_FOLDER = "speakers"
_NAME = re.compile(r"\w[\w-]{0,39}")
_MARK = "M"
"""First letter of Unicode's categories of vowel signs and accents, which many scripts write words with."""


def speaker_folder(name: str, models_dir: Path) -> Path:
    """Where the model of a speaker and its report lie, or would.

    Args:
        name: Letters of any script, digits, - and _; at most 40.
        models_dir: The folder of models.

    Raises:
        OptionError: nobody can be called that, with code bad_name.
    """
    if not is_speaker_name(name):
        raise OptionError(
            Text(f"名称 {name!r} 不能用作说话人的名称。", f"A speaker cannot be called {name!r}."),
            hint=Text(
                "请用不超过 40 个字母、汉字、数字、- 或 _，不以 - 开头。",
                "Use up to 40 letters, digits, - and _, not beginning with -.",
            ),
            code="bad_name",
        )
    return speakers_folder(models_dir) / name


def is_speaker_name(name: str) -> bool:
    """Whether somebody can be called that."""
    letters = "".join("_" if unicodedata.category(sign).startswith(_MARK) else sign for sign in name[1:])
    return _NAME.fullmatch(name[:1] + letters) is not None


def speakers_folder(models_dir: Path) -> Path:
    """Where the folders of all speakers lie, if there are any."""
    return models_dir / _FOLDER


def speaker_names(models_dir: Path) -> list[str]:
    """Speakers of whom there is a model, in alphabetical order."""
    files = speakers_folder(models_dir).glob(f"*/{LIPS}")
    return sorted(file.parent.name for file in files if is_speaker_name(file.parent.name))
