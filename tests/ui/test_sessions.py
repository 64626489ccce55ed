"""Who has signed in: known until it ends, and by nobody's leave but ours."""

import base64
import stat

import pytest

from heygem.errors import SettingsError
from heygem.settings import Settings
from heygem.ui.sessions import SESSION_S, Sessions, session_key
from heygem.ui.users import Users

KEY = b"k" * 32


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions_of(tmp_path, clock):
    """A server's sessions; another one of the same folder is the server after a restart."""

    def make(*, auth="王:x", key=KEY):
        return Sessions(key, Users.of(Settings(auth=auth)), tmp_path / "ended", clock=clock)

    return make


def test_a_session_is_known_for_twelve_hours_and_by_the_next_process(sessions_of, clock):
    session = sessions_of().begin("王")
    clock.now += SESSION_S - 1
    assert sessions_of().user_of(session) == "王"
    clock.now += 1
    assert sessions_of().user_of(session) is None


def test_it_ends_when_the_password_or_the_key_changes_or_the_user_goes(sessions_of):
    session = sessions_of().begin("王")
    assert sessions_of(auth="王:y").user_of(session) is None
    assert sessions_of(auth="ann:x").user_of(session) is None
    assert sessions_of(key=b"j" * 32).user_of(session) is None


def test_it_ends_when_its_user_signs_out_and_others_of_the_user_do_not(sessions_of):
    sessions = sessions_of()
    one, other = sessions.begin("王"), sessions.begin("王")
    sessions.end(one)
    sessions.end("nonsense")
    assert (sessions.user_of(one), sessions.user_of(other)) == (None, "王")


def test_who_signed_out_is_out_after_a_restart_too(sessions_of, clock, tmp_path):
    sessions = sessions_of()
    one, other = sessions.begin("王"), sessions.begin("王")
    sessions.end(one)
    restarted = sessions_of()
    assert (restarted.user_of(one), restarted.user_of(other)) == (None, "王")
    file = tmp_path / "ended"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and one not in file.read_text()  # without its signature
    restarted.end(other)
    assert len(file.read_text().split()) == 2
    clock.now += SESSION_S + 1
    late = sessions_of()
    late.end(late.begin("王"))
    assert len(file.read_text().split()) == 1  # the others would have ended by themselves


def test_what_was_signed_out_of_stays_so_where_that_cannot_be_kept(sessions_of, tmp_path, caplog):
    sessions = sessions_of()
    (tmp_path / "ended").mkdir()
    session = sessions.begin("王")
    sessions.end(session)
    assert sessions.user_of(session) is None and "a restart forgets" in caplog.text
    with pytest.raises(SettingsError):
        sessions_of()


def test_it_is_ageing_from_half_of_its_time(sessions_of, clock):
    sessions = sessions_of()
    session = sessions.begin("王")
    clock.now += SESSION_S / 2
    assert not sessions.is_ageing(session)
    clock.now += 1
    assert sessions.is_ageing(session)


def test_nothing_made_elsewhere_is_one(sessions_of):
    sessions = sessions_of(auth="ann:x")
    expires, nonce, name, signature = sessions.begin("ann").split(".")
    later = str(int(expires) + 1)
    other = base64.urlsafe_b64encode(b"bob").decode()
    for forged in (
        f"{later}.{nonce}.{name}.{signature}",
        f"{expires}.{nonce}.{other}.{signature}",
        f"{expires}.{nonce}.{name}.{signature[:-1]}",
        f"{expires}.{nonce}.{name}.",
        f"{expires}.{nonce}.{name}",
        f"{expires}.{nonce}.é.{signature}",
        f"{expires}.{nonce}.____.{signature}",
        f"x.{nonce}.{name}.{signature}",
        "",
        "....",
    ):
        assert sessions.user_of(forged) is None, forged


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path):
    key = session_key(tmp_path / "new")
    [file] = (tmp_path / "new").iterdir()
    assert len(key) == 32 and session_key(tmp_path / "new") == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(b"short")
    assert len(session_key(tmp_path / "new")) == 32


def test_a_key_that_cannot_be_kept_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError):
        session_key(tmp_path / "file")
