"""Who may use the server. Knows names and passwords; knows nothing of HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heygem.errors import SettingsError, Text
from heygem.passwords import check_kept, hash_password, is_password
from heygem.settings import Settings

_HINT = Text("请用 python -m heygem hash-password 生成一行。", "Make a line with python -m heygem hash-password.")


@dataclass(frozen=True, slots=True)
class Users:
    """Names, and what is known of their passwords. Says nothing of them when printed."""

    _kept: Mapping[str, str]
    _marks: Mapping[str, bytes]
    _nobody: str

    def __repr__(self) -> str:
        return f"Users({', '.join(sorted(self._kept))})"

    @classmethod
    def of(cls, settings: Settings) -> Users | None:
        """Those that the settings name; None if nobody has to sign in.

        Raises:
            SettingsError: a setting or the file is not as it should be. It never repeats what it found.
        """
        if not settings.auth and settings.auth_file is None:
            return None
        kept = _from_file(settings.auth_file) if settings.auth_file is not None else {}
        marks = {name: line.encode() for name, line in kept.items()}
        if settings.auth:
            name, _, password = settings.auth.partition(":")
            if not name or not password:
                raise SettingsError(
                    Text("HEYGEM_AUTH 应为“用户名:密码”。", "HEYGEM_AUTH has to be user:password."), code="bad_auth"
                )
            kept[name] = hash_password(password)
            # The hash is another one in every process; sessions are to outlive a restart.
            marks[name] = hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
        # A stranger must not learn names from the time that an answer takes.
        return cls(kept, marks, hash_password("nobody"))

    def is_right(self, name: str, password: str) -> bool:
        """Whether this is that user's password: 50 ms of work on purpose, also where nobody has that name."""
        is_right = is_password(password, self._kept.get(name, self._nobody))
        return is_right and name in self._kept

    def mark(self, name: str) -> bytes | None:
        """A secret that is the same until the user's password changes; None if nobody has that name."""
        return self._marks.get(name)


def _from_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            Text(f"无法读取 HEYGEM_AUTH_FILE {path}。", f"HEYGEM_AUTH_FILE {path} cannot be read."),
            hint=_HINT,
            code="bad_auth",
        ) from error
    kept: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, found = line.strip().partition(":")
        if not name or name in kept or not _is_hash(found):
            raise SettingsError(
                Text(
                    f"{path} 第 {number} 行不是“用户名:哈希”，或用户名重复。",
                    f"Line {number} of {path} is not user:hash, or names a user again.",
                ),
                hint=_HINT,
                code="bad_auth",
            )
        kept[name] = found
    if not kept:
        raise SettingsError(Text(f"{path} 里没有用户。", f"{path} names nobody."), hint=_HINT, code="bad_auth")
    return kept


def _is_hash(text: str) -> bool:
    try:
        check_kept(text)
    except ValueError:
        return False
    return True
