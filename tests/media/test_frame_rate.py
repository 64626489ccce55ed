from fractions import Fraction

import pytest

from heygem.media.frame_rate import choose_rate

MS = Fraction(1, 1000)
NTSC = Fraction(30000, 1001)


def times(rate: Fraction, count: int, tick: Fraction = MS) -> list[int]:
    return [round(number / rate / tick) for number in range(count)]


def test_a_constant_rate_is_kept_exactly_whatever_the_header_says():
    chosen = choose_rate(times(NTSC, 300), MS, [Fraction(25), Fraction(2997, 100), NTSC])
    assert (chosen.fps, chosen.is_variable) == (NTSC, False)


def test_a_constant_rate_is_found_where_the_header_is_wrong():
    chosen = choose_rate(times(Fraction(24), 200), MS, [Fraction(1000), None, Fraction(0)])
    assert (chosen.fps, chosen.is_variable) == (Fraction(24), False)


def test_an_odd_constant_rate_is_kept():
    assert choose_rate(times(Fraction(18), 90), MS, [Fraction(18)]).fps == 18


def test_a_phone_that_drops_pictures_plays_at_its_nominal_rate():
    dropped = [time for number, time in enumerate(times(Fraction(30), 300)) if number % 7]
    chosen = choose_rate(dropped, MS, [Fraction(90000), Fraction(2571, 100)])
    assert (chosen.fps, chosen.is_variable) == (Fraction(30), True)


@pytest.mark.parametrize(
    ("rate", "fps"),
    [(120, 60), (1000, Fraction(1000, 17)), (240, 60), (100, 50), (60, 60), (5, 5), (1, 25), (4, 25)],
)
def test_limits(rate: int, fps: Fraction):
    tick = Fraction(1, 90000)
    assert choose_rate(times(Fraction(rate), 100, tick), tick, [Fraction(rate)]).fps == fps


def test_a_slow_slide_show_gets_the_default():
    assert choose_rate([0, 700, 2000, 4000], MS, []).fps == 25


def test_one_picture_is_a_still():
    assert choose_rate([0], MS, [Fraction(30)]).fps == 25


def test_without_times_the_header_is_believed():
    assert choose_rate([], MS, [None, Fraction(30)]).fps == 30


def test_a_rate_too_fine_for_an_mp4_is_not_taken_from_a_header():
    assert choose_rate(times(Fraction(25), 50), MS, [Fraction(25_000_001, 1_000_000)]).fps == 25
