"""``heygem doctor`` on machines that this one is not."""

from pathlib import Path

import pytest

from heygem.cli import doctor


def test_a_driver_that_hangs_is_told_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexec sleep 300\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(doctor, "_DRIVER_LIMIT_S", 0.2)
    found = doctor._driver()
    assert (found.state, found.advice.en) == (
        doctor.State.WEAK,
        "The driver does not answer; restart, or install it anew.",
    )
