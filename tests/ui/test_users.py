"""Who may use the server: read strictly, and never repeated."""

import pytest

from heygem.errors import SettingsError
from heygem.passwords import hash_password
from heygem.settings import Settings
from heygem.ui.users import Users


def test_without_a_setting_nobody_has_to_sign_in():
    assert Users.of(Settings()) is None


def test_the_one_of_the_setting_may_and_a_password_may_hold_colons():
    users = Users.of(Settings(auth="ann:a:b"))
    assert users.is_right("ann", "a:b")
    assert not users.is_right("ann", "a") and not users.is_right("bob", "a:b") and not users.is_right("", "")


def test_those_of_the_file_may_and_the_setting_counts_where_it_names_one_again(tmp_path):
    file = tmp_path / "users"
    file.write_text(f"# who\n\nann:{hash_password('old')}\n王:{hash_password('密码')}\n", encoding="utf-8")
    users = Users.of(Settings(auth="ann:new", auth_file=file))
    assert users.is_right("王", "密码") and users.is_right("ann", "new") and not users.is_right("ann", "old")


def test_an_unknown_name_is_wrong_whatever_the_password():
    users = Users.of(Settings(auth="ann:x"))
    assert not users.is_right("stranger", "nobody")
    assert users.mark("stranger") is None


def test_a_mark_lasts_over_a_restart_and_changes_with_the_password(tmp_path):
    marks = [Users.of(Settings(auth=f"ann:{password}")).mark("ann") for password in ("x", "x", "y")]
    assert marks[0] == marks[1] != marks[2]


@pytest.mark.parametrize("auth", ["ann", "ann:", ":x", ":"])
def test_half_a_setting_is_an_error(auth):
    with pytest.raises(SettingsError) as refused:
        Users.of(Settings(auth=auth))
    assert refused.value.code == "bad_auth" and (auth == ":" or auth not in str(refused.value))


@pytest.mark.parametrize("line", ["ann", "ann:", "ann:s3cret", ":scrypt$1$1$1$$", "TWICE"])
def test_a_bad_line_is_told_by_its_number_and_not_repeated(tmp_path, line):
    file = tmp_path / "users"
    good = f"bob:{hash_password('x')}"
    file.write_text(f"{good}\n{good if line == 'TWICE' else line}\n")
    with pytest.raises(SettingsError, match="Line 2 of") as refused:
        Users.of(Settings(auth_file=file))
    assert "s3cret" not in f"{refused.value}{refused.value.hint}"


@pytest.mark.parametrize("content", [None, b"", b"# nobody\n", b"\xff\xfe"])
def test_a_file_that_names_nobody_is_an_error_and_opens_nothing(tmp_path, content):
    file = tmp_path / "users"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError):
        Users.of(Settings(auth_file=file))


def test_neither_settings_nor_users_show_a_password():
    settings = Settings(auth="ann:s3cret")
    assert "s3cret" not in repr(settings)
    assert repr(Users.of(settings)) == "Users(ann)"
