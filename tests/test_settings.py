"""Settings: what is out of range is told at the start."""

from dataclasses import fields

import pytest

from heygem.errors import SettingsError
from heygem.settings import Settings


@pytest.mark.parametrize("name", ["HEYGEM_STALL_S", "HEYGEM_MAX_SPEECH_S", "HEYGEM_KEEP_DAYS", "HEYGEM_STOP_GRACE_S"])
@pytest.mark.parametrize("value", ["-1", "nan"])
def test_a_limit_has_a_lower_end(name, value):
    with pytest.raises(SettingsError, match=f"{name} must be at least"):
        Settings.from_env({name: value})


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda one: one.name)
def test_a_variable_becomes_a_value_of_its_settings_type(setting):
    text = "yes" if setting.type == "bool" else "3000"
    value = getattr(Settings.from_env({f"HEYGEM_{setting.name.upper()}": text}), setting.name)
    assert type(value).__name__.removeprefix("Posix") == setting.type.removesuffix(" | None")


def test_a_variable_that_is_empty_is_as_good_as_none():
    given = {f"HEYGEM_{one.name.upper()}": " " if one.type != "str" else "" for one in fields(Settings)}
    del given["HEYGEM_HOST"]  # text may be empty on purpose
    expected = {one.name: getattr(Settings(), one.name) for one in fields(Settings) if one.type != "str"}
    found = Settings.from_env(given)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.input_dir is None


def test_a_port_has_an_upper_end():
    with pytest.raises(SettingsError, match="HEYGEM_PORT must be at most 65535"):
        Settings.from_env({"HEYGEM_PORT": "70000"})
