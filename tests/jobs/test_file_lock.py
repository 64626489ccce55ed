"""One server per folder of results."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from heygem.errors import SettingsError
from heygem.jobs.file_lock import hold_outputs


def test_a_folder_has_one_server_at_a_time(tmp_path: Path) -> None:
    with hold_outputs(tmp_path), pytest.raises(SettingsError) as caught:
        hold_outputs(tmp_path)
    assert caught.value.code == "outputs_taken" and str(tmp_path) in caught.value.text.zh
    hold_outputs(tmp_path).close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        hold_outputs(tmp_path / "none")


def test_a_file_system_without_locks_lets_the_server_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    hold_outputs(tmp_path).close()
