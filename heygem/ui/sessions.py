"""Who has signed in, as a signed text that the browser keeps. Knows nothing of HTTP.

Nothing is stored for a session that lasts, so it outlives a restart of the server. It ends when it is not used for
twelve hours, when the user signs out, and when the password changes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from heygem.errors import SettingsError, Text
from heygem.ui.users import Users

SESSION_S = 12 * 3600
"""Seconds for which a session lasts after it was begun or renewed."""

_KEY_NAME = ".session-key"
_KEY_BYTES = 32


class Sessions:
    """Issues sessions and knows them again.

    Args:
        key: Signs them; whoever has it can sign in as anybody.
        users: Whose sessions they are.
        clock: Seconds since the epoch.
    """

    def __init__(self, key: bytes, users: Users, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._users = users
        self._clock = clock
        self._ended: dict[str, float] = {}

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
        """It is known no more. Forgotten by a new process: a session that was copied lives on until it expires."""
        if self.user_of(session) is None:
            return
        now = self._clock()
        self._ended = {token: expires for token, expires in self._ended.items() if expires > now}
        token = session.rpartition(".")[0]
        self._ended[token] = float(token.partition(".")[0])

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
            part = path.with_name(f"{_KEY_NAME}.{secrets.token_hex(4)}.part")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
            part.replace(path)
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            Text(f"无法写入 {path}：{error.strerror}。", f"{path} cannot be written: {error.strerror}."),
            hint=Text("请检查 HEYGEM_OUTPUTS_DIR。", "Check HEYGEM_OUTPUTS_DIR."),
        ) from error


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii")
