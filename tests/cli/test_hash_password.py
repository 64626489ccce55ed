"""The line that the operator puts into HEYGEM_AUTH_FILE."""

import io

import pytest

from heygem.cli import main
from heygem.settings import Settings
from heygem.ui.users import Users


def test_the_line_lets_its_user_in(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("密码 x\r\n"))
    assert main(["hash-password", "ann"]) == 0
    (tmp_path / "users").write_text(capsys.readouterr().out, encoding="utf-8")
    assert Users.of(Settings(auth_file=tmp_path / "users")).is_right("ann", "密码 x")


@pytest.mark.parametrize(
    ("name", "typed"), [("", "x"), ("a:b", "x"), ("#a", "x"), (" a", "x"), ("a\nb", "x"), ("a", "")]
)
def test_what_could_not_be_read_back_is_refused(name, typed, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
    assert main(["hash-password", name]) == 2
    assert capsys.readouterr().out == ""


def test_a_terminal_is_asked_twice_and_shows_nothing(monkeypatch, capsys):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    answers = iter(["one", "two"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    assert main(["hash-password", "ann"]) == 2
    assert "differ" in capsys.readouterr().err
