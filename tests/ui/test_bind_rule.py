"""An open address is refused where anybody who reaches it could use the page."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heygem.errors import SettingsError
from heygem.settings import Settings
from heygem.ui.bind_rule import check_bind, rule_of_names

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "no-such-host.invalid"])
def test_this_machine_alone_is_served(host, caplog):
    check_bind(Settings(host=host))
    assert caplog.records == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "0", "192.0.2.7", "fe80::1", "::ffff:192.0.2.7"])
def test_others_are_served_only_where_the_operator_says_so(host, caplog):
    with pytest.raises(SettingsError, match="nobody has to sign in") as refused:
        check_bind(Settings(host=host))
    assert "HEYGEM_ALLOW_PUBLIC=yes" in refused.value.hint.en and refused.value.code == "public_address"
    with caplog.at_level(logging.WARNING):
        check_bind(Settings(host=host, allow_public=True))
    assert "open to others" in caplog.text


def test_others_are_served_where_they_have_to_sign_in(caplog):
    with caplog.at_level(logging.WARNING):
        check_bind(Settings(host="0.0.0.0", auth="ann:s3cret"))
    assert "they have to sign in" in caplog.text and "s3cret" not in caplog.text


def test_a_login_that_cannot_work_ends_the_start_on_every_address(tmp_path):
    for settings in (Settings(auth="ann"), Settings(auth_file=tmp_path / "none", allow_public=True, host="0.0.0.0")):
        with pytest.raises(SettingsError) as refused:
            check_bind(settings)
        assert refused.value.code == "bad_auth"


def start(folder, **settings):
    """The server with these settings, of which one ends it at once."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HEYGEM_")}
    places = {"HEYGEM_OUTPUTS_DIR": "outputs", "HEYGEM_CACHE_DIR": "cache", "HEYGEM_LOG_FILE": "run.log"}
    env = clean | {key: str(folder / name) for key, name in places.items()} | settings
    return subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)


def test_the_server_starts_on_an_open_address_only_if_told_so_and_logs_what_is_off(tmp_path):
    refused_dir, told_dir = tmp_path / "refused", tmp_path / "told"
    refused_dir.mkdir()
    told_dir.mkdir()
    refused = start(refused_dir, HEYGEM_HOST="0.0.0.0", HEYGEM_PORT="0")
    # This address exists nowhere, so that the server ends by itself.
    told = start(told_dir, HEYGEM_HOST="192.0.2.7", HEYGEM_ALLOW_PUBLIC="yes", HEYGEM_VISIBLE_LABEL="off")
    said = refused.communicate(timeout=100)[1]
    assert refused.returncode == 2
    assert len(said.splitlines()) == 2, said
    assert "nobody has to sign in" in said and "HEYGEM_ALLOW_PUBLIC=yes" in said
    said = told.communicate(timeout=100)[1]
    assert told.returncode == 2 and "Cannot listen" in said
    log = (told_dir / "run.log").read_text(encoding="utf-8")
    assert "The page is open to others" in log
    assert "WARNING" in log and "The visible AI label is switched off by the operator." in log


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("ON", True), ("off", False), ("0", False)])
def test_a_switch_is_read_as_people_write_it(text, value):
    assert Settings.from_env({"HEYGEM_VISIBLE_LABEL": text}).visible_label is value


def test_a_switch_that_is_neither_is_an_error():
    with pytest.raises(SettingsError, match="'maybe', which is not yes or no"):
        Settings.from_env({"HEYGEM_ALLOW_PUBLIC": "maybe"})


@pytest.mark.parametrize(
    "name",
    [
        "localhost:7860",
        "LOCALHOST",
        "127.0.0.1:7860",
        "192.168.1.7:80",
        "[::1]:7860",
        "[fe80::1]",
        "box.lan:7860",
    ],
)
def test_names_that_nobody_else_can_have_are_this_machines(name):
    assert rule_of_names(Settings(host="box.lan"))(name)


@pytest.mark.parametrize("name", ["evil.example:7860", "evil.example", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_a_name_of_another_site_is_none_of_ours_unless_users_sign_in_or_all_may_come(name):
    assert not rule_of_names(Settings())(name)
    assert rule_of_names(Settings(auth="ann:s3cret"))(name) and rule_of_names(Settings(allow_public=True))(name)
