"""The file beside a result that says how it was made, and by its sha256, that it is still the same.

Knows a folder with a result; knows nothing of what the facts mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heygem.disk import appearing, cannot_write


def manifest_of(result: Path) -> Path:
    """Where the manifest of a result lies."""
    return result.with_suffix(".json")


def write_manifest(result: Path, facts: Mapping[str, object]) -> Path:
    """Write the manifest of a finished result, all or nothing; the result must not change any more.

    Args:
        result: The video.
        facts: What is known of how it was made; name, length and sha256 of the file are added.

    Raises:
        EncodeError: it cannot be written; with code disk_full if the disk is full.
    """
    file = {"name": result.name, "bytes": result.stat().st_size, "sha256": sha256_of_result(result)}
    path = manifest_of(result)
    try:
        with appearing(path) as part:
            part.write_text(json.dumps({**facts, "file": file}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def read_manifest(result: Path) -> dict[str, Any] | None:
    """What the manifest beside a result says; None where there is none, or none of ours."""
    try:
        facts = json.loads(manifest_of(result).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_ours = isinstance(facts, dict) and isinstance(facts.get("file"), dict) and isinstance(facts.get("label"), dict)
    return facts if is_ours else None


def sha256_of_result(result: Path) -> str:
    """Hash of the whole file: 64 hexadecimal digits."""
    with result.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
