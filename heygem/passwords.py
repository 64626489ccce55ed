"""Passwords as they are kept: scrypt, with a salt each. Knows no users, no files."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_KIND = "scrypt"
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
"""16 MB and about 50 ms for each try."""
_MAX_COST = 2**20
"""A line of a file may ask for no more than a GB."""
_BYTES = 32


def hash_password(password: str) -> str:
    """What is kept of a password: ``scrypt$cost$block$parallel$salt$hash``. Another every time."""
    salt = secrets.token_bytes(16)
    made = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL)
    return "$".join([_KIND, str(_COST), str(_BLOCK), str(_PARALLEL), _text(salt), _text(made)])


def is_password(password: str, kept: str) -> bool:
    """Whether `kept` was made of `password`; takes as long when it was not.

    Raises:
        ValueError: `kept` is not what `hash_password` makes.
    """
    cost, block, parallel, salt, made = _parts(kept)
    return hmac.compare_digest(_scrypt(password, salt, cost, block, parallel), made)


def check_kept(kept: str) -> None:
    """See that `kept` is what `hash_password` makes.

    Raises:
        ValueError: it is not.
    """
    _parts(kept)


def _parts(kept: str) -> tuple[int, int, int, bytes, bytes]:
    kind, cost, block, parallel, salt, made = kept.split("$")
    numbers = int(cost), int(block), int(parallel)
    found = base64.b64decode(salt, validate=True), base64.b64decode(made, validate=True)
    if (
        kind != _KIND
        or numbers[0] > _MAX_COST
        or numbers[1:] != (_BLOCK, _PARALLEL)
        or numbers[0] & (numbers[0] - 1)
        or numbers[0] < _COST
        or len(found[1]) != _BYTES
    ):
        raise ValueError("not a password's hash")
    return *numbers, *found


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    # What came over HTTP may hold what is no character; "replace" would make different passwords one.
    secret = password.encode("utf-8", "surrogatepass")
    memory = 128 * cost * block * parallel
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block, p=parallel, maxmem=2 * memory, dklen=_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
