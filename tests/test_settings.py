"""Settings: what is out of range is told at the start."""

import pytest

from heygem.errors import SettingsError
from heygem.settings import Settings


@pytest.mark.parametrize("name", ["HEYGEM_STALL_S", "HEYGEM_MAX_SPEECH_S", "HEYGEM_KEEP_DAYS", "HEYGEM_STOP_GRACE_S"])
@pytest.mark.parametrize("value", ["-1", "nan"])
def test_a_limit_has_a_lower_end(name, value):
    with pytest.raises(SettingsError, match=f"{name} must be at least"):
        Settings.from_env({name: value})
