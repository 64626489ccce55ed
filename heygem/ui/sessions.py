"""Who has signed in, as a signed text that the browser keeps. Knows nothing of HTTP.

Nothing is stored for a session that lasts, so it outlives a restart of the server. It ends when it is not used for
twelve hours, when the user signs out, and when the password changes. Sessions that were signed out of are kept in a
file until they would have ended by themselves, so that a copy of one is of no use after a restart either.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from heygem.errors import SettingsError, Text
from heygem.ui.users import Users

log = logging.getLogger(__name__)

SESSION_S = 12 * 3600
"""Seconds for which a session lasts after it was begun or renewed."""

_KEY_NAME = ".session-key"
_ENDED_NAME = ".ended-sessions"
_KEY_BYTES = 32


class Sessions:
    """Issues sessions and knows them again.

    Args:
        key: Signs them; whoever has it can sign in as anybody.
        users: Whose sessions they are.
        ended_file: Remembers those that were signed out of.
        clock: Seconds since the epoch.

    Raises:
        SettingsError: the file is there and cannot be read.
    """

    def __init__(self, key: bytes, users: Users, ended_file: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._users = users
        self._ended_file = ended_file
        self._clock = clock
        self._ended = _read_ended(ended_file)
        self._lock = threading.Lock()

    def begin(self, name: str) -> str:
        """A new session: letters, digits and ``. - _ =``."""
        token = ".".join([str(int(self._clock()) + SESSION_S), secrets.token_hex(8), _text(name.encode())])
        return f"{token}.{self._signature(token, self._users.mark(name) or b'')}"

    def user_of(self, session: str) -> str | None:
        """Whose session it is; None if it has ended, or is none of ours."""
        token, _, signature = session.rpartition(".")
        try:
            expires, _, name64 = token.split(".")
            name = base64.urlsafe_b64decode(name64.encode("ascii")).decode()
            expires_s = int(expires)
        except ValueError:
            return None
        mark = self._users.mark(name)
        if mark is None or not hmac.compare_digest(signature.encode(), self._signature(token, mark).encode()):
            return None
        return name if self._clock() < expires_s and token not in self._ended else None

    def is_ageing(self, session: str) -> bool:
        """Whether half of its time is over, so that it is time to begin another; of one that `user_of` knows."""
        return int(session.partition(".")[0]) - self._clock() < SESSION_S / 2

    def end(self, session: str) -> None:
        """It is known no more, by the next process neither."""
        if self.user_of(session) is None:
            return
        token = session.rpartition(".")[0]
        with self._lock:
            now = self._clock()
            self._ended = {one for one in self._ended if _expires_s(one) > now} | {token}
            try:
                _write_private(self._ended_file, "".join(f"{one}\n" for one in sorted(self._ended)).encode())
            except OSError as error:
                log.error("%s cannot be written, so a restart forgets who signed out: %s", self._ended_file, error)

    def _signature(self, token: str, mark: bytes) -> str:
        # With what is known of the password: once that changes, no older session holds.
        return hmac.new(self._key, b"\0".join([mark.hex().encode(), token.encode()]), hashlib.sha256).hexdigest()


def session_key(outputs_dir: Path) -> bytes:
    """The key of this folder's server, 32 bytes; made on first use, for its owner alone to read.

    Raises:
        SettingsError: it can be neither read nor written.
    """
    path = outputs_dir / _KEY_NAME
    try:
        outputs_dir.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.stat().st_size != _KEY_BYTES:
            _write_private(path, secrets.token_bytes(_KEY_BYTES))
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            Text(f"无法写入 {path}：{error.strerror}。", f"{path} cannot be written: {error.strerror}."),
            hint=Text("请检查 HEYGEM_OUTPUTS_DIR。", "Check HEYGEM_OUTPUTS_DIR."),
        ) from error


def ended_sessions(outputs_dir: Path) -> Path:
    """Where this folder's server remembers sessions that were signed out of."""
    return outputs_dir / _ENDED_NAME


def _read_ended(path: Path) -> set[str]:
    try:
        return {token for token in path.read_text("ascii").split() if token.partition(".")[0].isdigit()}
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            Text(f"无法读取 {path}。", f"{path} cannot be read."),
            hint=Text("请检查权限，或删除该文件。", "Check its permissions, or delete it."),
        ) from error


def _expires_s(token: str) -> float:
    return float(token.partition(".")[0])


def _write_private(path: Path, content: bytes) -> None:
    """Put a file in its place, whole, for its owner alone to read."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii")
