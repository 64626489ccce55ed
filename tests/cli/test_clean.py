"""`clean` on a folder with one abandoned file, as the command itself."""

import pytest

from heygem.cli import main
from heygem.jobs import janitor


@pytest.fixture
def abandoned(tmp_path, monkeypatch):
    """A file that nobody has written for two hours."""
    monkeypatch.setenv("HEYGEM_OUTPUTS_DIR", str(tmp_path))
    monkeypatch.setenv("HEYGEM_CACHE_DIR", str(tmp_path / ".cache"))
    monkeypatch.setattr(janitor.Janitor, "_age_s", lambda self, path: 7200.0)
    path = tmp_path / ".a.mp4.part"
    path.write_bytes(bytes(1_500_000))
    return path


def test_a_dry_run_only_tells(abandoned, capsys):
    assert main(["clean", "--dry-run"]) == 0
    assert abandoned.exists()
    told = capsys.readouterr().out
    assert "would delete: 1 (1.5 MB)" in told and "将删除" in told and "never finished" in told


def test_clean_deletes(abandoned, capsys):
    assert main(["clean"]) == 0
    assert not abandoned.exists()
    assert "deleted: 1 (1.5 MB)" in capsys.readouterr().out
    assert main(["clean"]) == 0
    assert "deleted: 0 (0.0 MB)" in capsys.readouterr().out
