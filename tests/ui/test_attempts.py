"""How often a password may be tried."""

import pytest

from heygem.ui import attempts as module
from heygem.ui.attempts import TRIES_PER_ADDRESS, TRIES_PER_NAME, WINDOW_S, Attempts


@pytest.fixture
def attempts(clock):
    return Attempts(clock)


def test_after_five_wrong_tries_one_waits_until_the_first_is_a_minute_old(attempts, clock):
    for _ in range(TRIES_PER_NAME):
        assert attempts.begin("1.2.3.4", "ann") == 0
        clock.now += 1
    assert attempts.begin("1.2.3.4", "ann") == pytest.approx(WINDOW_S - TRIES_PER_NAME)
    assert attempts.begin("1.2.3.4", "bob") == 0 and attempts.begin("1.2.3.5", "ann") == 0
    clock.now += WINDOW_S - TRIES_PER_NAME
    assert attempts.begin("1.2.3.4", "ann") == 0
    assert attempts.begin("1.2.3.4", "ann") == pytest.approx(1)


def test_tries_that_were_refused_do_not_make_the_wait_longer(attempts, clock):
    for _ in range(TRIES_PER_NAME):
        attempts.begin("a", "ann")
    for _ in range(50):
        attempts.begin("a", "ann")
    clock.now += WINDOW_S
    assert attempts.begin("a", "ann") == 0


def test_names_are_no_way_around(attempts):
    waits = [attempts.begin("1.2.3.4", f"name {n}") for n in range(TRIES_PER_ADDRESS + 1)]
    assert waits[:-1] == [0] * TRIES_PER_ADDRESS and waits[-1] == WINDOW_S


def test_a_right_password_forgives_what_came_before_for_that_name_alone(attempts):
    for _ in range(TRIES_PER_NAME):
        attempts.begin("a", "bob")
    for _ in range(TRIES_PER_NAME):
        attempts.begin("a", "ann")
    attempts.was_right("a", "ann")
    assert attempts.begin("a", "ann") == 0
    assert attempts.begin("a", "bob") > 0


def test_right_passwords_never_add_up(attempts):
    for _ in range(10 * TRIES_PER_ADDRESS):
        assert attempts.begin("a", "ann") == 0
        attempts.was_right("a", "ann")
    assert attempts._begun == {}


def test_a_household_s_ipv6_addresses_are_one(attempts):
    for n in range(TRIES_PER_NAME):
        attempts.begin(f"2001:db8:1:2::{n}", "ann")
    assert attempts.begin("2001:db8:1:2:ffff::1", "ann") > 0
    assert attempts.begin("2001:db8:1:3::1", "ann") == 0
    # All of IPv4 lies in one such network.
    waits = [attempts.begin(f"::ffff:1.2.3.{n}", "ann") for n in range(TRIES_PER_NAME + 1)]
    assert not any(waits)


def test_what_is_counted_does_not_grow_for_ever(attempts, clock, monkeypatch):
    monkeypatch.setattr(module, "_MANY", 10)
    for n in range(50):
        attempts.begin(f"10.0.0.{n}", "ann")
        clock.now += WINDOW_S
    assert len(attempts._begun) < 20
